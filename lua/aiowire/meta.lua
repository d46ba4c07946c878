---@meta aiowire

-- The reference of `require "aiowire"`, and its types for a language server.
--
-- Never run: it declares what the C module gives. Times are seconds, as
-- numbers, fractions allowed. Marks in brackets, as [C6], name the rules that
-- a line follows from; the specs prove each by that name.
--
-- Read a name by its first letter [V6]: a capital builds a wire (a value) and
-- runs nothing, lower case acts now. Methods of a wire build, methods of live
-- objects (loops, tasks, scopes) act. "Awaits" means: may suspend the running
-- task, is a place where a cancel is raised, and is an error outside a task
-- ("cannot await outside a task") [C11].

--------------------------------------------------------------------------------
-- Wires
--------------------------------------------------------------------------------

--- What is accepted wherever a wire is [P14, V2]: a Wire, a function called as
--- `f(ev)`, or an object with `__call`, called the same way.
---@alias aiowire.Wireable
---| aiowire.Wire
---| aiowire.Body
---| table

--- One step of a chain: does something, may await, and returns nothing (the
--- chain has ended) or the next wire [N1]. To end with results, return
--- `aw.Value(...)`. Any other value fails the task, with a message that shows
--- the value and where the body was defined; so does `return nil, "message"`.
---@alias aiowire.Body fun(ev: aiowire.EventLoop, ...: any): aiowire.Wireable?

--- A failed task's handler: called once at most, outside any task, after
--- everything of the task has been cleaned up [E7]. `err` is what was raised,
--- the same value [E1]. It may start wires; it cannot await or run a loop. An
--- error that it raises stops the loop and leaves `run` [E8]; `ev.failure` has
--- both, the one that it was called for as `cause`. What it returns is ignored.
--- `aw.keep` is one that leaves the failure with the task [T5].
---@alias aiowire.Handler
---| fun(ev: aiowire.EventLoop, err: any, info: aiowire.Info)

--- An immutable value that says what is to happen [V1]. Building and combining
--- wires runs nothing; running one changes nothing, so the same wire may be
--- started any number of times, also at once. Writing a field raises, and the
--- metatable is locked.
---
--- Appending (`w = w >> x`, `&`, `|`, `//` in a loop) costs the same at each
--- length; putting in front (`w = x >> w`) copies a reference for each item.
---
--- `tostring(w)` shows the expression [V8]: `(Sleep(0.1) >> Call(print)) * 4`,
--- at most 4,000 bytes of it. Names and values in it are cut at 60 bytes.
---
--- Operators, the loosest first; Lua's precedence makes parentheses rare:
---
---     a | b    race: the first to finish, the others are cancelled  [O5]
---     a & b    join: both, at the same time                         [O4]
---     a >> b   Sequence(a, b)                                       [O1]
---     a * n    Repeat(a, n)                                         [O2]
---     a // b   when a fails, b instead                              [O7]
---     a / f    a, then f with its results, see `map`                [O11]
---
--- So `a >> b & c >> d | e` is `((a >> b) & (c >> d)) | e`. Each of `|`, `&`,
--- `>>` and `//` is associative: it has as many operands as are written [V4].
--- `w(ev)` runs one step inline, in the running task, and returns the next wire
--- (a composite runs to its end) [N6]. Every other operator raises an error
--- that says what to use instead [O16].
---@class aiowire.Wire
---@operator shr(aiowire.Wireable): aiowire.Wire
---@operator mul(number): aiowire.Wire
---@operator band(aiowire.Wireable): aiowire.Wire
---@operator bor(aiowire.Wireable): aiowire.Wire
---@operator idiv(aiowire.Wireable): aiowire.Wire
---@operator div(function): aiowire.Wire
---@operator call(aiowire.EventLoop): aiowire.Wire?
local Wire = {}

--- The whole of this wire, for at most `seconds` from when it begins [O8]. Cut
--- short by that, it raises Timeout, once all of it has cleaned up; what it
--- spun off counts. Of nested time-outs the outermost that expired reports.
---@param seconds number
---@param opts? { grace?: number } `grace`: seconds for that clean-up [C8]
---@return aiowire.Wire
function Wire:timeout(seconds, opts) end

---@class aiowire.RetryOptions
---@field times? integer tries in all, at least 1; default: no limit
---@field delay? number seconds before the second try; default 0
---@field factor? number how a delay grows from one try to the next; default 2
---@field max? number seconds that a delay has at most
---@field jitter? false|"full" "full": a random part of each delay, from the
---  loop's seed; take it against a server that others use, too
---@field when? fun(err: any, n: integer): any try again after this error, the
---  one of try n? may await; default: after every one
---@field within? number seconds for all tries and delays; then the last error
---  is raised
---@field reset_after? number a try that failed after so many seconds or more
---  counts as the first: tries and delays begin anew, as for a connection that
---  was up for an hour; `n` and `info.attempts` count from there

--- Try the whole of this wire, each time in a scope of its own, until one try
--- does not fail [O10]. The last error is raised as it is, and `info.attempts`
--- says how often was tried. Cancelled is never retried.
---@param opts aiowire.RetryOptions
---@return aiowire.Wire
function Wire:retry(opts) end

--- The whole of this wire; if it fails, `f(err, info)` goes on in the same
--- task: may await, may return a wire, may raise [O9]. Not for Cancelled.
---@param f fun(err: any, info: aiowire.Info): aiowire.Wireable?
---@return aiowire.Wire
function Wire:catch(f) end

--- The whole of this wire, then `f()`, however it ended: with results, an
--- error, or a cancel [O9]. `f` may await: outer cancels are hidden from it for
--- `grace` seconds. A wire that it returns is run as well. An error in it
--- replaces the first one, which is suppressed.
---@param f fun(): any
---@param grace? number seconds; default: the loop's grace
---@return aiowire.Wire
function Wire:finally(f, grace) end

--- The whole of this wire; a failure goes to `h(ev, err, info)`, and the wire
--- ends normally: one client's crash spares the server [O14].
---@param h fun(ev: aiowire.EventLoop, err: any, info: aiowire.Info)
---@return aiowire.Wire
function Wire:supervise(h) end

--- The whole of this wire, then `f(results…)`; what f returns are the results
--- [O11]. `w / f` is the same. What an event took always reaches f: no cancel
--- comes in between [N4].
---@param f fun(...: any): ...: any
---@return aiowire.Wire
function Wire:map(f) end

--- As `map`, but what f returns is the next wire [O11].
---@param f fun(...: any): aiowire.Wireable?
---@return aiowire.Wire
function Wire:bind(f) end

--- As this wire, and the wires that its last body returns are part of it
--- [N2, O12]: `machine:whole() >> b` waits for the machine to end. Without it,
--- `machine >> b` starts b after the machine's first step, and the rest of the
--- machine runs beside b.
---@return aiowire.Wire
function Wire:whole() end

--- As this wire, under a name for people: it names tasks, and stands in chains,
--- dumps and `tostring` [O15, D1].
---@param name string
---@return aiowire.Wire
function Wire:named(name) end

--- The whole of this wire, hidden from cancels that come from outside, for at
--- most `grace` seconds from when it begins [C7, O13]. Time-outs and scopes
--- inside it work as ever. A cancel whose own grace has expired is not hidden
--- [C8].
---@param grace? number seconds; default: the loop's grace
---@return aiowire.Wire
function Wire:shielded(grace) end

--------------------------------------------------------------------------------
-- Tasks
--------------------------------------------------------------------------------

---@alias aiowire.TaskStatus
---| "ready"     # will run in this round or the next
---| "running"   # its step is under way
---| "waiting"   # see `task.waiting` for what
---| "done"      # terminal, as the two below: never changes again [T1]
---| "failed"
---| "cancelled"

--- A wire that was started. Terminal only when all it owns has ended and is
--- cleaned up [T1]. Usable as `local task <close>`: leaving the block cancels
--- and joins it [T7]; outside any task that drives the engine meanwhile.
---@class aiowire.Task
---@field id integer counts up from 1; by itself on an engine of its own [S6]
---@field name string the option's, else the wire's, else the wire as text or
---  `function@file:line` [D1]
---@field status aiowire.TaskStatus
---@field waiting string? what it waits for: `sleep 2.0 (1.3 left)`; nil if it
---  does not wait [D1]
---@field started_at string? "file:line" of the `start`; nil if C started it
---@field age number? seconds since then; nil when it has ended
---@field steps integer bodies and calls that it has run
---@field background boolean see StartOptions
local Task = {}

--- Await the end of the task [T5]. Waiting handles nothing: the task's handler,
--- or the loop's stop, comes first. Cancelling the waiter leaves this task
--- alone. Any number of tasks may wait for one.
---
--- Raises the task's error as it is; `TaskCancelled` if it was cancelled; an
--- error if it is the running task itself or one that owns it.
---@return any ... the results
function Task:wait() end

--- Cancel the task and all below it [T4, C3]. Returns at once; the error is
--- raised in each of them at its present await, when its turn comes. A started
--- task that has not run yet runs to its first await [T3]. An explicit cancel
--- is no failure: no handler is called. Nothing happens to a terminal task.
---@param reason? any shown to people; never use it to tell cancels apart [C1]
function Task:cancel(reason) end

--- Cancel, and await the end of the task with its clean-up [T4]. Raises nothing
--- for the task's own sake.
---@param reason? any
function Task:cancel_wait(reason) end

--- The results of a done task; no value at all otherwise [T6].
---@return any ...
function Task:results() end

--- What `<close>` does: cancel it, and await its end with its clean-up, which
--- no cancel from outside cuts short [T7, C12]. Nothing for a terminal task.
--- Outside any task this drives the engine meanwhile; in a handler it only
--- cancels.
function Task:close() end

--- Where the task is: its stack, then where it was started, then the chain of
--- states that led there [D3].
---@return string
function Task:traceback() end

--------------------------------------------------------------------------------
-- Scopes
--------------------------------------------------------------------------------

--- What `aw.scope` hands to its function: the owner of the tasks started in it.
---@class aiowire.Scope
local Scope = {}

--- Start a wire as a child of this scope [S1]. As EventLoop:start, but the
--- scope waits for it, and cancels it when it is cancelled itself. Without a
--- handler a failure cancels the scope and is raised from `aw.scope`; with one
--- it is handled there, and the siblings go on [E9].
---
--- Raises if the scope has ended.
---@param wire aiowire.Wireable? nil starts nothing, with a warning [P2, D4]
---@param handler? aiowire.Handler
---@param opts? aiowire.StartOptions
---@return aiowire.Task?
function Scope:start(wire, handler, opts) end

--- Start a wire as `start` does, wait until it has called `aw.ready(...)`, and
--- return these values: a server that listens, for those that connect. What it
--- fails with before is raised here, and goes nowhere else; from then on it is
--- a task as others are, with that handler or without. Raises TaskCancelled if
--- it is cancelled before, and an error if it ends without calling aw.ready. If
--- the waiting task is cancelled, so is the wire, and it has ended when this
--- raises Cancelled. Awaits.
---@param wire aiowire.Wireable
---@param handler? aiowire.Handler
---@param opts? aiowire.StartOptions
---@return any ... what the wire gave to aw.ready
function Scope:start_ready(wire, handler, opts) end

--- Cancel all in the scope, and its function at its next await. `aw.scope` then
--- returns nil, "cancelled", reason.
---@param reason? any
function Scope:cancel(reason) end

--- Let the time limit of the scope be over in `seconds` from now, be that later
--- or sooner. Raises if it has none, or if it is too late: it is over, the
--- scope is cancelled or has been left.
---@param seconds number finite, not negative
function Scope:extend(seconds) end

--------------------------------------------------------------------------------
-- Loops
--------------------------------------------------------------------------------

---@class aiowire.LoopOptions
---@field timeout? number seconds, counted from `run` [P11]; default: none
---@field grace? number seconds that clean-up may take after a cancel; default 5
---  [C8]
---@field name? string for people
---@field clock? "real"|"virtual" a virtual clock starts at 0 and jumps [K6];
---  gives the loop an engine of its own [S6]
---@field seed? integer shuffles each round, and draws the choices of Select, so
---  that tests meet other orders [F6]; gives the loop an engine of its own
---@field signals? boolean false: leave SIGINT and SIGTERM alone [L2]; default
---  true

---@class aiowire.StartOptions
---@field name? string for people
---@field background? boolean keeps no loop alive, nor do its children, and is
---  cancelled when the last foreground task has ended [T2]
---@field grace? number seconds, for cancels of this task; default: the loop's

---@alias aiowire.LoopStatus
---| "idle"    # not run yet, or done: may be started and run (again) [S7]
---| "running"
---| "done"
---| "timeout" # this and those below have ended: start and run raise [S7]
---| "stopped"
---| "failed"
---| "closed"

--- The root scope of its tasks, on the engine of this Lua state [S6]. Its tasks
--- stand still until `run`. With `local ev <close> = aw.EventLoop{...}` it runs
--- when the block is left; left by an error it does not run: its tasks are
--- cancelled and the error goes on [L1, P12].
---
--- Declare the loop last: Lua closes in reverse order, so what is declared with
--- `<close>` after the loop is closed before it runs.
---@class aiowire.EventLoop
---@field name string? as given
---@field status aiowire.LoopStatus
---@field stuck aiowire.Stuck[] tasks that had to be killed, see there [C9]
---@field failure aiowire.Info? about the error that ended the loop
---@field waited string? the first wait that its time-out cut short, as the
---  `waited` of an Info
local EventLoop = {}

--- A task that was still alive after a cancel and its grace, or took Cancelled
--- 1,000 times without ending. Its coroutines have been closed [C9].
---@class aiowire.Stuck
---@field task aiowire.Task
---@field name string
---@field traceback string where it was

--- Start a wire at the root of this loop [T2, S5]. Only schedules: nothing of
--- it runs before `start` has returned, nor before the loop runs. The handler
--- also hears of failures of what the wire becomes, spins off or is made of
--- [P4]. Without one a failure stops the loop with UnhandledException [E8].
---
--- Raises: "bad argument #1 to 'start' (wire expected, got ...)"; "this
--- EventLoop has ended (...)" [S7].
---@param wire aiowire.Wireable? nil starts nothing, with a warning [P2, D4]
---@param handler? aiowire.Handler
---@param opts? aiowire.StartOptions
---@return aiowire.Task?
function EventLoop:start(wire, handler, opts) end

--- As Scope:start_ready, at the root of this loop. Awaits.
---@param wire aiowire.Wireable
---@param handler? aiowire.Handler
---@param opts? aiowire.StartOptions
---@return any ... what the wire gave to aw.ready
function EventLoop:start_ready(wire, handler, opts) end

--- Run until no foreground task is left, or until the time-out, `stop` or an
--- unhandled error; then cancel what is left, let it clean up within the grace,
--- and return [L2, L3]. Outside any task this drives the engine; inside one it
--- awaits, and the other tasks go on [S6]. A cancel of the waiting task stops
--- this loop first [S7].
---
--- While the outermost run drives, it holds SIGINT and SIGTERM: the first one
--- cancels with grace, the second acts at once; the module then raises
--- "interrupted!", the program `aiowire` dies by the signal [L2].
---
--- Raises: UnhandledException [E8]; what a handler raised, as it is; a deadlock
--- error with the tree of tasks when all tasks wait and nothing can end that
--- [L4]; "this EventLoop is already running"; "this EventLoop has ended (...)".
---@param timeout? number seconds, in place of the option
---@return "done"|"timeout"|"stopped"
function EventLoop:run(timeout) end

--- Cancel all tasks of the loop, with its grace, and let `run` return "stopped"
--- [L2]. Returns at once.
function EventLoop:stop() end

--- End a loop that does not run; its tasks end unstarted [T3]. Twice is fine.
function EventLoop:close() end

--- The loop's clock: monotonic, or virtual time from 0 [L5]. Compare only with
--- other values of the same clock.
---@return number seconds
function EventLoop:now() end

--- The live tasks of the loop.
---@return aiowire.Task[]
function EventLoop:tasks() end

--- The tree of the loop's scopes and tasks, as text for people: status, what
--- each waits for, age, and where it stands [D2].
---@return string
function EventLoop:dump() end

--------------------------------------------------------------------------------
-- Errors
--------------------------------------------------------------------------------

--- What is known about a failure beside its value [E2]. `tostring(info)` is for
--- reading: message, traceback of the user's own lines, chain of states, where
--- the task was started, which task.
---@class aiowire.Info
---@field err any the error itself
---@field traceback string? taken where the error was raised, 22 levels at most,
---  without the library's own; of a Timeout: who set the limit. Without a line
---  of a file it says where the task was started
---@field waited string? of a Timeout: the first wait that it cut short, as
---  `cut short: sleep 5 s`, with `in task 7` if that is another task, then the
---  stack of that wait, as in a traceback
---@field task aiowire.Task? nil, beside a handler, if nobody has kept it
---@field id integer? of that task …
---@field name string? … and its name
---@field chain string[] names of the last wires (8 at most), newest first [D3]
---@field started_at string? "file:line"
---@field attempts integer? how often it was tried
---@field cause any of what a handler raised: the error that it handled, which
---  is among the suppressed ones [E8]
---@field suppressed aiowire.Suppressed[] errors that came second [E3]

---@class aiowire.Suppressed
---@field err any
---@field info aiowire.Info?

--- Every error object of the library has a text, `message`. `tostring` gives it
--- after the user's line that raised it, as `error` does it for strings:
--- `x.lua:3: connect 'host': connection refused`. That line is in `where`, too;
--- if no code of the user's ran, it is the one that started the task. Cancelled
--- has only its message. `aw.is_timeout` and its kin tell the classes apart
--- [E4].

--- Raised at an await in a cancelled scope: the operation did not happen [C2].
--- Let it pass. Code that must still await puts that in a shield [C12].
---@class aiowire.Cancelled
---@field message string
---@field reason any
---@field kind "task"|"scope"|"loop"|"timeout"|"failure"|"parent"|"race" what
---  was cancelled, and why
---@field where string? "file:line" of the cancel, if Lua asked for it

--- Raised by `w:timeout`, aw.timeout, and aw.run with a time-out of its own.
--- `tostring` says what it cut short, and where that wait stood, as
--- `x.lua:4: timeout after 1.0 s (cut short: sleep 5 s, x.lua:3: in local 'f')`
--- and `info.waited` the whole stack.
---@class aiowire.Timeout
---@field message string as "timeout after 0.05 s"
---@field where string? "file:line" of who set the limit
---@field after number seconds
---@field wire aiowire.Wire? what ran out of time, of `w:timeout()`

--- Raised by Task:wait and `Done` for a task that was cancelled [T5].
---@class aiowire.TaskCancelled
---@field message string
---@field where string? "file:line"
---@field task aiowire.Task? of Task:wait

--- Raised by what waits on an object that is closed, or was closed meanwhile.
---@class aiowire.Closed
---@field message string
---@field where string? "file:line"

--- Raised when the operating system, or libzmq, says no.
---@class aiowire.SystemError
---@field message string "connect 'host': connection refused"
---@field where string? "file:line"
---@field code string as "ECONNREFUSED"
---@field errno integer its number
---@field call string what was tried, as "connect"
---@field about string? what it was about, as a path or "descriptor 5"

--- Raised by EventLoop:run when all tasks wait and nothing can wake them [L4].
---@class aiowire.Deadlock
---@field message string with the tree of tasks
---@field where string? "file:line" of the run

--- Raised by EventLoop:run for an error that no handler took [E8]. Its text
--- begins with the text of the cause, and says where the task was started, and,
--- if the cause's text has no line, where it was raised.
---@class aiowire.UnhandledException
---@field cause any what was raised, the same value
---@field info aiowire.Info

--------------------------------------------------------------------------------
-- The module
--------------------------------------------------------------------------------

---@class aiowire
---@field _VERSION string
---@field Never aiowire.Wire a wire that never ends by itself [O15]
local aw = {}

-- Build: these return values and run nothing ----------------------------------

--- A body with arguments: called as `f(ev, ...)` [V2]. `aw.Wire(f)` is `f` as a
--- Wire, for its operators and methods.
---@param f fun(ev: aiowire.EventLoop, ...: any): aiowire.Wireable?
---@param ... any
---@return aiowire.Wire
function aw.Wire(f, ...) end

--- Call `f(...)`, which may await, and end with what it returns: these are
--- results, never the next wire [P9]. `aw.Call(aw.sleep, s)` is as good as
--- `aw.Sleep(s)`, and its arguments are checked now [V7].
---@param f fun(...: any): ...: any
---@param ... any
---@return aiowire.Wire
function aw.Call(f, ...) end

--- End at once, with these results [N1].
---@param ... any
---@return aiowire.Wire
function aw.Value(...) end

--- One after the other; `a >> b >> ...` is the same [O1, V4]. A wire that the
--- last body of an element returns runs beside what follows; that of the last
--- element continues the chain. The results are the last element's. Each
--- boundary lets others run, and is a place where a cancel is raised [N4].
---@param ... aiowire.Wireable
---@return aiowire.Wire
function aw.Sequence(...) end

--- `n` times, strictly one after the other; `w * n` is the same [O2]. Wires
--- returned by bodies run beside the next iteration; that of the last continues
--- the chain. `n <= 0` ends at once; math.huge is Forever.
---
--- Raises for an `n` that is no whole number: "a wire is repeated a whole
--- number of times, got 1.5".
---@param wire aiowire.Wireable
---@param n number
---@return aiowire.Wire
function aw.Repeat(wire, n) end

--- Again and again, until cancelled [O3]. Each iteration lets others run.
---@param wire aiowire.Wireable
---@return aiowire.Wire
function aw.Forever(wire) end

--- Sleep for `seconds`, from when it runs [K3]. Never early. math.huge never
--- ends. Raises for NaN and for negative seconds.
---@param seconds number
---@return aiowire.Wire
function aw.Sleep(seconds) end

--- Sleep until the clock (`ev:now()`) shows `time`; a past time is due at once
--- [K3]. Raises for NaN.
---@param time number seconds on the loop's clock
---@return aiowire.Wire
function aw.SleepUntil(time) end

--- Finish at the next such time of day; see `aw.at`.
---@param time aiowire.TimeOfDay
---@return aiowire.Wire
function aw.At(time) end

--- End when `task` has ended, with its results; fails as Task:wait does [T5].
---@param task aiowire.Task
---@return aiowire.Wire
function aw.Done(task) end

--- All of them, at the same time, in a scope of their own; they begin in order
--- [O4, O6]. The results are the first result of each, nil kept; with string
--- keys it is one table of these. The first failure cancels the others, and is
--- raised when they have cleaned up. `a & b` is All{a, b}.
---
--- Order: the array part, then string keys in byte order. `limit` bounds how
--- many run at once.
---@param operands { [integer|string]: aiowire.Wireable, limit?: integer }
---@return aiowire.Wire
function aw.All(operands) end

--- The first to finish decides, with results or an error; the others are
--- cancelled, and have cleaned up when it ends [O5, O6]. The results, then the
--- winner's key (`a | b`: the results alone). What a loser's clean-up fails
--- with is raised; what else it ends with is dropped.
---
--- An event (sleep, readable, recv, send, wait, acquire, done, signal; also
--- under a name, `/` or `bind`) decides when it commits, and the other events
--- are given up at that moment: no message is taken and dropped [H3]. Of events
--- that are ready at once the leftmost wins.
---
--- Any other operand decides when it has ended, so one that is made of several
--- steps may have taken a message by the time it loses, and that message is
--- lost with it: `Recv(ch):timeout(9) | Wait(e)`, `(Recv(a) | Recv(b)) / f |
--- Sleep(1)`. Let the events themselves be the operands, and the time-out one
--- of them: `Recv(ch) | Wait(e) | Sleep(9)`.
---@param operands table<integer|string, aiowire.Wireable>
---@return aiowire.Wire
function aw.Race(operands) end

--- As Race, but the first *success* decides; its results [O6]. When all fail,
--- the last error is raised, with the others in `info.suppressed`. An event
--- with a function (`/`, `bind`) decides when it has ended, for that may fail.
---@param operands table<integer|string, aiowire.Wireable>
---@return aiowire.Wire
function aw.Any(operands) end

--- One atomic choice of events: the key of the one that commits, then its
--- results [H4]. Where several are ready, each is as likely as the others; the
--- draws depend on nothing but the loop's seed [F5, F6]. Raises for what is no
--- event.
---@param events table<integer|string, aiowire.Wire>
---@return aiowire.Wire
function aw.Select(events) end

--- What a wire of `Settle` has ended with: `ok` and its `n` results, or not
--- `ok`, with what it raised and what is known of that. An operand that was
--- cancelled by its own task has a TaskCancelled as `err`, and no `info`.
---@class aiowire.Outcome
---@field ok boolean
---@field n integer? how many results there are, from [1] on
---@field err any
---@field info aiowire.Info?

---@class aiowire.LimitOptions
---@field limit? number how many run at once; default: all

--- All of them, at the same time; none stops the others. The result is a table
--- of their outcomes by the same keys. As All otherwise: they begin in order,
--- each in a task of its own; what is raised by a clean-up, while all of it is
--- being cancelled, is raised from here.
---@param operands table<integer|string, aiowire.Wireable>
---@param opts? aiowire.LimitOptions
---@return aiowire.Wire
function aw.Settle(operands, opts) end

---@class aiowire.EveryOptions
---@field missed? "skip"|"burst"|"delay" what a tick does whose time is over:
---  wait for the next multiple of the period (the default); come at once, and
---  all that were missed; come at once, and the grid begins there

--- The whole of `wire` at once, and then every `period` seconds, counted from
--- the beginning, so without drift; ticks never overlap [K4]. Never ends by
--- itself.
---@param period number seconds, more than 0
---@param wire aiowire.Wireable
---@param opts? aiowire.EveryOptions
---@return aiowire.Wire
function aw.Every(period, wire, opts) end

--- Receive from a channel, as an event [V3]: ends as `ch:recv()` does, with the
--- value, or nil and "closed". Needs no coroutine [V7]. From a zmq socket: ends
--- as `socket:recv()` does, with the parts of one message.
---@param source aiowire.Channel|aiowire.Subscription|aiowire.zmq.Socket
---@return aiowire.Wire
function aw.Recv(source) end

--- Send `value` to a channel, as an event: ends with no results, or fails with
--- Closed. Each run sends it once more. To a zmq socket: the parts of one
--- message; ends as `socket:send()` does.
---@param target aiowire.Channel|aiowire.zmq.Socket
---@param value any nil, too; a string for a socket
---@param ... string further parts, for a socket
---@return aiowire.Wire
function aw.Send(target, value, ...) end

--- Finish when the event is set; as `event:wait()`.
---@param event aiowire.Event
---@return aiowire.Wire
function aw.Wait(event) end

--- Take a permit of a semaphore, and end with it, as `sem:acquire()`. Bind what
--- gives it back with `/` or `bind`: `Acquire(sem):bind(function(permit) ...`.
--- With `>>` a cancel may come in between, and the permit stays taken [N4].
---
--- Or take `units` of a rate, as `rate:acquire(units)`: nothing is to be given
--- back.
---@param semaphore aiowire.Semaphore|aiowire.Rate
---@param units? integer of a rate; 1 by default
---@return aiowire.Wire
function aw.Acquire(semaphore, units) end

--- What can be waited for [Q6]: a descriptor's number, a Lua file, or an object
--- with `pollfd`, `getfd` or `fd` (a stream, LuaSocket's, cqueues'). Such a
--- source is ready while its own buffer holds data, too.
---@alias aiowire.Source integer|file*|aiowire.zmq.Socket|table|userdata

--- Finish when `src` can be read from without blocking: there is data, its end
--- or an error [Q3]. The same as `Call(aw.readable, src)`, but an event, and
--- without a coroutine, for numbers, files and streams of this library [V7];
--- objects of others have to be asked in Lua, so they are no events.
---@param src aiowire.Source
---@return aiowire.Wire
function aw.Readable(src) end

--- Finish when `src` can be written to without blocking.
---@param src aiowire.Source
---@return aiowire.Wire
function aw.Writable(src) end

--- Finish when the signal arrives; see `aw.signal`.
---@param name string
---@return aiowire.Wire
function aw.Signal(name) end

---@alias aiowire.PollFlags
---| "r"  # readable, the default; also 1
---| "w"  # writable; also 2
---| "rw" # whichever comes first; also 3
---| 1
---| 2
---| 3

---@class aiowire.PollerOptions
---@field flags? aiowire.PollFlags for sources that say nothing else
---@field on_error? aiowire.Handler gets what a callback, or a wire it returned,
---  failed with; the source goes on [Q5]. What else came of that source is
---  cancelled first. A source that cannot be waited for is unregistered
---@field interval? number ignored

--- Calls back when sources are ready: for each of them, all at once,
--- `Forever(Readable(src) >> w)` [Q1]. At most one callback of a source is
--- under way, so a slow one is not called again for what it has not read yet; a
--- wire that it returns runs beside the next call. A registry that may change
--- [V5], accepted wherever a wire is; one run at a time.
---@class aiowire.Poller
---@operator shr(aiowire.Wireable): aiowire.Wire
---@operator mul(number): aiowire.Wire
---@operator band(aiowire.Wireable): aiowire.Wire
---@operator bor(aiowire.Wireable): aiowire.Wire
---@operator idiv(aiowire.Wireable): aiowire.Wire
---@operator div(function): aiowire.Wire
---@operator call(aiowire.EventLoop): nil
local Poller = {}

--- Watch one more source, from now on if the Poller runs [P13]. Raises if it is
--- registered already. A descriptor that is not open fails the Poller's task
--- with a SystemError when it comes to wait for it [Q3].
---@param src aiowire.Source
---@param w aiowire.Wireable
---@param flags? aiowire.PollFlags
function Poller:register(src, w, flags) end

--- Watch a source no more, at once; a callback under way finishes [Q5]. Do this
--- before the source is closed, or shut the Poller down: between two calls it
--- keeps the kernel's watcher of the source [Q3].
---@param src aiowire.Source
function Poller:unregister(src) end

--- End the run, if there is one: no source is waited for any more, callbacks
--- under way finish, and the Poller may be started again [Q5].
function Poller:shutdown() end

--- Sources begin in the order of their descriptors [O6]. An empty Poller waits
--- [Q6].
---@param sources? table<aiowire.Source, aiowire.Wireable>
---@param opts? aiowire.PollerOptions
---@return aiowire.Poller
function aw.Poller(sources, opts) end

-- Run -------------------------------------------------------------------------

--- Make a loop [L1, S6]. A number is the time-out.
---
--- Raises for unknown options, and for a time that is NaN or negative.
---@param opts? aiowire.LoopOptions|number
---@return aiowire.EventLoop
function aw.EventLoop(opts) end

--- Make a loop, run `wire` in it to its end, and return its results. A function
--- is called as `f(ev)`. Inside a task this awaits, so a script with
--- `aw.run(main)` runs under `lua5.4` and under `aiowire` alike.
---
--- Raises the wire's error as it is; Timeout if `opts.timeout` was over first;
--- TaskCancelled if somebody cancelled its task, and not the loop.
---@param wire aiowire.Wireable
---@param opts? aiowire.LoopOptions
---@return any ... the results
function aw.run(wire, opts) end

--- EventLoop:start on the loop of the running task; in a handler, on the failed
--- task's loop [E7]. Raises outside both.
---@param wire aiowire.Wireable? nil starts nothing, with a warning [P2, D4]
---@param handler? aiowire.Handler
---@param opts? aiowire.StartOptions
---@return aiowire.Task?
function aw.start(wire, handler, opts) end

--- As the handler of a `start`: the failure stays with the task, `task:wait()`
--- raises it, and nothing else is stopped [T5]. A failure that nobody has
--- waited for when the Task is garbage, or the Lua state is closed, is told as
--- a mistake [D4].
---@type aiowire.Handler
function aw.keep(ev, err, info) end

-- Act: these need a running task ----------------------------------------------

--- Sleep; awaits. From a fresh look at the clock, never early [K3].
--- Raises: "bad argument #1 to 'sleep' (seconds must not be negative)", the
--- same for NaN.
---@param seconds number
function aw.sleep(seconds) end

--- Sleep until the clock shows `time`; awaits. A past time is due at once.
---@param time number seconds on the loop's clock
function aw.sleep_until(time) end

--- The table forms, awaited at once: `aw.all{…}` is `aw.await(aw.All{…})` [V6].
---@param operands { [integer|string]: aiowire.Wireable, limit?: integer }
---@return any ... the first result of each, or one table of them
function aw.all(operands) end

---@param operands table<integer|string, aiowire.Wireable>
---@return any ... the results of the first that succeeds
function aw.any(operands) end

---@param operands table<integer|string, aiowire.Wireable>
---@return any ... the results of the first to finish, then its key
function aw.race(operands) end

---@param events table<integer|string, aiowire.Wire>
---@return integer|string key of the event that has committed
---@return any ... its results
function aw.select(events) end

---@param operands table<integer|string, aiowire.Wireable>
---@param opts? aiowire.LimitOptions
---@return table<integer|string, aiowire.Outcome> outcomes see `aw.Settle`
function aw.settle(operands, opts) end

--- Run all of them at the same time, and call `f(key, true, results…)` or
--- `f(key, false, err, info)` for each as it ends: in the order of the ends,
--- one call after the other, in this task. f may await; the wires go on
--- meanwhile, and with a `limit` further ones begin. When f returns true, those
--- that still run are cancelled; when it raises, too, and its error is raised.
--- In any case all have ended when this returns.
---
---     aw.each(pages, { limit = 4 }, function(name, ok, page)
---       print(name, ok and #page or "failed")
---     end)
---@param operands table<integer|string, aiowire.Wireable>
---@param opts aiowire.LimitOptions
---@param f fun(key: integer|string, ok: boolean, ...: any): true?
---@overload fun(operands: table, f: function)
function aw.each(operands, opts, f) end

--- Let all other ready tasks run once; awaits [F1].
function aw.yield() end

--- The clock of the running engine; needs no task [L5, S6].
---@return number seconds
function aw.now() end

--- Wall-clock time, as of `os.time` but with fractions; needs no task. On a
--- virtual clock it is real at the start, and goes on with that clock.
---@return number seconds
function aw.time() end

--- A local time of day. What is above the largest field that is given is any,
--- what is below it 0: `{ hour = 8 }` is 08:00:00, `{ min = 30 }` half past
--- each hour, `{ sec = 0 }` the start of each minute.
---@class aiowire.TimeOfDay
---@field hour? integer 0 to 23
---@field min? integer 0 to 59
---@field sec? integer 0 to 59

--- Wait for the next such time of day, which is always later than now; awaits.
--- Follows changes of the system's clock, at once on Linux, elsewhere within a
--- minute: a time that it was set past has come. As with cron, a time that
--- summer time leaves out comes right after the change, and of one that comes
--- twice only the first counts; without `hour` each hour that passes has one.
---@param time aiowire.TimeOfDay
function aw.at(time) end

--- Run the whole of `wire` inside the running task; awaits [N6]. Raises the
--- wire's error.
---@param wire aiowire.Wireable
---@return any ... its results
function aw.await(wire) end

--- The running task; nil outside tasks and in handlers. `coroutine.running()`
--- is no task's identity: coroutines are reused.
---@return aiowire.Task?
function aw.current() end

--- Say that the running wire, or the join or race that it is an operand of, is
--- ready: the `start_ready` that waits for it goes on, with these values. It
--- does nothing in a task that was started otherwise, and raises the second
--- time.
---@param ... any
function aw.ready(...) end

--- Values of the running task, by any keys: a request's number that each line
--- of a log tells. What a task starts has the values of the moment of its
--- start: children, operands, wires that are spun off, tasks of other loops.
--- What either sets later is its own. In a handler they are those of the task
--- that has failed; outside of tasks there is one table for all that is started
--- there. Values that are tables are shared, not copied. `pairs` goes over
--- them.
---@type table<any, any>
aw.locals = {}

--- When the nearest time limit that applies to the running task is over, on the
--- clock of `aw.now()`: to pass it on to others. Limits are those of
--- aw.timeout, scopes, `w:timeout` and the `within` of a retry, of this task
--- and of those that it is a child of, and the time-out of its loop. A shield
--- hides those outside of it for as long as it hides their cancels [C7]. A task
--- that is cancelled has no time left: now. nil when nothing limits it, and
--- outside of tasks.
---@return number? time seconds
function aw.deadline() end

--- Let the innermost of those limits be over in `seconds` from now, be that
--- later or sooner. Raises if there is none, or if the running task is
--- cancelled.
---@param seconds number finite, not negative
function aw.extend(seconds) end

---@class aiowire.ScopeOptions
---@field timeout? number seconds, after which the scope is cancelled
---@field name? string for people; nothing shows it yet
---@field grace? number seconds, for its cancels; default: the loop's

--- Call `f(s)` in a scope of its own, and return when f *and* all children that
--- it started with `s:start` have ended [S1, S2]; awaits.
---
--- An error of f, or of a child without a handler, cancels all in the scope and
--- is then raised [S3]. If the scope was cut short, by its time-out or
--- `s:cancel`, that is no error: it returns nil, "cancelled", reason. A cancel
--- from further out goes on [C5].
---@overload fun(f: fun(s: aiowire.Scope): ...: any): ...: any
---@param opts aiowire.ScopeOptions
---@param f fun(s: aiowire.Scope): ...: any
---@return any ... f's results; or nil, "cancelled", reason
function aw.scope(opts, f) end

--- Call `f(...)` and raise Timeout if it takes longer than `seconds`: it is
--- cancelled and cleaned up first [O8]. Awaits.
---@param seconds number
---@param f fun(...: any): ...: any
---@param ... any
---@return any ... f's results
function aw.timeout(seconds, f, ...) end

--- Call `f()` hidden from cancels that come from outside, for at most `grace`
--- seconds [C7]; for clean-up that awaits [C12]. The cancel is raised at the
--- first await after the shield.
---@param f fun(): ...: any
---@param grace? number seconds; default: the loop's grace
---@return any ... f's results
function aw.shield(f, grace) end

--- `pcall` that lets Cancelled through [C13]. Lua's own pcall catches it, and
--- the next await raises it again.
---@param f fun(...: any): ...: any
---@param ... any
---@return boolean ok
---@return any ... f's results, or the error
function aw.pcall(f, ...) end

--- A generator, as coroutine.wrap, in which `f` may also await [C11]: an await
--- suspends the task, `coroutine.yield` only the generator.
---@param f fun(...: any): ...: any
---@return fun(...: any): ...: any
function aw.wrap(f) end

--- Teach `coroutine.create`, `wrap`, `resume` and `close` about awaiting, for
--- this Lua state [C11]: coroutines that you make yourself may then await. The
--- program `aiowire` does this by itself. Twice is fine.
function aw.install() end

-- Readiness and signals -------------------------------------------------------

--- Await that `src` can be read from without blocking [Q3]. All who wait for it
--- go on, and the news may be stale for the later ones. Raises a SystemError
--- with what was tried and on what, Closed for an object that says it is.
--- A descriptor must not be closed while somebody waits for it. Right after the
--- wait it may, also while a child or a duplicate keeps its file open.
---@param src aiowire.Source
function aw.readable(src) end

--- Await that `src` can be written to without blocking.
---@param src aiowire.Source
function aw.writable(src) end

--- Await the next arrival of a signal: "INT", "HUP", "USR1", … [H5]. From the
--- first wait to the end of the loop the signal does nothing else, and is not
--- blocked in this thread; what came between two waits counts as one, and ends
--- the next wait at once. But an INT or TERM, in the program also a HUP, that
--- comes while one is kept and nobody waits stops the run as ever [L2].
---@param name string with or without "SIG"
function aw.signal(name) end

-- Channels, events, semaphores, rates ----------------------------------------

--- Hands values from task to task, first come, first served [H1, F5]. Any value
--- goes through, nil as well. What waits in it lives as long as the channel.
---
--- A wait that is cancelled has sent, or taken, nothing; once the two have met,
--- the value arrives, and a cancel comes at the next await [C6]. A channel
--- belongs to the engine whose task waits on it first: tasks of a loop with a
--- clock or seed of its own cannot share it with others [S6].
---
--- `tostring(ch)`: `channel jobs (2 of 4, 1 waiting)`. Closing it twice is
--- fine, and `local ch <close>` closes it.
---@class aiowire.Channel
local Channel = {}

--- Make a channel.
---@param capacity? number how many values it holds; 0, the default: each
--- sender waits for its receiver (a rendezvous); math.huge: no sender waits
---@param opts? { name?: string } for labels; else "file:line" of this call
---@return aiowire.Channel
function aw.channel(capacity, opts) end

--- Send a value; awaits while the channel is full. Raises Closed once it is
--- closed, also if that happens while waiting: then nothing was sent.
---@param value any
function Channel:send(value) end

--- Receive a value; awaits while there is none. Once the channel is closed and
--- what was left has been received: nil and "closed".
---@return any value
---@return "closed"? why
function Channel:recv() end

--- Send without waiting, inside a task or outside. Raises Closed.
---@param value any
---@return boolean sent
---@return "full"? why nobody took it
function Channel:try_send(value) end

--- Receive without waiting, inside a task or outside.
---@return any value
---@return "empty"|"closed"|nil why there is none
function Channel:try_recv() end

--- Let nothing more in. Receivers get what is left, then nil and "closed";
--- senders that wait get Closed.
function Channel:close() end

--- `for v in ch:iter() do`: receives until the channel is closed and empty. A
--- nil ends a `for`, so one that was sent raises an error.
---@return fun(ch: aiowire.Channel): any
---@return aiowire.Channel
function Channel:iter() end

--- Gives each value to all of its subscribers, each of which receives at its
--- own pace. What happens when one of them holds `bound` values already, the
--- policy says:
---
---   * "wait", the default: the send waits until all have room, and then gives
---     the value to all, in one go. A send that is cancelled has given it to
---     nobody. Senders come in turn, so all subscribers see one order.
---   * "drop": that subscriber loses its oldest value, and `dropped` counts it.
---   * "close": that subscriber is closed; it gets what is left.
---
--- A subscriber gets what is sent after `subscribe`. One that is closed, or
--- garbage, keeps no sender waiting. `local b <close>` closes it.
---@class aiowire.Broadcast
local Broadcast = {}

--- Make a broadcast.
---@param bound? number values that each subscriber holds; 16 by default;
---  math.huge: none is ever full
---@param policy? "wait"|"drop"|"close"
---@param opts? { name?: string } for labels; else "file:line" of this call
---@return aiowire.Broadcast
function aw.broadcast(bound, policy, opts) end

--- Send a value to all subscribers; awaits. Raises Closed once it is closed,
--- also if that happens while waiting: then nobody got the value.
---@param value any
function Broadcast:send(value) end

--- The same without waiting, inside a task or outside: to all or to nobody.
--- Raises Closed.
---@param value any
---@return boolean sent
---@return "full"? why it was not: a subscriber is full, or a sender waits
function Broadcast:try_send(value) end

--- Be given what is sent from now on. Of a broadcast that is closed: nothing.
---@return aiowire.Subscription
function Broadcast:subscribe() end

--- Let nothing more in. Subscribers get what is queued, then nil and "closed";
--- senders that wait get Closed.
function Broadcast:close() end

--- Receives as a channel does; `aw.Recv(sub)` is the event. Several tasks that
--- receive from one share its values. `local sub <close>` closes it.
---@class aiowire.Subscription
---@field dropped integer values that it has lost, with "drop"
local Subscription = {}

--- Receive; awaits while there is none. At the end: nil and "closed".
---@return any value
---@return "closed"? why
function Subscription:recv() end

--- Receive without waiting, inside a task or outside.
---@return any value
---@return "empty"|"closed"|nil why there is none
function Subscription:try_recv() end

--- `for v in sub:iter() do`, as of a channel.
---@return fun(sub: aiowire.Subscription): any
---@return aiowire.Subscription
function Subscription:iter() end

--- Get nothing more than what is left.
function Subscription:close() end

--- Set or not; tasks wait until it is set.
---@class aiowire.Event
local Event = {}

--- Make an event, not set.
---@param opts? { name?: string } for labels; else "file:line" of this call
---@return aiowire.Event
function aw.event(opts) end

--- All who wait go on, even if it is cleared before their turn.
function Event:set() end

--- Who waits from now on waits for the next `set`.
function Event:clear() end

--- Is it set? Needs no task.
---@return boolean
function Event:is_set() end

--- Await that it is set; returns at once if it is.
function Event:wait() end

--- A number of permits; who finds none waits, first come, first served.
---@class aiowire.Semaphore
local Semaphore = {}

--- A permit: `local permit <close> = sem:acquire()` gives it
--- back with the block.
---@class aiowire.Permit

--- Make a semaphore.
---@param permits integer how many are free at first
---@param opts? { max?: integer, name?: string } `max`: giving back more than
--- that is an error; else there is no bound
---@return aiowire.Semaphore
function aw.semaphore(permits, opts) end

--- Take a permit; awaits while none is free.
---@return aiowire.Permit
function Semaphore:acquire() end

--- Take a permit if one is free, inside a task or outside.
---@return aiowire.Permit?
function Semaphore:try_acquire() end

--- Give a permit back: to who waits first, else it is free. Not after `<close>`
--- has done so. Raises when there are `max` already.
function Semaphore:release() end

--- At most so many in any span of time: what is taken at t counts until
--- t + per, on the clock of the engine that uses it [S6]. First come, first
--- served; a cancelled wait has taken nothing.
---
--- `tostring(rate)`: `rate api (2 of 10 in 1 s, 1 waiting)`.
---@class aiowire.Rate
local Rate = {}

--- Make a rate. While no loop of its engine runs, another may take it over; the
--- count then begins anew.
---@param n integer units in any span of `per` seconds
---@param per number seconds
---@param opts? { name?: string } for labels; else "file:line" of this call
---@return aiowire.Rate
function aw.rate(n, per, opts) end

--- Take `units`; awaits until so many are free. Raises for more than n.
---@param units? integer 1 by default
function Rate:acquire(units) end

--- Take `units` if they are free and nobody waits, inside a task or outside.
---@param units? integer 1 by default
---@return boolean taken
function Rate:try_acquire(units) end

-- Processes and streams -------------------------------------------------------

--- Bytes in or out of a descriptor. Reads as a Lua file does; end of file is
--- nil. Everything that reads or writes awaits. Several tasks may read one
--- stream: each read takes all that it asked for at once, so each gets whole
--- lines. After `close`, every use raises Closed, waits under way included.
---@class aiowire.Stream
local Stream = {}

--- Read by Lua's formats: "l" (default) a line, "L" a line with its end, "a"
--- all that is left, a number: that many bytes, fewer at the end. A cancelled
--- read takes nothing: what has come stays in the stream [C10].
---
--- Raises a SystemError; with the code EMSGSIZE for a line over `max_line`.
---@param ... "l"|"L"|"a"|integer
---@return string? ... one for each format, up to the first nil
function Stream:read(...) end

--- Read what there is: at least a byte, nil at the end.
---@param max? integer
---@return string?
function Stream:read_some(max) end

--- `for line in stream:lines() do`; with formats as in read(). The stream is
--- not closed at its end.
---@param ... "l"|"L"|"a"|integer
---@return fun(): string?, ...
function Stream:lines(...) end

--- Write strings and numbers, in this order and nothing in between. Awaits
--- while more than `high_water` bytes are queued. A write that is larger than
--- that and is cancelled half way breaks the stream [C10].
---@param ... string|number
---@return aiowire.Stream self
function Stream:write(...) end

--- Await that all that was written is with the kernel; aw.stdout awaits the
--- same of what `print` and `io.write` have kept back.
---@return aiowire.Stream self
function Stream:flush() end

--- Await that all is sent, then let the other side see the end. On a terminal
--- this types its end-of-file character (Ctrl-D), which a program that reads
--- lines takes for the end; so does close().
function Stream:shutdown() end

--- Close it; twice is fine. What is queued is still sent while the loop runs;
--- shutdown() awaits that.
function Stream:close() end

--- Change the limits, in bytes: of a line (1 MiB), of the queue of writes
--- (256 KiB), of what read "a" may give (no limit).
---@param limits {max_line?: number, high_water?: number, max_output?: number}
---@return aiowire.Stream self
function Stream:configure(limits) end

--- Its descriptor, for a Poller, and whether data were read ahead of it [Q6].
---@return integer
function Stream:getfd() end
---@return boolean
function Stream:dirty() end

--- How a process ended. `code` or `signal` is there; with `lost` neither, since
--- somebody else has reaped it, as the kernel does if this process was started
--- with SIGCHLD ignored.
---@class aiowire.Ended
---@field ok boolean it ended with the code 0
---@field code? integer
---@field signal? integer
---@field lost? boolean

--- A child process. Ended and reaped when it is closed, by `<close>` too, and
--- as a last resort when it is garbage (its streams keep it alive). A detached
--- one is let go instead; it is reaped when it ends.
---@class aiowire.Process
---@field pid integer
---@field stdin aiowire.Stream? nil if it is neither pipe nor terminal; so are
---  the others
---@field stdout aiowire.Stream?
---@field stderr aiowire.Stream?
local Process = {}

--- Await its end. Its streams may still hold what it wrote. Of a detached one
--- that has outlived the loop's engine nobody knows: `lost`.
---@return aiowire.Ended
function Process:wait() end

--- Send a signal, to the group if it has one, also when only others than its
--- leader are left in it.
---@param signal? string|integer "KILL", "SIGKILL" or 9; default "TERM"
---@return boolean sent false: it has ended already, and its group, too
function Process:kill(signal) end

--- Close its streams and end it, with its group, if it has one: TERM, after its
--- grace KILL. In a task this awaits that it is reaped, in a shield; elsewhere
--- that happens later. A detached one is sent no signal and not waited for:
--- only its streams are closed, and wait() and kill() work as before.
function Process:close() end

--- A standard file for a child: a stream, a Lua file (flushed first), or a
--- descriptor. A stream goes to the child, and is closed here, but for
--- aw.stdin, aw.stdout and aw.stderr. A stream or a file that holds bytes which
--- the child would miss is refused.
---@alias aiowire.Given aiowire.Stream|file*|integer

--- The array part is the command and its arguments; no shell is involved.
--- Other fields than these are errors.
---@class aiowire.SpawnOptions
---@field [integer] string|number
---@field cwd? string
---@field env? table<string, string|number> all of its environment
---@field stdin? "pipe"|"inherit"|"null"|aiowire.Given default "pipe"
---@field stdout? "pipe"|"inherit"|"null"|string|aiowire.Given default "pipe";
---  another string is the path of a file (a file named pipe is "./pipe")
---@field stderr? "pipe"|"inherit"|"null"|"stdout"|string|aiowire.Given
---@field append? boolean write at the end of files that are given by path
---@field pty? boolean a terminal of its own, to which those of the three lead
---  that are not given; `stdin` and `stdout` (else `stderr`) are its other side
---@field rows? integer of the terminal; default 24
---@field cols? integer default 80
---@field detach? boolean a session of its own, and no end with the Process, its
---  loop or the program: give it files rather than pipes
---@field group? boolean a group of its own, which signals go to, and which ends
---  when it is closed; until then it stays a zombie, which keeps its number
---@field grace? number seconds from TERM to KILL; default 2, at most half of
---  the loop's
---@field max_line? number see Stream:configure()
---@field high_water? number
---@field max_output? number

--- Start a program. It sees the descriptors 0, 1 and 2 only. Awaits nothing.
---
--- Raises a SystemError: `call` is "spawn", "chdir" for a bad `cwd`, or "open"
--- for a path; Closed for a closed stream or file.
---@overload fun(command: string, ...: string|number): aiowire.Process
---@param options aiowire.SpawnOptions
---@return aiowire.Process
function aw.spawn(options) end

--- As SpawnOptions, with these changes.
---@class aiowire.ExecOptions : aiowire.SpawnOptions
---@field stdin? string|aiowire.Given text to feed, a stream to read and feed,
---  which stays open, a Lua file, a descriptor, "inherit" or "null" (default;
---  of a terminal: nothing, and its end)
---@field detach? nil
---@field check? boolean raise if it does not end with the code 0
---@field max_output? number for each pipe; default 64 MiB, then it is ended and
---  a SystemError EMSGSIZE raised
---@field drain? number seconds to wait, after its end, for pipes that others
---  keep open; then the result is what has come; default: as long as it takes

--- What it wrote; nil for what is no pipe.
---@class aiowire.Result : aiowire.Ended
---@field out? string
---@field err? string

--- Run a program to its end and to that of its pipes, which are read at once.
--- Awaits. A cancel ends the program, as Process:close() does.
---
--- With `check` a failure is raised as an error with the fields of the result,
--- `command`, `where` and `message`, which shows the tail of what it wrote to
--- stderr. A SystemError of its pipes, as EMSGSIZE, has what came before in
--- `out` and `err`.
---@overload fun(command: string, ...: string|number): aiowire.Result
---@param options aiowire.ExecOptions
---@return aiowire.Result
function aw.exec(options) end

--- The same as a wire, which ends with the result.
---@overload fun(command: string, ...: string|number): aiowire.Wire
---@param options aiowire.ExecOptions
---@return aiowire.Wire
function aw.Exec(options) end

--- The program's own standard streams. They are left open and blocking for
--- others; do not read `io.stdin` at the same time.
---
--- What `print`, `io.write` and `aw.stdout` write in turn comes in that order
--- (so it is with `io.stderr` and `aw.stderr`, and with a child that inherits
--- them): a write has what Lua's file kept back written first, and awaits that
--- all is with the kernel. While it waits for a slow reader other tasks run:
--- what they print comes between its lines, and so may what is printed after a
--- write that was cancelled. A line of more than 4096 bytes may be divided.
---@type aiowire.Stream
aw.stdin = nil
---@type aiowire.Stream
aw.stdout = nil
---@type aiowire.Stream
aw.stderr = nil

-- Tell errors apart [E4] ------------------------------------------------------

--- Is it the cancel of the running task or scope?
---@param err any
---@return boolean
function aw.is_cancelled(err) end

--- Did something run out of time?
---@param err any
---@return boolean
function aw.is_timeout(err) end

--- Was the task that was waited for cancelled?
---@param err any
---@return boolean
function aw.is_task_cancelled(err) end

--- Did `run` end by an error that no handler took?
---@param err any
---@return boolean
function aw.is_unhandled(err) end

--- Was the object waited on closed?
---@param err any
---@return boolean
function aw.is_closed(err) end

--- Is it a failure that the operating system reported?
---@param err any
---@return boolean
function aw.is_system_error(err) end

--- Did `run` end since nothing could wake any task?
---@param err any
---@return boolean
function aw.is_deadlock(err) end

-- Test and look inside --------------------------------------------------------

--- The clock that aw.test hands to its function. Both ways to move it await,
--- and run all that comes due on the way, in order [K6].
---@class aiowire.Clock
local Clock = {}

---@return number seconds since the test began
function Clock:now() end

--- Move on by `dt` seconds: returns when all that is due up to then, inclusive,
--- has run.
---@param dt number seconds
function Clock:advance(dt) end

--- Move on to `time`.
---@param time number seconds on this clock
function Clock:run_until(time) end

---@class aiowire.TestOptions
---@field seed? integer shuffles each round [F6]
---@field limit? number real seconds the test may take; default 2, or what
---  AIOWIRE_TEST_TIMEOUT says

--- Call `f(ev, clock)` as the main task of a new loop with a virtual clock,
--- then run what it started to its end [K6]. Errors of f, of any kind, are
--- raised as they are, so assertions of a test framework pass through.
---
--- Fails if a task is left that can never end: "leaked task 3 'name' ...
--- started at file:line"; and with a dump of all tasks when the limit is over.
---@overload fun(f: fun(ev: aiowire.EventLoop, clock: aiowire.Clock): ...: any)
---@param opts aiowire.TestOptions
---@param f fun(ev: aiowire.EventLoop, clock: aiowire.Clock): ...: any
---@return any ... f's results
function aw.test(opts, f) end

--------------------------------------------------------------------------------
-- ZeroMQ
--------------------------------------------------------------------------------

--- Sockets of ZeroMQ, also `require "aiowire.zmq"`. libzmq (4.3.3 or later) is
--- opened when the first socket or context is made: a SystemError ENOZMQ if it
--- is not installed. Constants: the types (`zmq.REP`), the options of libzmq in
--- capitals (`zmq.LINGER`), `POLLIN`, `POLLOUT`.
---@class aiowire.zmq
---@field options table[] each { name=, number=, readable=, writable= }
---@field [string] integer
aw.zmq = {}

---@alias aiowire.zmq.Type
---| "pair" | "pub" | "sub" | "req" | "rep" | "dealer" | "router" | "pull"
---| "push" | "xpub" | "xsub" | "stream"
---| integer

--- A socket. Each option of libzmq, by its name in lower case, is a field: read
--- and written in libzmq's units (milliseconds), flags as booleans. These
--- differ from libzmq's defaults: `linger` 1000, `maxmsgsize` 64 MiB,
--- `handshake_ivl` 5000, `heartbeat_ivl` 10000, `heartbeat_timeout` 30000.
---
--- Any number of tasks may use one socket; who waits longest is served first
--- [F5]. Closing it ends the waits with Closed. Close it by `close`, by
--- `local s <close>`, or with its context.
---@class aiowire.zmq.Socket
---@field closed boolean
---@field max_parts integer of a message, in and out; 1024
---@field hwm integer sets sndhwm and rcvhwm
---@field linger integer ms; 0 lets a message that is under way end, for 10 ms
---@field identity string also routing_id
---@field last_endpoint string what it was bound or connected to last
---@field conflate boolean the newest message only, whole; before bind, connect
---@field router_mandatory boolean a ROUTER raises for a peer that is gone
---@field [string] any
local Socket = {}

--- Listen at an address: tcp://, ipc:// or inproc://. Raises a SystemError
--- EADDRINUSE also for an ipc path whose server is alive. An address that this
--- program gave up just now is waited for, without other tasks, at most 1 s: it
--- is free within a millisecond most times.
---@param address string
---@return aiowire.zmq.Socket self
function Socket:bind(address) end

--- Connect to an address; it need not be there yet. libzmq looks up host names
--- in its I/O thread, which then does nothing else: prefer numbers.
---@param address string
---@return aiowire.zmq.Socket self
function Socket:connect(address) end

---@param address string as last_endpoint told it
---@return aiowire.zmq.Socket self
function Socket:unbind(address) end

--- Not from an inproc name that nobody has bound yet: that is an error.
---@param address string
---@return aiowire.zmq.Socket self
function Socket:disconnect(address) end

--- Receive what begins with `prefix`. SUB only.
---@param prefix string
---@return aiowire.zmq.Socket self
function Socket:subscribe(prefix) end

---@param prefix string
---@return aiowire.zmq.Socket self
function Socket:unsubscribe(prefix) end

--- Send a message of one or more parts: all of it, or nothing. Awaits while it
--- cannot be sent: no peer, or peers that are full. A ROUTER's first part is
--- the routing id of the peer; one that is gone gives `false, "EHOSTUNREACH"`.
---@param part string
---@param ... string
---@return boolean sent
---@return string? why
function Socket:send(part, ...) end

---@param parts string[]
---@return boolean sent
---@return string? why
function Socket:send_multipart(parts) end

--- Receive a message: its parts. Awaits; a cancelled one takes none [C6].
---@return string ...
function Socket:recv() end

---@return string[] parts
function Socket:recv_multipart() end

--- Await readiness, at most `timeout` seconds: which of `flags` (or "r") it
--- is ready for, as bits POLLIN and POLLOUT; 0 when the time is over. With a
--- `timeout` of 0 it only looks, outside tasks as well.
---@param flags? aiowire.PollFlags
---@param timeout? number
---@return integer events
function Socket:poll(flags, timeout) end

---@param option string|integer
---@return string|integer|boolean value
function Socket:get(option) end

---@param option string|integer
---@param value string|integer|boolean|nil nil: none, of a text
function Socket:set(option, value) end

--- Close it; twice is fine. What is not sent yet is sent for `linger` ms.
---@param linger? integer sets that option first
function Socket:close(linger) end

--- Owns sockets. Closing it closes them; what is left to send is then sent
--- beside the program, whose end waits for that at most `patience` ms.
---@class aiowire.zmq.Context
local Context = {}

---@param type aiowire.zmq.Type
---@param options? table<string, any>
---@return aiowire.zmq.Socket
function Context:socket(type, options) end

---@param option string
---@return integer
function Context:get(option) end

---@param option string
---@param value integer|boolean
function Context:set(option, value) end

function Context:close() end

--- The same.
function Context:term() end

--- Make a socket in the context that all share, or in `options.context`.
---@param type aiowire.zmq.Type
---@param options? table<string, any> set before it is returned
---@return aiowire.zmq.Socket
function aw.zmq.socket(type, options) end

---@class aiowire.zmq.ContextOptions
---@field io_threads? integer 1
---@field max_sockets? integer 1023
---@field patience? integer ms, 5000

---@param options? aiowire.zmq.ContextOptions and libzmq's others
---@return aiowire.zmq.Context
function aw.zmq.context(options) end

--- libzmq's, as "4.3.4".
---@return string
function aw.zmq.version() end

--- Was libzmq built with it, as "curve"?
---@param capability string
---@return boolean
function aw.zmq.has(capability) end

--------------------------------------------------------------------------------
-- Inside
--------------------------------------------------------------------------------

--- What is alive in this Lua state. All but `idle` and `bytes` return to where
--- they were when the loops have ended and the collector has run twice.
---@class aiowire.Stats
---@field loops integer EventLoops that run, or have yet to
---@field ended integer EventLoops that have ended, and are not garbage yet
---@field tasks integer tasks that have not ended
---@field scopes integer
---@field wires integer wires in the C core
---@field refs integer Lua values that the engine holds
---@field deadlines integer sleeps and time-outs under way
---@field errors integer
---@field busy integer coroutines that run or are parked in a task
---@field idle integer pooled coroutines
---@field handles integer libuv handles
---@field bytes integer memory of the C core, pools included

---@return aiowire.Stats
function aw.stats() end

return aw
