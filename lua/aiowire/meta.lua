---@meta aiowire

-- The reference of `require "aiowire"`, and its types for a language server.
--
-- This file never runs: it declares what the C module provides.
--
--   Times    are numbers of seconds; fractions are allowed.
--   Names    with a capital build a wire and run nothing; names in lower case
--            act now [V6]. Methods of a wire build; methods of live objects
--            (loops, tasks, scopes, channels) act.
--   "Awaits." means: the function may suspend the running task. It raises
--            Cancelled if the task is cancelled, and "cannot await outside a
--            task" outside of tasks [C11].
--   Marks    such as [C6] name rules in docs/semantics.md.
--
-- Comments in front of a @field are those of the field. docs/make/api.lua
-- writes docs/api.md from this file: run `./dev docs` after a change.

--------------------------------------------------------------------------------
-- Wires
--------------------------------------------------------------------------------

--- What every function accepts where it wants a wire [P14, V2]: a Wire, a
--- function, which is called as `f(ev)`, or an object with `__call`, which is
--- called the same way.
---@alias aiowire.Wireable
---| aiowire.Wire
---| aiowire.Body
---| table

--- A body: a function that a wire runs as one step. It may await. It returns
--- nothing, which ends the chain, or the next wire [N1]. `return aw.Value(...)`
--- ends the chain with results. Any other value fails the task, and so does
--- `return nil, "message"`; the error shows the value and where the body was
--- defined.
---@alias aiowire.Body fun(ev: aiowire.EventLoop, ...: any): aiowire.Wireable?

--- The handler of a task: called when the task has failed, after everything
--- below the task has been cleaned up, and at most once [E7].
---
--- `err` is the value that was raised, unchanged [E1]. The handler runs outside
--- of tasks: it may start wires, but it cannot await or run a loop. Its results
--- are ignored. An error that it raises stops the loop and leaves `run` [E8];
--- `ev.failure` then has that error, and in `cause` the error that it handled.
---
--- `aw.keep` is a handler that leaves the failure with the task [T5].
---@alias aiowire.Handler
---| fun(ev: aiowire.EventLoop, err: any, info: aiowire.Info)

--- An immutable description of work [V1]. Building and combining wires runs
--- nothing, and running a wire does not change it. So the same wire may be
--- started any number of times, also at the same time. Writing a field of a
--- wire raises, and its metatable is locked.
---
--- Operators, the loosest first:
---
---     a | b    race: the first to finish wins, the other is cancelled  [O5]
---     a & b    join: both at the same time                             [O4]
---     a >> b   sequence: a, then b                                     [O1]
---     a * n    repeat: a, n times                                      [O2]
---     a // b   fallback: if a fails, b runs instead                    [O7]
---     a / f    map: a, then f with its results                         [O11]
---
--- Lua's precedence makes parentheses rare: `a >> b & c >> d | e` is
--- `((a >> b) & (c >> d)) | e`. `|`, `&`, `>>` and `//` are associative: a
--- chain of one operator is one wire with that many operands [V4]. All other
--- operators raise an error that names what to use instead [O16].
---
--- `w(ev)` runs one step of the wire in the running task and returns the next
--- wire; a composite wire runs to its end [N6].
---
--- `tostring(w)` shows the expression [V8], such as
--- `(Sleep(0.1) >> Call(print)) * 4`: at most 4,000 bytes of it, with names and
--- values cut at 60 bytes.
---
--- Appending in a loop (`w = w >> x`, also with `&`, `|` and `//`) costs the
--- same at every length. Prepending (`w = x >> w`) copies a reference to each
--- item.
---@class aiowire.Wire
---@operator shr(aiowire.Wireable): aiowire.Wire
---@operator mul(number): aiowire.Wire
---@operator band(aiowire.Wireable): aiowire.Wire
---@operator bor(aiowire.Wireable): aiowire.Wire
---@operator idiv(aiowire.Wireable): aiowire.Wire
---@operator div(function): aiowire.Wire
---@operator call(aiowire.EventLoop): aiowire.Wire?
local Wire = {}

--- Run the whole chain of this wire for at most `seconds` [O8].
---
--- When the time is over, the wire and everything that it spun off is
--- cancelled. If that cuts it short, Timeout is raised after its clean-up. If
--- several nested time-outs have expired, the outermost one raises.
---@param seconds number counted from the moment at which the wire begins
---@param opts? { grace?: number } `grace`: seconds for the clean-up [C8]
---@return aiowire.Wire
function Wire:timeout(seconds, opts) end

--- How often and when `w:retry` tries again.
---@class aiowire.RetryOptions
---@field times? integer tries in all, at least 1; default: no limit
---@field delay? number seconds before the second try; default 0
--- each delay is longer than the one before by this factor; default 2
---@field factor? number
---@field max? number upper bound of a delay in seconds
--- "full": wait only a random part of each delay, drawn with the loop's seed.
--- Use it with servers that others use, too
---@field jitter? false|"full"
--- called with the error of try n, unless it was the last of `times`; the wire
--- is tried again if it returns a true value. May await. Default: try again
--- after every error
---@field when? fun(err: any, n: integer): any
--- seconds for all tries and delays together; when they are over, the last
--- error is raised, or Timeout if no try has failed yet
---@field within? number
--- seconds. A try that lasted so long before it failed counts as the first one:
--- tries and delays start anew, as for a connection that was up for an hour.
--- `n` and `info.attempts` count from there
---@field reset_after? number

--- Try the whole chain of this wire until one try does not fail [O10]. Each try
--- has a scope of its own.
---
--- If the last try fails, its error is raised unchanged, and `info.attempts` is
--- the number of tries. Cancelled is never retried.
---@param opts aiowire.RetryOptions
---@return aiowire.Wire
function Wire:retry(opts) end

--- Run the whole chain of this wire; if it fails, call `f(err, info)` in the
--- same task [O9]. `f` may await, raise, or return a next wire. `f` is not
--- called for Cancelled.
---@param f fun(err: any, info: aiowire.Info): aiowire.Wireable?
---@return aiowire.Wire
function Wire:catch(f) end

--- Run the whole chain of this wire, then call `f()`, whether the wire ended
--- with results, an error or a cancel [O9].
---
--- `f` may await: cancels from outside are hidden from it for `grace` seconds.
--- If it returns a wire, that runs, too. An error in `f` replaces an error of
--- the wire, which is suppressed in it.
---@param f fun(): any
---@param grace? number seconds; default: the loop's grace
---@return aiowire.Wire
function Wire:finally(f, grace) end

--- Run the whole chain of this wire; if it fails, call `h(ev, err, info)`, and
--- end normally [O14]. Under it, the failure of one client spares the server.
---@param h fun(ev: aiowire.EventLoop, err: any, info: aiowire.Info)
---@return aiowire.Wire
function Wire:supervise(h) end

--- Run the whole chain of this wire, then call `f` with its results; what `f`
--- returns are the new results [O11]. `w / f` does the same.
---
--- No cancel is raised between an event and `f`, so what the event took always
--- reaches `f` [N4].
---@param f fun(...: any): ...: any
---@return aiowire.Wire
function Wire:map(f) end

--- Run the whole chain of this wire, then call `f` with its results, as `map`
--- does; what `f` returns is the next wire [O11].
---@param f fun(...: any): aiowire.Wireable?
---@return aiowire.Wire
function Wire:bind(f) end

--- Make the whole chain of this wire one wire: the wires that its bodies return
--- are part of it [N2, O12].
---
--- `machine:whole() >> b` runs b when the machine has ended. `machine >> b`
--- runs b after the machine's first step, and the rest of the machine beside b.
---@return aiowire.Wire
function Wire:whole() end

--- Give this wire a name. Tasks that run it have this name, and tracebacks,
--- dumps and `tostring` show it [O15, D1].
---@param name string
---@return aiowire.Wire
function Wire:named(name) end

--- Run the whole chain of this wire in a shield: cancels from outside are
--- hidden from it for at most `grace` seconds from its begin [C7, O13].
---
--- Time-outs and scopes inside it work as usual. A cancel whose own grace has
--- expired is not hidden [C8].
---@param grace? number seconds; default: the loop's grace
---@return aiowire.Wire
function Wire:shielded(grace) end

--------------------------------------------------------------------------------
-- Tasks
--------------------------------------------------------------------------------

--- The states of a task. The last three are terminal.
---@alias aiowire.TaskStatus
---| "ready"     # its turn comes in this round or in the next
---| "running"   # its step is under way
---| "waiting"   # `task.waiting` says for what
---| "done"      # terminal, as the two below: it never changes again [T1]
---| "failed"
---| "cancelled"

--- One run of a wire. A task is terminal only when everything that it owns has
--- ended and has cleaned up [T1].
---
--- `local task <close>` cancels the task when the block is left, and waits for
--- its end [T7]. Outside of tasks this wait drives the engine.
---@class aiowire.Task
---@field id integer counts up from 1, in each engine [S6]
--- the option `name`, or the name of the wire, or the wire as text, or
--- `function@file:line` [D1]
---@field name string
---@field status aiowire.TaskStatus see TaskStatus
--- what it waits for, such as `sleep 2.0 (1.3 left)`; nil if it does not wait
--- [D1]
---@field waiting string?
---@field started_at string? "file:line" of its start; nil if C code started it
---@field age number? seconds since its start; nil when it has ended
---@field steps integer bodies and calls that it has run so far
---@field background boolean see StartOptions
local Task = {}

--- Wait until the task has ended, and return its results [T5]. Awaits.
---
--- Raises the error of a failed task unchanged, and TaskCancelled if the task
--- was cancelled. Raises an error if a task waits for itself or an ancestor.
---
--- Waiting is not handling: first a failure goes to the task's handler or stops
--- the loop, then the waiters get it. Any number of tasks may wait for the same
--- task. A cancel of the waiter does not cancel the task.
---@return any ... the results
function Task:wait() end

--- Cancel the task and everything below it [T4, C3]. Returns at once.
---
--- Each task raises Cancelled at the await where it is now, when its turn
--- comes. A task that has not run yet runs to its first await [T3]. A cancel is
--- no failure, so no handler is called. Does nothing to a terminal task.
---@param reason? any shown to people; programs should not depend on it [C1]
function Task:cancel(reason) end

--- Cancel the task, and wait for its end and its clean-up [T4]. Awaits. Does
--- not raise the task's error or TaskCancelled.
---@param reason? any
function Task:cancel_wait(reason) end

--- Return the results of a task that is done; no values in other states [T6].
---@return any ...
function Task:results() end

--- Cancel the task, and wait for its end, as `<close>` does [T7]. No cancel
--- from outside cuts that wait short [C12]. Does nothing to a terminal task.
---
--- Outside of tasks `close` drives the engine meanwhile. In a handler it only
--- cancels.
function Task:close() end

--- Return where the task is, as text: its stack, then where it was started,
--- then the chain of wires that led there [D3].
---@return string
function Task:traceback() end

--------------------------------------------------------------------------------
-- Scopes
--------------------------------------------------------------------------------

--- The owner of the tasks that are started in it. `aw.scope` hands one to its
--- function.
---@class aiowire.Scope
local Scope = {}

--- Start a wire as a child of this scope [S1], as EventLoop:start does in a
--- loop.
---
--- The scope waits for all of its children, also for those with `background`,
--- and cancels them when it is cancelled. The failure of a child without a
--- handler cancels the scope and is raised from `aw.scope`. A handler gets the
--- failure instead, and the siblings go on [E9].
---
--- Raises if the scope has ended.
---@param wire? aiowire.Wireable nil starts nothing, with a warning [P2, D4]
---@param handler? aiowire.Handler
---@param opts? aiowire.StartOptions
---@return aiowire.Task task nil if `wire` is nil
function Scope:start(wire, handler, opts) end

--- Start a wire as `start` does, wait until it has called `aw.ready(...)`, and
--- return those values. Awaits. Use it to start a server before its clients.
---
--- An error of the wire before `aw.ready` is raised here and goes nowhere else.
--- Raises TaskCancelled if the wire's task is cancelled before `aw.ready`, and
--- an error if that task ends without a call of it. After the call, failures
--- are treated as with `start`. If the waiting task is cancelled, the wire is
--- cancelled and has ended before Cancelled is raised.
---@param wire aiowire.Wireable
---@param handler? aiowire.Handler
---@param opts? aiowire.StartOptions
---@return any ... the values that the wire gave to `aw.ready`
function Scope:start_ready(wire, handler, opts) end

--- Cancel everything in the scope, its function included. `aw.scope` then
--- returns nil, "cancelled", reason.
---@param reason? any
function Scope:cancel(reason) end

--- Move the time limit of the scope, later or sooner: the limit expires
--- `seconds` from now. Raises if the scope has no time limit, is cancelled, or
--- has been left.
---@param seconds number finite, not negative
function Scope:extend(seconds) end

--------------------------------------------------------------------------------
-- Loops
--------------------------------------------------------------------------------

--- Options of a loop.
---@class aiowire.LoopOptions
---@field timeout? number seconds, counted from `run` [P11]; default: none
---@field grace? number seconds for clean-up after a cancel; default 5 [C8]
---@field name? string shown to people
--- a virtual clock starts at 0 and jumps to the next deadline [K6]. With
--- "virtual" the loop has an engine of its own [S6]
---@field clock? "real"|"virtual"
--- shuffles each round and seeds the choices of Select, so that tests meet
--- other orders [F6]. With it the loop has an engine of its own
---@field seed? integer
--- false: do not touch SIGINT and SIGTERM [L2]; default true
---@field signals? boolean

--- Options of a task.
---@class aiowire.StartOptions
---@field name? string shown to people
--- the task and its children do not keep the loop running, but are cancelled
--- when the last foreground task has ended [T2]. A scope waits for a background
--- task that was started in it as for any other: there, end a helper with its
--- block, by `local helper <close> = s:start(w)`
---@field background? boolean
---@field grace? number seconds for cancels of this task; default: the loop's

--- The states of a loop.
---@alias aiowire.LoopStatus
---| "idle"    # not run yet, or done: it may be started and run (again) [S7]
---| "running"
---| "done"
---| "timeout" # ended, as the states below: start and run raise [S7]
---| "stopped"
---| "failed"
---| "closed"

--- A loop: the root scope of its tasks, on the engine of this Lua state [S6].
--- Its tasks stand still until `run`.
---
--- `local ev <close> = aw.EventLoop{...}` runs the loop when the block is left.
--- If an error leaves the block, the loop does not run: its tasks are
--- cancelled, and the error goes on [L1, P12].
---
--- Declare the loop last. Lua closes variables in reverse order, so a variable
--- that is declared with `<close>` after the loop is closed before the loop
--- runs.
---@class aiowire.EventLoop
---@field name string? the option `name`
---@field status aiowire.LoopStatus see LoopStatus
---@field stuck aiowire.Stuck[] tasks that had to be killed [C9]
---@field failure aiowire.Info? about the error that ended the loop
--- the first wait that the loop's time-out cut short, as `waited` of an Info
---@field waited string?
local EventLoop = {}

--- A task that was killed: it was still alive when the grace of its cancel had
--- expired, or it took Cancelled 1,000 times without ending. Its coroutines
--- were closed [C9].
---@class aiowire.Stuck
---@field task aiowire.Task the killed task
---@field name string its name
---@field traceback string where it was

--- Start a wire as a task at the root of this loop [T2, S5]. The task is only
--- scheduled: it begins when `start` has returned and the loop runs.
---
--- The handler also gets the failures of wires that the task becomes, spins off
--- or is composed of [P4]. Without a handler, a failure stops the loop with
--- UnhandledException [E8].
---
--- Raises: "bad argument #1 to 'start' (wire expected, got ...)"; "this
--- EventLoop has ended (...)" [S7].
---@param wire? aiowire.Wireable nil starts nothing, with a warning [P2, D4]
---@param handler? aiowire.Handler
---@param opts? aiowire.StartOptions
---@return aiowire.Task task nil if `wire` is nil
function EventLoop:start(wire, handler, opts) end

--- Start a wire at the root of this loop and wait until it is ready, as
--- Scope:start_ready does. Awaits.
---@param wire aiowire.Wireable
---@param handler? aiowire.Handler
---@param opts? aiowire.StartOptions
---@return any ... the values that the wire gave to `aw.ready`
function EventLoop:start_ready(wire, handler, opts) end

--- Run the loop until no foreground task is left, or until its time-out, `stop`
--- or an unhandled error. Then cancel the remaining tasks, let them clean up
--- within the grace, and return [L2, L3].
---
--- Outside of tasks `run` drives the engine. Inside a task it awaits, and other
--- tasks go on [S6]; a cancel of that task stops this loop first [S7].
---
--- While the outermost `run` drives, it handles SIGINT and SIGTERM. The first
--- signal cancels all tasks with the grace of this loop, the second acts at
--- once, the third kills the process. The module then raises "interrupted!";
--- the program `aiowire` dies by the signal [L2].
---
--- Raises: UnhandledException [E8]; an error that a handler raised, unchanged;
--- Deadlock, with the tree of tasks, when all tasks wait and nothing can wake
--- one [L4]; "this EventLoop is already running"; "this EventLoop has ended
--- (...)"; outside of tasks, if a host program drives the engine, "cannot run
--- an EventLoop outside a task here (...)" [L6].
---@param timeout? number seconds, in place of the option
---@return "done"|"timeout"|"stopped"
function EventLoop:run(timeout) end

--- Cancel all tasks of the loop, with the loop's grace; `run` then returns
--- "stopped" [L2]. Returns at once.
function EventLoop:stop() end

--- End a loop that is not running. Tasks that never ran end as cancelled [T3].
--- Closing again does nothing.
function EventLoop:close() end

--- Return the time on the loop's clock: monotonic, or virtual from 0 [L5].
--- Times of different clocks cannot be compared.
---@return number seconds
function EventLoop:now() end

--- Return the tasks of the loop that have not ended.
---@return aiowire.Task[]
function EventLoop:tasks() end

--- Return the tree of the loop's scopes and tasks as text, with status, wait,
--- age and place of each [D2].
---@return string
function EventLoop:dump() end

--------------------------------------------------------------------------------
-- Errors
--------------------------------------------------------------------------------

--- The circumstances of a failure [E2]; `err` is its value. `tostring(info)` is
--- a text for people: message, traceback of the user's own lines, chain of
--- wires, task, and the place where the task was started.
---@class aiowire.Info
---@field err any the error itself
--- taken where the error was raised, at most 22 levels, without the library's
--- own functions. For a Timeout: that of the code that set the limit. If no Lua
--- code ran: the place where the task was started
---@field traceback string?
--- for a Timeout: the first wait that it cut short, such as `cut short: sleep 5
--- s`, with `in task 7` if another task waited, then the stack of that wait
---@field waited string?
--- the failed task; in a handler, nil if no other code holds the task
---@field task aiowire.Task?
---@field id integer? its id
---@field name string? its name
---@field chain string[] names of the last wires, at most 8, newest first [D3]
---@field started_at string? "file:line" of its start
---@field attempts integer? number of tries, for a retry
--- for an error that a handler raised: the error that it handled, which is also
--- among the suppressed ones [E8]
---@field cause any
---@field suppressed aiowire.Suppressed[] errors that came later [E3]

--- An error that came while another one was already on its way [E3].
---@class aiowire.Suppressed
---@field err any the value that was raised
---@field info aiowire.Info? about it; nil if nothing is known

--- Error objects of the library have a text in `message`. `tostring` puts the
--- user's line that raised the error in front of it, as `error` does for
--- strings: `x.lua:3: connect 'host': connection refused`. `where` has that
--- line, too. If no Lua code ran, the line is the one that started the task.
--- The text of Cancelled has no line. `aw.is_timeout` and its kin tell the
--- classes apart [E4].

--- Raised at an await of a cancelled task: the operation did not happen [C2].
--- Do not catch it. Clean-up that must await needs a shield [C12].
---@class aiowire.Cancelled
---@field message string such as "cancelled"
---@field reason any the reason that was given to `cancel`
--- what was cancelled, or why
---@field kind "task"|"scope"|"loop"|"timeout"|"failure"|"parent"|"race"
---@field where string? "file:line" of the cancel, if Lua code asked for it

--- Raised by `w:timeout`, by aw.timeout, and by aw.run with a time-out of its
--- own. `tostring` says what was cut short and where, such as
---
---     x.lua:4: timeout after 1.0 s (cut short: sleep 5 s, x.lua:3: in main)
---
--- and `info.waited` has the whole stack of that wait.
---@class aiowire.Timeout
---@field message string such as "timeout after 0.05 s"
---@field where string? "file:line" of the code that set the limit
---@field after number seconds
---@field wire aiowire.Wire? the wire under the limit, for `w:timeout()`

--- Raised by Task:wait and by `Done`, for a task that was cancelled [T5].
---@class aiowire.TaskCancelled
---@field message string with the name of the task
---@field where string? "file:line"
---@field task aiowire.Task? set by Task:wait

--- Raised by a wait for an object that is closed, or that is closed during the
--- wait.
---@class aiowire.Closed
---@field message string with the kind of the object that is closed
---@field where string? "file:line"

--- Raised when the operating system or libzmq reports a failure.
---@class aiowire.SystemError
---@field message string such as "connect 'host': connection refused"
---@field where string? "file:line"
---@field code string such as "ECONNREFUSED"
---@field errno integer the number of the code
---@field call string the operation that failed, such as "connect"
--- the object of the operation, such as a path or "descriptor 5"
---@field about string?
--- the failure of each address, in the order of time, if a connect has tried
--- several
---@field tried aiowire.SystemError[]?

--- Raised when TLS fails: a certificate is refused, a peer speaks no TLS, or
--- the stream was cut. `tostring` gives, for example,
---
---     x.lua:7: handshake 'tls example.org:443': CERTIFICATE_VERIFY_FAILED:
---     certificate has expired (certificate of CN = example.org)
---
--- in one line. Failures of the system stay SystemErrors, such as ECONNRESET.
---@class aiowire.TLSError
---@field message string such as "handshake 'tls a.example:443': HTTP_REQUEST"
---@field where string? "file:line"
--- OpenSSL's name of the reason, such as "CERTIFICATE_VERIFY_FAILED"
---@field code string
--- the code, and a detail if OpenSSL has one, such as
--- "CERTIFICATE_VERIFY_FAILED: certificate has expired"
---@field reason string
---@field call string the operation that failed, such as "handshake" or "read"
---@field about string? such as "tls example.org:443", or the path of a file
--- the subject of the certificate that was refused, such as "CN = example.org"
---@field certificate string?
---@field from_peer boolean the peer has sent the reason, as an alert

--- Raised by EventLoop:run when all tasks wait and nothing can wake one [L4].
---@class aiowire.Deadlock
---@field message string with the tree of tasks
---@field where string? "file:line" of the run

--- Raised by EventLoop:run for an error without a handler [E8]. Its text begins
--- with the text of the cause and says where the task was started. If the cause
--- names no line, it also says where the cause was raised.
---@class aiowire.UnhandledException
---@field cause any the value that was raised
---@field info aiowire.Info about the cause

--------------------------------------------------------------------------------
-- The module
--------------------------------------------------------------------------------

--- The table that `require "aiowire"` returns.
---@class aiowire
---@field _VERSION string name and version, such as "aiowire 0.1.0"
---@field Never aiowire.Wire a wire that never ends by itself [O15]
local aw = {}

-- Building wires --------------------------------------------------------------

--- Make a wire of a body and its arguments: it calls `f(ev, ...)` [V2].
--- `aw.Wire(f)` makes a Wire of a function, for its operators and methods.
---@param f fun(ev: aiowire.EventLoop, ...: any): aiowire.Wireable?
---@param ... any
---@return aiowire.Wire
function aw.Wire(f, ...) end

--- Call `f(...)` and end with what it returns [P9]. `f` may await. Its results
--- are results only, even if one of them is a wire.
---
--- `aw.Call(aw.sleep, s)` is the same as `aw.Sleep(s)`: its arguments are
--- checked when the wire is made [V7].
---@param f fun(...: any): ...: any
---@param ... any
---@return aiowire.Wire
function aw.Call(f, ...) end

--- End at once with these results [N1].
---@param ... any
---@return aiowire.Wire
function aw.Value(...) end

--- Run wires one after the other; `a >> b >> ...` does the same [O1, V4]. The
--- results are those of the last one.
---
--- A wire that the last body of an element returns is spun off: it runs beside
--- what follows. A wire that the last element returns continues the chain. At
--- each boundary other tasks have their turn, and Cancelled may be raised [N4].
---@param ... aiowire.Wireable
---@return aiowire.Wire
function aw.Sequence(...) end

--- Run a wire `n` times, one run after the other; `w * n` does the same [O2].
---
--- A wire that a body returns is spun off, as in a sequence; in the last run it
--- continues the chain. With `n <= 0` the repeat ends at once. With math.huge
--- it is Forever.
---
--- Raises for an `n` that is no whole number: "a wire is repeated a whole
--- number of times, got 1.5".
---@param wire aiowire.Wireable
---@param n number how many runs
---@return aiowire.Wire
function aw.Repeat(wire, n) end

--- Run a wire again and again until it is cancelled or fails [O3]. Between two
--- runs other tasks have their turn.
---@param wire aiowire.Wireable
---@return aiowire.Wire
function aw.Forever(wire) end

--- Sleep for `seconds` from the moment at which the wire runs [K3]. A sleep
--- never ends early. math.huge sleeps without an end. Raises for NaN and
--- negative values.
---@param seconds number 0 or more
---@return aiowire.Wire
function aw.Sleep(seconds) end

--- Sleep until the clock (`ev:now()`) has reached `time` [K3]. A time in the
--- past ends at once. Raises for NaN.
---@param time number seconds on the loop's clock
---@return aiowire.Wire
function aw.SleepUntil(time) end

--- Wait for the next moment with this time of day; see `aw.at`.
---@param time aiowire.TimeOfDay
---@return aiowire.Wire
function aw.At(time) end

--- Wait until `task` has ended, and end with its results [T5]. The wire fails
--- as Task:wait does.
---@param task aiowire.Task
---@return aiowire.Wire
function aw.Done(task) end

--- Join: run all operands at the same time, in a scope of their own [O4, O6].
--- `a & b` is All{a, b}.
---
--- The results are the first result of each operand, in order, nil included.
--- With string keys the result is one table with those keys. The first failure
--- cancels the other operands, and is raised when they have cleaned up.
---
--- Operands begin in the order of the array, then of their string keys in byte
--- order. With `limit`, at most so many run at the same time.
---@param operands { [integer|string]: aiowire.Wireable, limit?: integer }
---@return aiowire.Wire
function aw.All(operands) end

--- Race: run all operands at the same time; the first to finish wins, with
--- results or with an error [O5, O6]. The losers are cancelled, and have
--- cleaned up when the race ends. An error in a loser's clean-up is raised; all
--- else that losers return is dropped.
---
--- The results are the winner's, then its key. `a | b` gives the winner's
--- results alone.
---
--- Events are sleep, readable, recv, send, accept, wait, acquire, done and
--- signal, also under a name, `/` or `bind`. An event wins at its commit, and
--- the other events are unregistered at that moment, so no message is taken and
--- dropped [H3]. If several events are ready at once, the leftmost wins.
---
--- Other operands win when they end. So an operand of several steps may already
--- have taken a message when it loses, and that message is lost:
--- `Recv(ch):timeout(9) | Wait(e)`, `(Recv(a) | Recv(b)) / f | Sleep(1)`. Make
--- each event an operand of the race instead, the time-out included:
--- `Recv(ch) | Wait(e) | Sleep(9)`.
---@param operands table<integer|string, aiowire.Wireable>
---@return aiowire.Wire
function aw.Race(operands) end

--- Race for the first success [O6]. The results are those of the winner.
---
--- If all operands fail, the last error is raised, with the others in
--- `info.suppressed`. An event with a function (`/`, `bind`) wins when it ends,
--- since the function may fail.
---@param operands table<integer|string, aiowire.Wireable>
---@return aiowire.Wire
function aw.Any(operands) end

--- Choose among events atomically: exactly one of them commits [H4]. The
--- results are its key, then its results.
---
--- If several events are ready, each of them is equally likely. The choice
--- depends on nothing but the loop's seed [F5, F6]. Raises for an operand that
--- is no event.
---@param events table<integer|string, aiowire.Wire>
---@return aiowire.Wire
function aw.Select(events) end

--- How an operand of `Settle` ended. A success has `ok`, and `n` results from
--- [1] on. A failure has the error in `err`, with its `info`. An operand whose
--- task was cancelled, while the whole was not, has a TaskCancelled in `err`
--- and no `info`.
---@class aiowire.Outcome
---@field ok boolean true for a success
---@field n integer? the number of results
---@field err any the error of a failure
---@field info aiowire.Info? about the error

--- Options of Settle and `each`.
---@class aiowire.LimitOptions
---@field limit? number how many run at the same time; default: all

--- Run all operands at the same time, and let each run to its end: a failure
--- stops no other operand. The result is a table with the outcome of each,
--- under its key.
---
--- Operands begin in the same order as those of All, each in a task of its own.
--- If the whole is cancelled, an error in the clean-up of an operand is raised.
---@param operands table<integer|string, aiowire.Wireable>
---@param opts? aiowire.LimitOptions
---@return aiowire.Wire
function aw.Settle(operands, opts) end

--- Options of Every.
---@class aiowire.EveryOptions
--- what happens to a tick that is late. "skip", the default: wait for the next
--- multiple of the period. "burst": run it at once, and all others that were
--- missed. "delay": run it at once, and count the period from it
---@field missed? "skip"|"burst"|"delay"

--- Run the whole chain of `wire` at once, and then every `period` seconds [K4].
--- The period counts from the beginning, so ticks do not drift. Ticks never
--- overlap. Only a failure or a cancel ends the wire.
---@param period number seconds, more than 0
---@param wire aiowire.Wireable
---@param opts? aiowire.EveryOptions
---@return aiowire.Wire
function aw.Every(period, wire, opts) end

--- What Recv receives from.
---@alias aiowire.Receivable
---| aiowire.Channel
---| aiowire.Subscription
---| aiowire.zmq.Socket
---| aiowire.zmq.Monitor
---| aiowire.Thread
---| aiowire.Parent
---| aiowire.Stream
---| aiowire.UdpSocket
---| aiowire.FileWatch

--- What Send sends to.
---@alias aiowire.Sendable
---| aiowire.Channel
---| aiowire.zmq.Socket
---| aiowire.UdpSocket
---| aiowire.Thread
---| aiowire.Parent

--- Receive, as an event [V3]. The results are those of `recv()`: from a channel
--- or a subscription the value, or nil and "closed"; from a zmq socket the
--- parts of one message; from its monitor or a file watch an event, or nil and
--- "closed"; from a stream what `read_some()` gives, or nil; from a UDP socket
--- a datagram and its sender [X21]. A receive from a channel or a stream needs
--- no coroutine [V7].
---@param source aiowire.Receivable
---@param max? integer for a UDP socket: bytes to take
---@return aiowire.Wire
function aw.Recv(source, max) end

--- Send, as an event. To a channel the wire sends `value` each time it runs; it
--- has no results, and fails with Closed if the channel is closed. To a zmq
--- socket it sends one message of the given parts, and has the results of
--- `socket:send()`. To a UDP socket it sends a datagram, `data, host, port`;
--- the host is a number or "localhost", since an event looks up no names.
---@param target aiowire.Sendable
---@param value any may be nil; for a socket, a string
---@param ... string for a socket: further parts
---@return aiowire.Wire
function aw.Send(target, value, ...) end

--- Wait until an event object is set, as `event:wait()` does.
---@param event aiowire.Event
---@return aiowire.Wire
function aw.Wait(event) end

--- Acquire a permit of a semaphore, and end with it, as `sem:acquire()` does;
--- or acquire `units` of a rate, as `rate:acquire(units)` does.
---
--- Use `/` or `bind` to hand the permit to the function that gives it back:
--- `Acquire(sem):bind(function(permit) ...`. With `>>`, Cancelled may be raised
--- in between, and the permit would stay taken [N4].
---@param semaphore aiowire.Semaphore|aiowire.Rate
---@param units? integer for a rate; default 1
---@return aiowire.Wire
function aw.Acquire(semaphore, units) end

--- A source of readiness [Q6]: the number of a descriptor, a Lua file, or an
--- object with `pollfd`, `getfd` or `fd`, such as a stream or an object of
--- LuaSocket or cqueues. A source with data in its own buffer is ready, too.
---@alias aiowire.Source integer|file*|aiowire.zmq.Socket|table|userdata

--- Wait until `src` is readable: a read would not block, because there is data,
--- the end of the file, or an error [Q3].
---
--- For numbers, files and objects of this library the wire is an event, and
--- needs no coroutine [V7]. Only Lua code can ask objects of other libraries,
--- so for them the wire is `Call(aw.readable, src)`, which is no event.
---@param src aiowire.Source
---@return aiowire.Wire
function aw.Readable(src) end

--- Wait until `src` is writable: a write would not block. Otherwise as
--- Readable.
---@param src aiowire.Source
---@return aiowire.Wire
function aw.Writable(src) end

--- Wait for a signal; see `aw.signal`.
---@param name string
---@return aiowire.Wire
function aw.Signal(name) end

--- Kinds of readiness.
---@alias aiowire.PollFlags
---| "r"  # readable, the default; also 1
---| "w"  # writable; also 2
---| "rw" # either; also 3
---| 1
---| 2
---| 3

--- Options of a Poller.
---@class aiowire.PollerOptions
---@field flags? aiowire.PollFlags for sources that are registered without flags
--- called with the failure of a callback, or of a wire that it returned; the
--- source stays registered [Q5]. Other wires that its callbacks returned are
--- cancelled before. A source that cannot be waited for is unregistered
---@field on_error? aiowire.Handler
---@field interval? number ignored

--- A registry of sources and their callbacks. For each source it runs
--- `Forever(Readable(src) >> w)`, for all of them at the same time [Q1].
---
--- At most one callback of a source is under way, so a slow callback is not
--- called again for data that it has not read yet. A wire that a callback
--- returns runs beside the next callback. Unlike a Wire, a Poller can change
--- [V5]. A Poller is accepted wherever a wire is, for one run at a time.
---@class aiowire.Poller
---@operator shr(aiowire.Wireable): aiowire.Wire
---@operator mul(number): aiowire.Wire
---@operator band(aiowire.Wireable): aiowire.Wire
---@operator bor(aiowire.Wireable): aiowire.Wire
---@operator idiv(aiowire.Wireable): aiowire.Wire
---@operator div(function): aiowire.Wire
---@operator call(aiowire.EventLoop): nil
local Poller = {}

--- Register a source; a running Poller waits for it from now on [P13].
---
--- Raises if the source is registered already. A descriptor that is not open
--- fails the Poller's task with a SystemError when the Poller waits for it
--- [Q3].
---@param src aiowire.Source
---@param w aiowire.Wireable
---@param flags? aiowire.PollFlags
function Poller:register(src, w, flags) end

--- Stop waiting for a source, at once; a callback under way finishes [Q5].
---
--- Do this, or shut the Poller down, before you close a source: between two
--- callbacks the Poller keeps the source's watcher in the kernel's set [Q3].
---@param src aiowire.Source
function Poller:unregister(src) end

--- End the run, if there is one: stop waiting for all sources. Callbacks under
--- way finish, and the Poller may be started again [Q5].
function Poller:shutdown() end

--- Make a Poller. Its sources begin in the order of their descriptors [O6]. A
--- Poller without sources waits [Q6].
---@param sources? table<aiowire.Source, aiowire.Wireable>
---@param opts? aiowire.PollerOptions
---@return aiowire.Poller
function aw.Poller(sources, opts) end

-- Running ---------------------------------------------------------------------

--- Make a loop [L1, S6]. Raises for unknown options, and for a time that is NaN
--- or negative.
---@param opts? aiowire.LoopOptions|number a number is the time-out
---@return aiowire.EventLoop
function aw.EventLoop(opts) end

--- Make a loop, run `wire` in it to its end, and return its results. A function
--- is called as `f(ev)`. Inside a task this awaits, so a script that ends with
--- `aw.run(main)` runs under `lua5.4` and under `aiowire`.
---
--- Raises the error of the wire unchanged; Timeout if `opts.timeout` is over
--- first; TaskCancelled if the wire's task was cancelled, but not the loop; and
--- as `ev:run`, outside of tasks, if a host program drives the engine [L6].
---@param wire aiowire.Wireable
---@param opts? aiowire.LoopOptions|number a number is the time-out
---@return any ... the results
function aw.run(wire, opts) end

--- Start a wire in the loop of the running task, as EventLoop:start does. In a
--- handler: in the loop of the failed task [E7]. Raises elsewhere.
---@param wire? aiowire.Wireable nil starts nothing, with a warning [P2, D4]
---@param handler? aiowire.Handler
---@param opts? aiowire.StartOptions
---@return aiowire.Task task nil if `wire` is nil
function aw.start(wire, handler, opts) end

--- A handler for `start` that keeps the failure in the task: `task:wait()`
--- raises it, and nothing else is stopped [T5].
---
--- If nobody has waited for the failure when the Task is collected or the Lua
--- state is closed, a warning reports it as a mistake [D4].
---@type aiowire.Handler
function aw.keep(ev, err, info) end

-- Acting in a task ------------------------------------------------------------

--- Sleep for `seconds`. Awaits. The time counts from a fresh look at the clock,
--- and the sleep never ends early [K3].
---
--- Raises: "bad argument #1 to 'sleep' (seconds must not be negative)", and the
--- like for NaN.
---@param seconds number 0 or more
function aw.sleep(seconds) end

--- Sleep until the clock has reached `time`. Awaits. A time in the past ends at
--- once.
---@param time number seconds on the loop's clock
function aw.sleep_until(time) end

--- Run all operands at the same time, and return their first results. Awaits.
--- `aw.all{…}` is `aw.await(aw.All{…})`: see `aw.All` [V6].
---@param operands { [integer|string]: aiowire.Wireable, limit?: integer }
---@return any ... the first result of each, or one table of them
function aw.all(operands) end

--- Run all operands until the first succeeds, and return its results. Awaits.
--- See `aw.Any`.
---@param operands table<integer|string, aiowire.Wireable>
---@return any ... the results of the first that succeeds
function aw.any(operands) end

--- Run all operands until the first finishes. Awaits. See `aw.Race`.
---@param operands table<integer|string, aiowire.Wireable>
---@return any ... the results of the first to finish, then its key
function aw.race(operands) end

--- Wait until one of several events commits. Awaits. See `aw.Select`.
---@param events table<integer|string, aiowire.Wire>
---@return integer|string key of the event that committed
---@return any ... its results
function aw.select(events) end

--- Run all operands to their ends, whether they fail or not. Awaits. See
--- `aw.Settle`.
---@param operands table<integer|string, aiowire.Wireable>
---@param opts? aiowire.LimitOptions
---@return table<integer|string, aiowire.Outcome> outcomes see `aw.Settle`
function aw.settle(operands, opts) end

--- Run all operands at the same time, and call `f` for each when it ends:
--- `f(key, true, results…)` or `f(key, false, err, info)`. Awaits.
---
--- The calls come in the order of the ends, one after the other, in this task.
--- `f` may await; the operands go on meanwhile. If `f` returns true or raises,
--- the remaining operands are cancelled; an error of `f` is then raised. All
--- operands have ended when this returns.
---
---     aw.each(pages, { limit = 4 }, function(name, ok, page)
---       print(name, ok and #page or "failed")
---     end)
---@param operands table<integer|string, aiowire.Wireable>
---@param opts aiowire.LimitOptions
---@param f fun(key: integer|string, ok: boolean, ...: any): true?
---@overload fun(operands: table, f: function)
function aw.each(operands, opts, f) end

--- Let all other ready tasks have one turn. Awaits [F1].
function aw.yield() end

--- Return the time on the clock of the running engine [L5, S6]. Needs no task.
---@return number seconds
function aw.now() end

--- Return the wall-clock time, as `os.time` does, but with fractions. Needs no
--- task. With a virtual clock this is the real time at first, and moves with
--- clock.
---@return number seconds
function aw.time() end

--- A local time of day. Fields below the largest given one are 0 if they are
--- missing; fields above it may have any value. `{ hour = 8 }` is 08:00:00,
--- `{ min = 30 }` is half past each hour, `{ sec = 0 }` is each full minute.
---@class aiowire.TimeOfDay
---@field hour? integer 0 to 23
---@field min? integer 0 to 59
---@field sec? integer 0 to 59

--- Wait for the next moment with this time of day, which is later than now.
--- Awaits.
---
--- The wait follows changes of the system's clock: at once on Linux, elsewhere
--- within a minute. If such a change skips the moment, the wait ends. Changes
--- to and from summer time are treated as cron does: a time that is skipped
--- comes right after the change, and a time that occurs twice counts once.
--- Without `hour`, the moment comes in each hour that passes.
---@param time aiowire.TimeOfDay
function aw.at(time) end

--- Run the whole chain of `wire` inside the running task, and return its
--- results [N6]. Awaits. Raises the error of the wire.
---@param wire aiowire.Wireable
---@return any ... its results
function aw.await(wire) end

--- Return the running task; nil outside of tasks and in handlers. Do not use
--- `coroutine.running()` for this: coroutines are reused.
---@return aiowire.Task?
function aw.current() end

--- Report that the wire of the running task is ready: the `start_ready` that
--- waits for it returns these values. In an operand of a join or a race this
--- reports for the whole join or race.
---
--- Raises at the second call. Does nothing in a task that was not started by
--- `start_ready`.
---@param ... any
function aw.ready(...) end

--- Values of the running task, under any keys, such as the number of the
--- request that each line of a log should show.
---
--- A task inherits the values that its starter has at the moment of the start.
--- So do children, operands, spin-offs and tasks of other loops. A later change
--- in one task is not seen in the other, but values that are tables are shared,
--- not copied. In a handler, aw.locals has the values of the failed task.
--- Outside of tasks there is one table, for everything that is started there.
--- `pairs` works.
---@type table<any, any>
aw.locals = {}

--- Return when the nearest time limit of the running task expires, on the clock
--- of `aw.now()`; for example to pass it on to a server.
---
--- Limits are those of aw.timeout, of scopes, of `w:timeout`, of `within` in a
--- retry, also around the tasks above this one, and the time-out of the loop. A
--- shield hides the limits outside of it as long as it hides cancels [C7].
---
--- Returns the current time for a cancelled task. Returns nil if there is no
--- limit, and outside of tasks.
---@return number? time seconds
function aw.deadline() end

--- Move the nearest time limit of the running task, later or sooner: the limit
--- expires `seconds` from now. Raises if there is no limit, or if the task is
--- cancelled.
---@param seconds number finite, not negative
function aw.extend(seconds) end

--- Options of a scope.
---@class aiowire.ScopeOptions
---@field timeout? number seconds, after which the scope is cancelled
---@field name? string reserved; nothing shows it yet
---@field grace? number seconds for its cancels; default: the loop's

--- Call `f(s)` in a scope of its own, and return when `f` and all children that
--- were started by `s:start` have ended [S1, S2]. Awaits.
---
--- An error of `f`, or of a child without a handler, cancels the scope and is
--- then raised [S3]. It is no error if the scope's time-out or `s:cancel` cut
--- the scope short: then the results are nil, "cancelled", reason. A cancel
--- from outside the scope is raised as Cancelled [C5].
---@overload fun(f: fun(s: aiowire.Scope): ...: any): ...: any
---@param opts aiowire.ScopeOptions
---@param f fun(s: aiowire.Scope): ...: any
---@return any ... f's results; or nil, "cancelled", reason
function aw.scope(opts, f) end

--- Call `f(...)` with a time limit, and return its results. Awaits. If `f`
--- takes longer than `seconds`, it is cancelled, and Timeout is raised after
--- its clean-up [O8].
---@param seconds number how long `f` may take
---@param f fun(...: any): ...: any
---@param ... any
---@return any ... f's results
function aw.timeout(seconds, f, ...) end

--- Call `f()` in a shield, for clean-up that awaits [C12]: cancels from outside
--- are hidden from it for at most `grace` seconds [C7]. A hidden cancel is
--- raised at the first await after the shield.
---@param f fun(): ...: any
---@param grace? number seconds; default: the loop's grace
---@return any ... f's results
function aw.shield(f, grace) end

--- Call `f(...)` as `pcall` does, but let Cancelled through [C13]. Lua's own
--- pcall catches Cancelled, and the next await raises it again.
---@param f fun(...: any): ...: any
---@param ... any
---@return boolean ok
---@return any ... f's results, or the error
function aw.pcall(f, ...) end

--- Make a generator, as coroutine.wrap does, in which `f` may also await [C11].
--- An await suspends the task; `coroutine.yield` suspends only the generator.
---@param f fun(...: any): ...: any
---@return fun(...: any): ...: any
function aw.wrap(f) end

--- Replace `coroutine.resume`, `wrap`, `yield` and `close`, and `require`, in
--- this Lua state, so that coroutines of your own may await [C11], and modules
--- while they are required [R16]. The program `aiowire` does this itself.
---
--- Call it before other code keeps these functions. A `require` that somebody
--- has replaced before stays as it is. A second call does nothing.
function aw.install() end

-- Readiness and signals -------------------------------------------------------

--- Wait until `src` is readable: a read would not block [Q3]. Awaits.
---
--- Readiness wakes all waiters of a source. When the later ones run, the data
--- may already be taken. Raises a SystemError that names the call and the
--- source, and Closed for an object that says it is closed.
---
--- Do not close a descriptor that has waiters. You may close it right after the
--- wait, even if a child or a duplicate keeps its file open.
---@param src aiowire.Source
function aw.readable(src) end

--- Wait until `src` is writable: a write would not block. Awaits. Otherwise as
--- `aw.readable`.
---@param src aiowire.Source
function aw.writable(src) end

--- Wait for the next arrival of a signal: "INT", "HUP", "USR1" and so on [H5].
--- Awaits.
---
--- From the first wait to the end of the loop, the signal only ends waits, and
--- it is not blocked in this thread. Arrivals between two waits count as one,
--- and end the next wait at once. There is one exception: an INT or TERM (in
--- the program also a HUP) stops the run as usual if it arrives while an
--- earlier one is undelivered and no task waits for it [L2].
---@param name string with or without "SIG"
function aw.signal(name) end

-- Channels, events, semaphores, rates ----------------------------------------

--- A channel hands values from task to task, first come, first served [H1, F5].
--- Any value can be sent, nil included. A channel keeps its values alive.
---
--- A cancelled wait has sent or received nothing. Once a send and a receive
--- have met, the value arrives, and a cancel is raised at the next await [C6].
--- A channel belongs to the engine whose task waits on it first, so tasks of a
--- loop with a clock or seed of its own cannot share it with other tasks [S6].
---
--- `tostring(ch)` is like `channel jobs (2 of 4, 1 waiting)`.
--- `local ch <close>` closes the channel; closing it again does nothing.
---@class aiowire.Channel
local Channel = {}

--- Make a channel.
---@param capacity? number how many values it can hold. 0, the default: each
--- sender waits for its receiver (a rendezvous). math.huge: no sender waits
---@param opts? { name?: string } for labels; default: "file:line" of this call
---@return aiowire.Channel
function aw.channel(capacity, opts) end

--- Send a value. Awaits while the channel is full. Raises Closed if the channel
--- is closed, also during the wait; then the value was not sent.
---@param value any
function Channel:send(value) end

--- Receive a value. Awaits while there is none. Returns nil and "closed" when
--- the channel is closed and its last value has been received.
---@return any value
---@return "closed"? why
function Channel:recv() end

--- Send without waiting. Needs no task. Raises Closed.
---@param value any
---@return boolean sent
---@return "full"? why it was not sent
function Channel:try_send(value) end

--- Receive without waiting. Needs no task.
---@return any value
---@return "empty"|"closed"|nil why there is no value
function Channel:try_recv() end

--- Close the channel. Receivers get the values that are left, then nil and
--- "closed". Waiting and later senders raise Closed.
function Channel:close() end

--- Iterate over the values: `for v in ch:iter() do` receives until the channel
--- is closed and empty. The iterator raises for a nil, which would end the
--- `for`.
---@return fun(ch: aiowire.Channel): any
---@return aiowire.Channel
function Channel:iter() end

--- A broadcast gives each value to all of its subscribers. Each subscriber
--- receives at its own pace. The policy says what a send does when a subscriber
--- already holds `bound` values:
---
---   * "wait", the default: the send waits until all subscribers have room, and
---     then gives the value to all of them at once. A cancelled send has given
---     it to none. Senders take turns, so all subscribers see the same order.
---   * "drop": the subscriber loses its oldest value; `dropped` counts these.
---   * "close": the subscriber is closed, and gets the values that are left.
---
--- A subscriber gets the values that are sent after `subscribe`. A subscriber
--- that is closed or collected delays no sender. `local b <close>` closes the
--- broadcast.
---@class aiowire.Broadcast
local Broadcast = {}

--- Make a broadcast.
---@param bound? number how many values each subscriber can hold; default 16;
---  math.huge: no bound
---@param policy? "wait"|"drop"|"close"
---@param opts? { name?: string } for labels; default: "file:line" of this call
---@return aiowire.Broadcast
function aw.broadcast(bound, policy, opts) end

--- Send a value to all subscribers. Awaits. Raises Closed if the broadcast is
--- closed, also during the wait; then no subscriber got the value.
---@param value any
function Broadcast:send(value) end

--- Send without waiting, to all subscribers or to none. Needs no task. Raises
--- Closed.
---@param value any
---@return boolean sent
---@return "full"? why it was not sent: a subscriber is full, or a sender waits
function Broadcast:try_send(value) end

--- Make a subscriber, which gets the values that are sent from now on. If the
--- broadcast is closed, it gets none.
---@return aiowire.Subscription
function Broadcast:subscribe() end

--- Close the broadcast. Subscribers get the values that are left, then nil and
--- "closed". Waiting and later senders raise Closed.
function Broadcast:close() end

--- A subscriber of a broadcast. It receives as a channel does; `aw.Recv(sub)`
--- is the event. Tasks that receive from the same subscriber share its values.
--- `local sub <close>` closes it.
---@class aiowire.Subscription
---@field dropped integer number of values that it has lost, with "drop"
local Subscription = {}

--- Receive a value. Awaits while there is none. At the end: nil and "closed".
---@return any value
---@return "closed"? why
function Subscription:recv() end

--- Receive without waiting. Needs no task.
---@return any value
---@return "empty"|"closed"|nil why there is no value
function Subscription:try_recv() end

--- Iterate over the values, as Channel:iter does: `for v in sub:iter() do`.
---@return fun(sub: aiowire.Subscription): any
---@return aiowire.Subscription
function Subscription:iter() end

--- Close the subscriber: it gets no further values than those that are left.
function Subscription:close() end

--- An event object is set or not set; tasks wait until it is set.
---@class aiowire.Event
local Event = {}

--- Make an event object that is not set.
---@param opts? { name?: string } for labels; default: "file:line" of this call
---@return aiowire.Event
function aw.event(opts) end

--- Set the event object. All waiting tasks go on, even if it is cleared before
--- their turn.
function Event:set() end

--- Clear the event object. Later waits last until the next `set`.
function Event:clear() end

--- Tell whether the event object is set. Needs no task.
---@return boolean
function Event:is_set() end

--- Wait until the event object is set. Awaits. Returns at once if it is set.
function Event:wait() end

--- A semaphore has a number of permits. A task that finds no free permit waits,
--- first come, first served.
---@class aiowire.Semaphore
local Semaphore = {}

--- A permit of a semaphore. `local permit <close> = sem:acquire()` gives it
--- back when the block is left.
---@class aiowire.Permit

--- Make a semaphore.
---@param permits integer how many permits are free at first
---@param opts? { max?: integer, name?: string } `max`: giving back a permit
--- raises if so many are free; default: no bound
---@return aiowire.Semaphore
function aw.semaphore(permits, opts) end

--- Acquire a permit. Awaits while none is free.
---@return aiowire.Permit
function Semaphore:acquire() end

--- Acquire a permit if one is free. Needs no task.
---@return aiowire.Permit?
function Semaphore:try_acquire() end

--- Give a permit back; the first waiting task gets it. Do not call it for a
--- permit that `<close>` has given back. Raises if `max` permits are free
--- already.
function Semaphore:release() end

--- A rate limits how many units tasks can acquire in any span of `per` seconds:
--- units acquired at t count until t + per, on the clock of the engine that
--- uses the rate [S6]. First come, first served. A cancelled wait has acquired
--- nothing.
---
--- `tostring(rate)` is like `rate api (2 of 10 in 1 s, 1 waiting)`.
---@class aiowire.Rate
local Rate = {}

--- Make a rate. Another engine may take the rate over while no loop of the
--- rate's engine runs; then the rate starts counting anew.
---@param n integer units in any span of `per` seconds
---@param per number seconds
---@param opts? { name?: string } for labels; default: "file:line" of this call
---@return aiowire.Rate
function aw.rate(n, per, opts) end

--- Acquire `units`. Awaits until they are free. Raises for more than n units.
---@param units? integer default 1
function Rate:acquire(units) end

--- Acquire `units` if they are free and no task waits. Needs no task.
---@param units? integer default 1
---@return boolean taken
function Rate:try_acquire(units) end

-- Threads ---------------------------------------------------------------------

--- A worker: a thread with a Lua state and an engine of its own. Closing it,
--- the collector, or the end of this Lua state cancels the worker.
---@class aiowire.Thread
--- "lost": this is a forked process, and the worker belongs to its parent
---@field status "running"|"done"|"failed"|"cancelled"|"lost"
---@field name string the file, or "file:line" of the function
---@field id integer counts all workers of the process
local Thread = {}

--- Start a worker. It calls the function, or the chunk of the file, as the root
--- task of its own loop, and runs the Wire or Poller that this returns. The
--- function and its arguments are copied: see docs/threads.md. Does not await.
---
--- Raises a SystemError if the file cannot be read, or if there are no more
--- threads; an error for a file with a wrong syntax, and for what cannot be
--- copied.
---@param body function|string a function, or the name of a file
---@param ... any arguments
---@return aiowire.Thread
function aw.thread(body, ...) end

--- Wait for the end of the worker. Each call returns copies. Raises the
--- worker's error, whose info has the worker's traceback; a TaskCancelled if it
--- was cancelled; and an error for a status other than 0 that it gave to
--- os.exit. A cancel ends the wait, not the worker.
---@return any ... results of the worker
function Thread:wait() end

--- Send a copy of a value to the worker, which receives it from aw.parent.
--- Awaits while 16 messages are under way. Raises Closed if the worker has
--- ended or receives no more.
---@param value any
function Thread:send(value) end

--- Receive a value that the worker has sent to aw.parent. Returns nil and
--- "closed" when the worker has ended and its last message was received.
---@return any value
---@return "closed"? why
function Thread:recv() end

--- Send without waiting. Needs no task. Raises Closed.
---@param value any
---@return boolean sent
---@return "full"? why it was not sent
function Thread:try_send(value) end

--- Receive without waiting. Needs no task.
---@return any value
---@return "empty"|"closed"|nil why there is no value
function Thread:try_recv() end

--- Iterate over what the worker sends: `for v in t:iter() do`. The iterator
--- raises for a nil, which would end the `for`.
---@return fun(t: aiowire.Thread): any
---@return aiowire.Thread
function Thread:iter() end

--- Close the direction to the worker. It receives the messages that are queued,
--- then nil and "closed".
function Thread:shutdown() end

--- Cancel the worker, with clean-up: its loop is stopped. A body that is busy
--- is interrupted. Does not wait.
function Thread:cancel() end

--- Cancel the worker, and wait for its end, at most as long as the clean-up of
--- this task may take. Outside of tasks it blocks, for at most 2 s.
function Thread:close() end

--- The other end of a Thread, in its worker. The methods are as those of a
--- Thread; `close` ends both directions, and the worker goes on.
---@class aiowire.Parent
---@field send fun(self: aiowire.Parent, value: any) as Thread:send. Awaits
---@field recv fun(self: aiowire.Parent): any, "closed"? as Thread:recv. Awaits
--- as Thread:try_send
---@field try_send fun(self: aiowire.Parent, value: any): boolean, "full"?
--- as Thread:try_recv
---@field try_recv fun(self: aiowire.Parent): any, "empty"|"closed"|nil
---@field iter fun(self: aiowire.Parent): fun(): any as Thread:iter
---@field shutdown fun(self: aiowire.Parent) as Thread:shutdown
---@field close fun(self: aiowire.Parent) send and receive no more

--- In a worker: the end that it shares with the one that started it. nil in the
--- main program.
---@type aiowire.Parent?
aw.parent = nil

--- A pool of workers for jobs. Closing it, the collector or the end of this Lua
--- state cancels its jobs and ends its workers.
---@class aiowire.Pool
local Pool = {}

--- Make a pool. Its workers are made when jobs need them, at most `n`. Each job
--- is a call of the function, or of the chunk of the file, in one of them. The
--- function is copied: see docs/threads.md. Does not await.
---
--- Raises a SystemError if the file cannot be read; an error for a file with a
--- wrong syntax, and for a function that cannot be copied.
---@param n? integer workers, 1 to 1024; default: one for each processor
---@param body function|string a function, or the name of a file
---@return aiowire.Pool
function aw.pool(n, body) end

--- Call the function of the pool in a worker, with copies of the arguments, and
--- return copies of its results. Awaits. Raises the error of the function,
--- whose info has the traceback from the worker; an error if the worker has
--- crashed; Closed; and a SystemError if no worker can be made.
---@param ... any arguments
---@return any ... results
function Pool:call(...) end

--- The wire of such a call. Copies the arguments at once.
---@param ... any arguments
---@return aiowire.Wire
function Pool:Call(...) end

--- Cancel all jobs, whose calls raise Closed, and end the workers. Awaits their
--- ends in a shield; outside of tasks it blocks, for 2 s at most. Closing again
--- is fine.
function Pool:close() end

-- Streams ---------------------------------------------------------------------

--- A stream of bytes from or to a descriptor. It reads as a Lua file does; the
--- end of the file is nil. All functions that read or write await.
---
--- Several tasks may read the same stream. Each read takes everything that it
--- asked for at once, so each task gets whole lines. After `close` every use
--- raises Closed, and so do waits under way.
---@class aiowire.Stream
local Stream = {}

--- Read by formats, as Lua files do. Awaits. "l" (default): a line. "L": a line
--- with its end. "a": everything that is left. A number: that many bytes, or
--- fewer at the end.
---
--- A cancelled read takes nothing: received data stays in the stream [C10].
--- Raises a SystemError; its code is EMSGSIZE for a line over `max_line`.
---@param ... "l"|"L"|"a"|integer
---@return string? ... one for each format, up to the first nil
function Stream:read(...) end

--- Read the data that is there: at least one byte; nil at the end. Awaits while
--- there is none.
---@param max? integer bytes at most
---@return string?
function Stream:read_some(max) end

--- Read up to `delimiter`, which is consumed and not returned; at the end of
--- the stream the rest, then nil. Awaits. A SystemError EMSGSIZE, with nothing
--- consumed, if the text is longer than `max` bytes (default: `max_line`).
---@param delimiter string at least one byte
---@param max? integer bytes at most, without the delimiter
---@return string?
function Stream:read_until(delimiter, max) end

--- Iterate over lines, `for line in stream:lines() do`, or over other formats
--- of `read`. The stream is not closed at its end.
---@param ... "l"|"L"|"a"|integer
---@return fun(): string?, ...
function Stream:lines(...) end

--- Write strings and numbers, in this order and without others in between.
--- Awaits while more than `high_water` bytes are queued.
---
--- If a write of more than `high_water` bytes is cancelled half way, the stream
--- is broken, unless it is a file [C10, W23].
---@param ... string|number
---@return aiowire.Stream self
function Stream:write(...) end

--- Wait until everything that was written is with the kernel. Awaits. Raises
--- what a write could not tell [W23]. For aw.stdout that includes what `print`
--- and `io.write` have buffered.
---@return aiowire.Stream self
function Stream:flush() end

--- Wait until everything is sent, then let the other side read the end of the
--- file. Awaits.
---
--- On a terminal this types its end-of-file character (Ctrl-D), which a program
--- that reads lines takes for the end; close() does so, too.
function Stream:shutdown() end

--- Close the stream. Queued data is still sent while the loop runs; call
--- shutdown() to wait for that. Closing again does nothing.
---
--- For a file, awaits in a shield until everything is written, and raises the
--- error of a write that no call has raised yet [W28].
function Stream:close() end

--- Move the position in a file, as `seek` of Lua's files does, and return it
--- in bytes from the begin. Awaits what was written. Other streams raise
--- ESPIPE.
---@param whence? "set"|"cur"|"end" default "cur"
---@param offset? integer default 0
---@return integer position
function Stream:seek(whence, offset) end

--- Wait until everything that was written to the file is on the disk. Awaits.
--- Raises what a write could not tell [W23]; EINVAL for other streams.
---@return aiowire.Stream self
function Stream:sync() end

--- Change limits, in bytes: of a line (1 MiB), of the queue of writes (256
--- KiB; 1 MiB for a file), and of the result of read "a" (none). A socket also
--- has `nodelay` (true: small writes are sent at once) and `keepalive` (true,
--- or the seconds of silence before the first probe); other streams refuse
--- these two.
---@param options {max_line?: number, high_water?: number, max_output?: number,
---  nodelay?: boolean, keepalive?: boolean|number}
---@return aiowire.Stream self
function Stream:configure(options) end

--- Return the address of the other side of a socket: host and port, or the
--- path of a unix socket, which is "" if it has none.
---@return string host_or_path
---@return integer? port
function Stream:peer() end

--- Return the address of this side of a socket, as peer() does.
---@return string host_or_path
---@return integer? port
function Stream:name() end

--- Return the descriptor, for a Poller.
---@return integer
function Stream:getfd() end

--- Tell whether the stream has read data ahead of its readers [Q6].
---@return boolean
function Stream:dirty() end

--- Begin TLS on a connection, as protocols with STARTTLS ask for. Awaits the
--- handshake. This is the client's side, unless the options say `server`.
---
--- A client that verifies needs `host`. Earlier writes are sent first. Bytes
--- that came before, and that nobody has read, count as TLS: so plain text that
--- an attacker adds there fails the handshake.
---
--- Raises for a stream that is no socket, has TLS already, or is shut down.
--- Raises a TLSError if the handshake fails, and a SystemError with the call
--- "handshake" if the system fails, or ETIMEDOUT. Close the stream then.
---@param options? aiowire.StarttlsOptions
---@return aiowire.Stream self
function Stream:starttls(options) end

--- Make the TLS handshake now, and not at the first read or write. Awaits its
--- end. Returns at once if it is over. Raises as `starttls` does, and for a
--- stream without TLS.
---@return aiowire.Stream self
function Stream:handshake() end

--- Return the state of TLS on the stream; nil for a stream without TLS.
---@return aiowire.TlsState?
function Stream:tls() end

--- The state of TLS on a stream. The first two fields are there before the
--- handshake is over.
---@class aiowire.TlsState
---@field established boolean the handshake is over
---@field server boolean this is the server's side
---@field verified boolean? the certificate of the peer was checked
---@field version string? "TLSv1.3" or "TLSv1.2"
---@field cipher string? such as "TLS_AES_256_GCM_SHA384"
---@field alpn string? the protocol that both sides have agreed on
---@field host string? the name that the client has sent (SNI)
---@field resumed boolean? an earlier session is continued
---@field certificate aiowire.Certificate? of the peer, if it has shown one

--- A certificate.
---@class aiowire.Certificate
---@field subject string such as "CN = example.org"
---@field issuer string the subject of the authority that has signed it
---@field serial string hexadecimal
---@field not_before number seconds since 1970
---@field not_after number seconds since 1970
---@field names string[] host names and addresses that it is for
---@field sha256 string the fingerprint, hexadecimal
---@field pem string all of it, in PEM

--- Copy bytes from one stream to another, to the end of `from` or for at most
--- `limit` bytes. Awaits. No Lua strings are made; `to` is not shut down. As a
--- wire: `aw.Call(aw.copy, from, to)`.
---
--- The bytes that are queued in `to` are sent first. A cancelled copy loses
--- nothing: bytes that were read and not written stay in `from` [X7]. Raises a
--- SystemError about the stream that failed.
---@param from aiowire.Stream
---@param to aiowire.Stream may be the same, for an echo, unless it is a file
---@param limit? integer bytes at most; default: no limit
---@return integer bytes
function aw.copy(from, to, limit) end

--- The standard streams of the program. They stay open, and blocking for other
--- users. Do not read `io.stdin` at the same time as aw.stdin.
---
--- Output of `print`, `io.write` and `aw.stdout` arrives in the order in which
--- it was written; the same holds for `io.stderr` and `aw.stderr`, and for a
--- child that inherits them. For that, a write of a stream first writes the
--- buffer of Lua's file, and awaits until the kernel has everything. While the
--- write waits for a slow reader, other tasks run: their prints come between
--- its lines, and so may prints after a write that was cancelled. A line of
--- more than 4096 bytes may be split.
---@type aiowire.Stream
aw.stdin = nil
--- Standard output; see `aw.stdin`.
---@type aiowire.Stream
aw.stdout = nil
--- Standard error; see `aw.stdin`.
---@type aiowire.Stream
aw.stderr = nil

-- Files -----------------------------------------------------------------------

--- Files. Threads do the work, so no task is blocked; each function awaits. As
--- a wire: `aw.Call(aw.fs.read, path)`. A path is a string without a zero byte.
--- Failures are SystemErrors about the path, with `code` such as `"ENOENT"`.
---
--- Cancelled, what had no effect is forgotten at once; a change that is under
--- way is undone, or finished and told [W3]. See docs/files.md.
aw.fs = {}

--- Return the content of a file, to the end that it has when it is reached. A
--- FIFO or a terminal is read to its end as a stream is.
---@param path string
---@return string
function aw.fs.read(path) end

--- Options of `aw.fs.write`.
---@class aiowire.WriteOptions
--- the file has its old content or all of the new one, whatever happens, and
--- the new one is on the disk when the call returns; keeps the mode, follows
--- links
---@field atomic? boolean

--- Replace the content of a file; make the file if it is missing.
---@param path string
---@param data string|number
---@param opts? aiowire.WriteOptions
function aw.fs.write(path, data, opts) end

--- Add to the end of a file; make the file if it is missing.
---@param path string
---@param data string|number
function aw.fs.append(path, data) end

--- Copy the content of a file. A new file gets the mode of `from`, too; a file
--- that is there keeps its own.
---@param from string
---@param to string
function aw.fs.copy(from, to) end

--- Kinds of files.
---@alias aiowire.FileType
---| "file"
---| "directory"
---| "link"
---| "fifo"
---| "socket"
---| "char"
---| "block"
---| "unknown"

--- What `aw.fs.stat` tells.
---@class aiowire.FileStat
---@field size integer in bytes
---@field type aiowire.FileType what kind of file it is
---@field mode integer the permission bits, as 420 for 0644
---@field mtime number last change of the content, as aw.time() tells time
---@field atime number last read
---@field ctime number last change of content, mode, owner or links
---@field uid integer the number of the owner
---@field gid integer the number of the group
---@field nlink integer hard links
---@field ino integer the number of the inode
---@field dev integer the number of the disk

--- Options of `aw.fs.stat`.
---@class aiowire.StatOptions
---@field follow? boolean follow a link; default true

--- Tell what a file is.
---@param path string
---@param opts? aiowire.StatOptions
---@return aiowire.FileStat
function aw.fs.stat(path, opts) end

--- An entry of a folder.
---@class aiowire.FolderEntry
---@field name string without the folder
---@field type aiowire.FileType of the entry itself: a link is a "link"

--- List a folder, without "." and "..", in the order of the bytes of the names.
---@param path string
---@return aiowire.FolderEntry[]
function aw.fs.scandir(path) end

--- Options of `aw.fs.mkdir`.
---@class aiowire.MkdirOptions
--- make the folders above, too, and accept one that is there; default false
---@field parents? boolean

--- Make a folder. If one of `parents` cannot be made, those above it stay.
---@param path string
---@param opts? aiowire.MkdirOptions
function aw.fs.mkdir(path, opts) end

--- Remove a file or a link. A folder is EISDIR.
---@param path string
function aw.fs.unlink(path) end

--- Remove a folder that is empty; else it is ENOTEMPTY. A file is ENOTDIR.
---@param path string
function aw.fs.rmdir(path) end

--- Give a file or a folder another path on the same disk; a file that is there
--- is replaced at once.
---@param from string
---@param to string
function aw.fs.rename(from, to) end

--- Make a file that only its owner may use, with a name of its own in `$TMPDIR`
--- or /tmp. It stays until it is removed: `aw.fs.unlink(path)`.
---@return aiowire.Stream stream for reading and writing
---@return string path
function aw.fs.tempfile() end

--- Return the paths that match a pattern, in the order of their bytes. It may
--- have `*`, `?`, `[a-z]`, `[!a-z]`, `{a,b}`, `\x` for x itself, and `**` for
--- any number of folders. A name that begins with `.` is matched by a `.` only.
---@param pattern string
---@return string[]
function aw.fs.glob(pattern) end

--- Open a FIFO, a terminal, a device or a file as a stream, with the modes of
--- `io.open`. Awaits: an open of a FIFO that only writes waits for a reader.
--- The reader of a FIFO gets the end when the last writer has gone, but not
--- before a first one has come.
---
--- Threads read and write regular files: ahead of the reads, and behind the
--- writes [W20, W22]. There is one position for both. Raises a SystemError
--- about the path.
---@param path string
---@param mode? "r"|"w"|"a"|"r+"|"w+"|"a+" default "r"; "b" may follow
---@return aiowire.Stream
function aw.fs.open(path, mode) end

--- What has happened to a file.
--- `what`: "change" of content or attributes; "rename": it came, went or was
--- replaced; "overflow": events are lost
---@class aiowire.FileEvent
---@field path string absolute
---@field what "change"|"rename"|"overflow" see above

--- Options of a watch.
---@class aiowire.WatchOptions
---@field recursive? boolean watch all folders below, too; then the call awaits

--- Watch a file or a folder from now on [W30]. A watch of a folder tells what
--- happens to its entries. A watch goes on when the file is replaced, as
--- editors do, or removed and made again [W31]. Awaits if it is recursive.
---
---     for event in aw.fs.watch("src"):iter() do
---       print(event.what, event.path)
---     end
---
--- Raises a SystemError about the path; ENOSPC and EMFILE name the setting of
--- the system to raise.
---@param path string symbolic links in it are followed
---@param options? aiowire.WatchOptions
---@return aiowire.FileWatch
function aw.fs.watch(path, options) end

--- A watch of a file or folder. The kernel keeps what nobody has received, up
--- to a limit; then one event `"overflow"` tells that some are lost [W34].
---@class aiowire.FileWatch
---@field path string absolute
local FileWatch = {}

--- Receive the next event. Awaits. The event is `aw.Recv(w)`.
---@return aiowire.FileEvent? event
---@return "closed"? why there is none
function FileWatch:recv() end

--- Iterate over the events: `for e in w:iter() do` receives until the watch is
--- closed.
---@return fun(w: aiowire.FileWatch): aiowire.FileEvent? recv
---@return aiowire.FileWatch
function FileWatch:iter() end

--- Close the watch: waiting tasks receive nil and "closed". Closing again does
--- nothing.
function FileWatch:close() end

-- Processes -------------------------------------------------------------------

--- How a process ended. Either `code` or `signal` is set. With `lost` neither
--- is set: another part of the program has reaped the process, or the kernel
--- has, because SIGCHLD is ignored.
---@class aiowire.Ended
---@field ok boolean the process ended with the code 0
---@field code? integer of its exit
---@field signal? integer the number of the signal that ended it
---@field lost? boolean true: how it ended is not known

--- A child process. Closing it ends and reaps it: by `close`, by `<close>`, or,
--- as a last resort, when it is collected (its streams keep it alive). A
--- detached process is not ended, only reaped when it ends.
---@class aiowire.Process
---@field pid integer its number in the system
--- the other end of a pipe or terminal, else nil, as for the other two
---@field stdin aiowire.Stream?
---@field stdout aiowire.Stream? for reading
---@field stderr aiowire.Stream? for reading
local Process = {}

--- Wait until the process has ended. Awaits. Its streams may still have data
--- that it wrote. For a detached process that has outlived the loop's engine
--- the result is `lost`.
---@return aiowire.Ended
function Process:wait() end

--- Send a signal to the process, or with the option `group` to its whole group,
--- even when the leader of the group has ended.
---@param signal? string|integer "KILL", "SIGKILL" or 9; default "TERM"
---@return boolean sent false: the process, and its group, have ended already
function Process:kill(signal) end

--- Close the streams of the process and end it, with its group if it has one:
--- by TERM, and by KILL after its grace.
---
--- In a task this awaits, in a shield, until the process is reaped; elsewhere
--- it is reaped later. A detached process gets no signal and is not waited for:
--- only its streams are closed, and wait() and kill() go on working.
function Process:close() end

--- A standard file for a child: a stream, a Lua file (which is flushed first),
--- or a descriptor. A stream passes to the child and is closed here, except
--- aw.stdin, aw.stdout and aw.stderr. A stream or a file is refused if it has
--- buffered data that the child would miss.
---@alias aiowire.Given aiowire.Stream|file*|integer

--- Options of aw.spawn. The array part is the command and its arguments; no
--- shell is involved. Unknown fields are errors.
---@class aiowire.SpawnOptions
---@field [integer] string|number the command, then its arguments
---@field cwd? string the folder to run in; default: that of this program
---@field env? table<string, string|number> its whole environment
---@field stdin? "pipe"|"inherit"|"null"|aiowire.Given default "pipe"
--- default "pipe"; another string is the path of a file (write "./pipe" for a
--- file named pipe)
---@field stdout? "pipe"|"inherit"|"null"|string|aiowire.Given
--- default "pipe"; "stdout": where stdout leads
---@field stderr? "pipe"|"inherit"|"null"|"stdout"|string|aiowire.Given
---@field append? boolean append to files that are given by path
--- run the program on a terminal of its own. Standard files that are not given
--- lead there; `stdin` and `stdout` (else `stderr`) are the other side of the
--- terminal
---@field pty? boolean
---@field rows? integer height of the terminal; default 24
---@field cols? integer width of the terminal; default 80
--- run the program in a session of its own, and do not end it with the Process,
--- the loop or this program. Give it files, not pipes
---@field detach? boolean
--- run the program in a group of its own. Signals go to the group, and closing
--- the Process ends the group. If the leader ends before, it stays a zombie, so
--- that its number is not used again
---@field group? boolean
--- seconds from TERM to KILL; default 2, at most half of the loop's grace
---@field grace? number
---@field max_line? number see Stream:configure()
---@field high_water? number see Stream:configure()
---@field max_output? number see Stream:configure()

--- Start a program, which inherits the descriptors 0, 1 and 2 only. Does not
--- await.
---
--- Raises a SystemError, whose `call` is "spawn", "chdir" for a bad `cwd`, or
--- "open" for a path. Raises Closed for a closed stream or file.
---@overload fun(command: string, ...: string|number): aiowire.Process
---@param options aiowire.SpawnOptions
---@return aiowire.Process
function aw.spawn(options) end

--- Options of aw.exec: those of aw.spawn, with these changes.
---@class aiowire.ExecOptions : aiowire.SpawnOptions
--- a text to feed; a stream to read from, which stays open; a Lua file; a
--- descriptor; "inherit"; or "null", the default (on a terminal of its own:
--- nothing, then its end)
---@field stdin? string|aiowire.Given
---@field detach? nil not for aw.exec, which waits for the end
---@field check? boolean raise if the program does not end with the code 0
--- bytes from each pipe; default 64 MiB. Above that the program is ended, and a
--- SystemError EMSGSIZE is raised
---@field max_output? number
--- seconds to wait, after its end, for pipes that other processes keep open;
--- then the result is what has arrived. Default: no limit
---@field drain? number

--- The result of a program. A text is nil for a file that is no pipe.
---@class aiowire.Result : aiowire.Ended
---@field out? string what it wrote to standard output
---@field err? string what it wrote to standard error

--- Run a program, read its pipes, and wait until the program and both pipes
--- have ended. Awaits. A cancel ends the program, as Process:close() does.
---
--- With `check`, a failure raises a ProcessFailed. A SystemError of its pipes,
--- such as EMSGSIZE, has the earlier output in `out` and `err`.
---@overload fun(command: string, ...: string|number): aiowire.Result
---@param options aiowire.ExecOptions
---@return aiowire.Result
function aw.exec(options) end

--- Run a program as `aw.exec` does; the wire ends with its result.
---@overload fun(command: string, ...: string|number): aiowire.Wire
---@param options aiowire.ExecOptions
---@return aiowire.Wire
function aw.Exec(options) end

--- Raised with the option `check` if a program does not end with the code 0, or
--- if one of a pipeline does not. `tostring` shows the end of its stderr.
---@class aiowire.ProcessFailed : aiowire.Result
---@field message string such as "command 'false' ended with code 1"
---@field where string? "file:line" of the call
---@field command string the program that failed
---@field codes? (integer|false)[] of a pipeline, see PipelineResult

--- A command of aw.pipeline: words, and its own values of some options of the
--- whole.
---@class aiowire.Command
---@field [integer] string|number the command, then its arguments
---@field cwd? string as the fields below: see SpawnOptions
---@field env? table<string, string|number> its whole environment
--- "stdout" leads to the next program, too
---@field stderr? "pipe"|"inherit"|"null"|"stdout"|string|aiowire.Given
---@field append? boolean to a file that is given by its path
---@field grace? number seconds from TERM to KILL
---@field group? boolean a group of its own
---@field high_water? number bytes, see Stream:configure()

--- Options of aw.pipeline. They mean what they mean for aw.exec.
---@class aiowire.PipelineOptions
---@field stdin? string|aiowire.Given of the first program
---@field stdout? "pipe"|"inherit"|"null"|string|aiowire.Given of the last
--- of all. Several programs share a path only with `append`, and no stream
---@field stderr? "pipe"|"inherit"|"null"|"stdout"|string|aiowire.Given
---@field append? boolean to files that are given by their paths
---@field check? boolean raise if any program does not end with the code 0
--- bytes of the output, and of the errors of each program
---@field max_output? number
--- seconds to wait for pipes after the end of the last program to end
---@field drain? number
---@field cwd? string of all, as the fields below
---@field env? table<string, string|number> the whole environment of each
---@field grace? number seconds from TERM to KILL
---@field group? boolean a group for each
---@field high_water? number bytes, see Stream:configure()

--- The result of a pipeline. `ok` is true if all codes are 0. `code`, `signal`
--- and `lost` are those of the last program; `err` has the errors of the first
--- program, then those of the second, and so on.
---@class aiowire.PipelineResult : aiowire.Result
--- the code of each program; 128 + n if signal n has ended it; false if it is
--- lost
---@field codes (integer|false)[]

--- Run programs at the same time, each of which reads the output of the one
--- before, and wait until all programs and pipes have ended. Awaits. A table at
--- the end that holds no word is the table of options. A cancel ends all
--- programs, as Process:close() does.
---
--- A program whose reader has ended dies of SIGPIPE, which is the code 141, as
--- in `yes | head -1`. If a program cannot be started, the others are ended.
--- With `check`, a failure raises a ProcessFailed with `codes`. Its `command`
--- is the first program that failed, if possible one that did not die of
--- SIGPIPE.
---@param first aiowire.Command
---@param ... aiowire.Command|aiowire.PipelineOptions
---@return aiowire.PipelineResult
function aw.pipeline(first, ...) end

-- Connections and names -------------------------------------------------------

--- Streams and servers over TCP.
aw.tcp = {}

--- Streams and servers over unix sockets.
aw.unix = {}

--- Options of a connection over a unix socket.
---@class aiowire.ConnectOptions
--- seconds for everything, the look-up included; raises Timeout
---@field timeout? number
---@field max_line? integer see Stream:configure
---@field high_water? integer bytes, see Stream:configure
---@field max_output? integer bytes, see Stream:configure
---@field nodelay? boolean TCP: send small writes at once; true by default
--- TCP: probe a silent peer, after that many seconds; false by default
---@field keepalive? boolean|number

--- Options of a connection over TCP.
---@class aiowire.TcpConnectOptions: aiowire.ConnectOptions
---@field local_host? string the address of this end, numeric
---@field local_port? integer the port of this end; any by default
---@field family? "inet"|"inet6" the only family to try

--- Connect to a TCP server. Awaits. A name is looked up as by `aw.dns.resolve`.
--- Several addresses are tried as RFC 8305 says: each next one after 250 ms, or
--- at once when the one before has failed; the first connection wins [X12].
---
--- A connect that is cut short, as by a cancel, a time-out or a race, leaves no
--- descriptor [X10]. `aw.Call(aw.tcp.connect, host, port)` is the wire, as in
--- `aw.Call(aw.tcp.connect, host, port):retry{times=3}`.
---
--- Raises a SystemError about the address, or about all addresses that were
--- tried [X13]; "EAI_NONAME" about a name that is not found.
---@param host string a name, or a number such as "127.0.0.1" or "fe80::1%eth0"
---@param port integer of the server
---@param opts? aiowire.TcpConnectOptions
---@return aiowire.Stream
function aw.tcp.connect(host, port, opts) end

--- Connect to a unix socket. Awaits, also while the server's backlog is full. A
--- path that begins with a zero byte is a name in Linux's abstract namespace.
--- Otherwise as `aw.tcp.connect`.
---@param path string at most 107 bytes
---@param opts? aiowire.ConnectOptions
---@return aiowire.Stream
function aw.unix.connect(path, opts) end

--- Names of hosts.
aw.dns = {}

--- An address of a host.
---@class aiowire.Address
---@field address string such as "127.0.0.1" or "fe80::1%eth0"
---@field family "inet"|"inet6" "inet" for IPv4, "inet6" for IPv6
---@field port integer that of the options; 0 by default

--- Options of a look-up.
---@class aiowire.ResolveOptions
---@field family? "inet"|"inet6" the only family to look for
---@field port? integer of the results

--- Return the addresses of a host, the best one first; at least one [X14].
--- Awaits, but for numbers and "localhost", which need no look-up [X11].
---
--- Raises a SystemError about the host: "EAI_NONAME" if it is not found.
---@param host string
---@param opts? aiowire.ResolveOptions
---@return aiowire.Address[]
function aw.dns.resolve(host, opts) end

--- Return the name of an address. Awaits. Raises a SystemError if it has none.
---@param address string a number, such as "127.0.0.1"
---@return string
function aw.dns.reverse(address) end

-- Servers ---------------------------------------------------------------------

--- Options of a server; the last five are those of its connections.
---@class aiowire.ListenOptions
---@field fd? integer a socket that listens already, instead of an address
---@field backlog? integer connections that wait to be accepted
---@field reuseport? boolean TCP: let other processes listen there, too
---@field ipv6only? boolean TCP: take no IPv4 on "::"
---@field mode? integer unix: permissions of the file, as tonumber("660", 8)
---@field max_line? number bytes, see Stream:configure()
---@field high_water? number bytes, see Stream:configure()
---@field max_output? number bytes, see Stream:configure()
---@field nodelay? boolean TCP: send small writes at once (the default)
---@field keepalive? boolean|number TCP: send probes, after so many seconds

--- Listen on a TCP port. Awaits only if `host` is a name, other than
--- "localhost".
---
--- Raises a SystemError about "host:port", such as EADDRINUSE.
---@param host? string|aiowire.ListenOptions nil, "" or "*": every address
---@param port? integer 0: any that is free; see Server:name
---@param options? aiowire.ListenOptions
---@return aiowire.Server
function aw.tcp.listen(host, port, options) end

--- Listen on a unix socket. A path that begins with a zero byte is a name in
--- Linux's abstract namespace.
---
--- The file of a dead socket is replaced. A live socket, or a file of another
--- kind, raises EADDRINUSE.
---@param path string|aiowire.ListenOptions
---@param options? aiowire.ListenOptions
---@return aiowire.Server
function aw.unix.listen(path, options) end

--- Make a wire that takes the next connection of a server; an event [X16]. Its
--- result is the Stream.
---@param server aiowire.Server
---@return aiowire.Wire
function aw.Accept(server) end

--- Make a wire that serves connections: each runs `body(ev, stream)` in a task
--- of its own, and its stream is closed at the end of that [X18].
---
--- The wire ends when the server is closed and all connections have ended. A
--- cancel of the wire lets connections go on until its grace is over [X19].
--- Without a handler, there is one warning for each place of a failure.
---@param server aiowire.Server
---@param body fun(ev: aiowire.EventLoop, s: aiowire.Stream): aiowire.Wireable?
---@param handler? aiowire.Handler called for a connection that has failed
---@param options? { max_connections?: integer }
---@return aiowire.Wire
function aw.Serve(server, body, handler, options) end

--- A socket that listens, from `aw.tcp.listen`, `aw.unix.listen` or
--- `aw.tls.listen`. A source for `aw.readable`, `aw.Recv` and a Poller.
--- `<close>` closes it.
---@class aiowire.Server
local Server = {}

--- Take the next connection. Awaits while there is none, and while there are no
--- descriptors [X17]. Raises Closed if the server is closed.
---@return aiowire.Stream
function Server:accept() end

--- Stop listening. Waits end with Closed, and connections that were not
--- accepted are reset. Connections that were accepted stay. Closing again does
--- nothing.
function Server:close() end

--- Return the address: host and port, or the path of a unix socket.
---@return string host_or_path
---@return integer? port
function Server:name() end

--- Return the descriptor, for a Poller.
---@return integer
function Server:getfd() end

--- Replace TLS options of a server of `aw.tls.listen`, such as its key and
--- certificate; those that are not given stay. All files are read again.
--- Connections that are accepted from now on use them. A failure raises and
--- changes nothing.
---@param options? aiowire.TlsServer
---@return aiowire.Server self
function Server:reload(options) end

-- TLS -------------------------------------------------------------------------

--- Streams and servers with TLS 1.2 or 1.3, by OpenSSL. They are those of
--- `aw.tcp`, with the same methods.
---
--- The first use loads OpenSSL 3, and raises an error if it is missing.
aw.tls = {}

--- Options of TLS for both sides. A file is in PEM; a text is the same in a
--- string, told from a path by "-----BEGIN" in it.
---@class aiowire.TlsOptions
--- the authorities that are trusted: a file, a folder with hashed names, a
--- text, or a list of these
---@field ca? string|string[]
--- file or text: lists of certificates that are revoked, which are refused
---@field crl? string
--- file or text: our certificate, and those of the authorities between it and
--- the root
---@field cert? string
---@field key? string file or text: the private key of the certificate
---@field password? string of an encrypted key
--- protocols for ALPN, such as {"h2", "http/1.1"}; the order of the server
--- decides
---@field alpn? string[]
--- seconds for the handshake; 10 by default, math.huge: no limit
---@field handshake_timeout? number

--- Options of TLS for a client. Without `ca`, those authorities are trusted
--- that the system trusts. SSL_CERT_FILE and SSL_CERT_DIR name others.
---@class aiowire.TlsClient : aiowire.TlsOptions
--- the name that the certificate must have, and that is sent to the server; by
--- default the host that is connected to
---@field host? string
--- false: check nothing. `tostring`, `ev:dump()` and `s:tls()` say so
---@field verify? boolean

--- Options of a connection with TLS.
---@class aiowire.TlsConnectOptions:aiowire.TlsClient, aiowire.TcpConnectOptions

--- Options of TLS for a server, which needs `cert` and `key`. With `ca`,
--- clients must show a certificate of these authorities.
---@class aiowire.TlsServer : aiowire.TlsOptions
--- with `ca`: clients may also show no certificate
---@field verify? "optional"
--- certificates by the name that the client asks for, as
--- {["a.example"] = {cert=, key=}}; "*.a.example" stands for one label
---@field hosts? table<string, {cert: string, key: string, password?: string}>

--- Options of a server with TLS, and of its connections.
---@class aiowire.TlsListenOptions : aiowire.TlsServer, aiowire.ListenOptions
---@field mode? nil for unix sockets only

--- Options of `s:starttls`: those of the client or of the server.
---@class aiowire.StarttlsOptions : aiowire.TlsClient, aiowire.TlsServer
---@field server? boolean this is the server's side

--- Connect to a TCP server, as `aw.tcp.connect` does, and await the TLS
--- handshake. The limit `timeout` counts for all of it.
---
--- The certificate of the server is checked: its authority, its dates and its
--- name. Sessions are resumed for the same host, port and options.
---
--- Raises what `aw.tcp.connect` raises, a TLSError, or a SystemError with the
--- call "handshake", such as ETIMEDOUT. A failure or a cancel leaves no
--- descriptor.
---@param host string a name, or a number such as "127.0.0.1"
---@param port integer of the server
---@param opts? aiowire.TlsConnectOptions
---@return aiowire.Stream
function aw.tls.connect(host, port, opts) end

--- Listen on a TCP port, for connections with TLS. Awaits only if `host` is a
--- name, other than "localhost".
---
--- `accept` and Serve do not await the handshake: it begins with the first read
--- or write of the connection, or with `s:handshake()`, and its failure is
--- raised there. The server goes on.
---
--- Raises a SystemError about "host:port", such as EADDRINUSE; a TLSError for a
--- certificate or a key that cannot be used.
---@param host? string|aiowire.TlsListenOptions nil, "" or "*": every address
---@param port? integer 0: any that is free; see Server:name
---@param options? aiowire.TlsListenOptions
---@return aiowire.Server
function aw.tls.listen(host, port, options) end

-- Datagrams -------------------------------------------------------------------

--- A UDP socket. `local u <close>` closes it; the collector does so at last. It
--- is a source for `aw.readable` and Poller, and for `aw.Recv` and `aw.Send`.
---@class aiowire.UdpSocket
local UdpSocket = {}

--- Receive one datagram. Awaits. The task that has waited longest is first; a
--- cancelled wait has taken nothing [X21].
---@param max? integer bytes to take, from 1 to 65535; default: all of them
---@return string data may be empty
---@return string host of the sender
---@return integer port of the sender
---@return boolean truncated the datagram was longer than `max`
function UdpSocket:recv(max) end

--- Send one datagram, whole or not at all. Awaits while the kernel has no room,
--- and for the address of a name. A connected socket takes no address, any
--- other needs one [X20]. Raises a SystemError, such as EMSGSIZE for a datagram
--- that is too long.
---@param data string
---@param host? string
---@param port? integer of the receiver
function UdpSocket:send(data, host, port) end

--- Also receive what is sent to a multicast group [X22].
---@param group string a numeric address, such as "239.1.2.3" or "ff02::1"
---@param interface? string its name, such as "eth0", or its IPv4 address
---@return aiowire.UdpSocket self
function UdpSocket:join(group, interface) end

--- Undo `join`.
---@param group string
---@param interface? string
---@return aiowire.UdpSocket self
function UdpSocket:leave(group, interface) end

--- Return the address of the socket.
---@return string host
---@return integer port
function UdpSocket:name() end

--- Return the address to which the socket is connected, or nil.
---@return string? host
---@return integer? port
function UdpSocket:peer() end

--- Close the socket. Its waits end with Closed; closing again does nothing.
function UdpSocket:close() end

--- Return the descriptor of the socket.
---@return integer
function UdpSocket:getfd() end

--- Options of a UDP socket that can change.
---@class aiowire.UdpChange
---@field broadcast? boolean allow sends to broadcast addresses; default false
---@field ttl? integer hops that a datagram may take, from 1 to 255
---@field loopback? boolean receive here what is sent to groups; default true
---@field interface? string name of the interface that multicast is sent by

--- Change options of the socket [X22].
---@param options aiowire.UdpChange
---@return aiowire.UdpSocket self
function UdpSocket:configure(options) end

--- Options of a new UDP socket.
---@class aiowire.UdpOptions : aiowire.UdpChange
--- the only family to use; default: that of the address
---@field family? "inet"|"inet6"
---@field reuseport? boolean several sockets share the port
---@field ipv6only? boolean a socket of IPv6 carries no IPv4; default false

--- Options of a UDP socket with a peer.
---@class aiowire.UdpConnectOptions : aiowire.UdpOptions
---@field local_host? string send from this address
---@field local_port? integer send from this port

--- Sockets for datagrams.
aw.udp = {}

--- Make a UDP socket on an address of this machine [X20]. Awaits only for a
--- name other than "localhost".
---@param host? string nil, "" or "*": any address
---@param port integer 0: any free one, see `name`
---@param options? aiowire.UdpOptions
---@return aiowire.UdpSocket
function aw.udp.bind(host, port, options) end

--- Make a UDP socket that talks to one peer only. Sends nothing yet. Awaits
--- only for a name other than "localhost".
---@param host string
---@param port integer of the peer
---@param options? aiowire.UdpConnectOptions
---@return aiowire.UdpSocket
function aw.udp.connect(host, port, options) end

-- LuaSocket's shape -----------------------------------------------------------

--- A socket with LuaSocket's methods, results and errors, whose calls await
--- [X40]; see docs/luasocket.md and LuaSocket's manual. A call that fails
--- returns nil and a text, such as "timeout" or "closed".
---@class aiowire.LuaSocket
---@field class string "tcp{master}", "tcp{client}", "udp{connected}", …
---@field accept fun(...: any): aiowire.LuaSocket?, string? the next connection
---@field bind fun(...: any): integer?, string? to an address and port
---@field close fun(...: any): integer 1
---@field connect fun(...: any): integer?, string? to a host and port
---@field dirty fun(...: any): boolean bytes have been read ahead
---@field getfamily fun(...: any): string "inet4" or "inet6"
---@field getfd fun(...: any): integer the descriptor
---@field getoption fun(...: any): any the value of an option, by its name
---@field getpeername fun(...: any): string?, any, string? address, port, family
---@field getsockname fun(...: any): string?, any, string? address, port, family
---@field getstats fun(...: any): integer, integer, number received, sent, age
---@field gettimeout fun(...: any): number?, number? of a call, and in all
---@field listen fun(...: any): integer?, string? with a backlog
---@field receive fun(...: any): string?, string?, string? a line, bytes, or all
---@field receivefrom fun(...: any): string?, string?, integer? and its sender
---@field send fun(...: any): integer?, string?, integer? index of the last byte
---@field sendto fun(...: any): integer?, string? a datagram, to a host and port
---@field setfd fun(...: any) takes a descriptor
---@field setoption fun(...: any): integer?, string? of a name, to a value
---@field setpeername fun(...: any): integer?, string? a host and port, or "*"
---@field setsockname fun(...: any): integer?, string? an address and port
---@field setstats fun(...: any): integer received, sent and age
---@field settimeout fun(...: any): integer seconds or nil, and "b" or "t"
---@field shutdown fun(...: any): integer?, string? "both", "send", "receive"

--- LuaSocket's `dns`. Awaits for names [X42].
---@class aiowire.LuaSocketDns
---@field toip fun(host: string): string?, table|string address, all of them
---@field tohostname fun(host: string): string?, table|string name, all of them
---@field getaddrinfo fun(host: string): table?, string? list of addresses
---@field getnameinfo fun(host?: string, port?: string): table?, string? names
---@field gethostname fun(): string?, string? the name of this machine

--- LuaSocket's module, whose sockets await: give its functions to libraries
--- that were written for LuaSocket, as
--- `socket.http.request{url=…, create=aw.socket.tcp}` [X40].
---@class aiowire.LuaSocketModule
---@field _VERSION string "LuaSocket 3.1.0 (aiowire …)"
---@field dns aiowire.LuaSocketDns names and addresses
---@field tcp fun(): aiowire.LuaSocket a socket for TCP
---@field tcp4 fun(): aiowire.LuaSocket?, string? the same, of IPv4
---@field tcp6 fun(): aiowire.LuaSocket?, string? the same, of IPv6
---@field udp fun(): aiowire.LuaSocket a socket for UDP
---@field udp4 fun(): aiowire.LuaSocket?, string? the same, of IPv4
---@field udp6 fun(): aiowire.LuaSocket?, string? the same, of IPv6
---@field unix any a function, and a table with `stream`; as "socket.unix"
---@field connect fun(...: any): aiowire.LuaSocket?, string? to a host and port
---@field connect4 fun(...: any): aiowire.LuaSocket?, string? by IPv4 only
---@field connect6 fun(...: any): aiowire.LuaSocket?, string? by IPv6 only
---@field bind fun(...: any): aiowire.LuaSocket?, string? a server
---@field select fun(...: any): table, table which can be read, and written
---@field gettime fun(): number the time of day in seconds
---@field sleep fun(seconds: number) awaits that time
---@field protect fun(f: function): function returns errors of `try`
---@field newtry fun(finalizer?: function): function a `try` that cleans up
---@field try fun(...: any): any raises its second argument if the first is nil
---@field source fun(...: any): any for ltn12
---@field sink fun(...: any): any for ltn12
---@field skip fun(count: integer, ...: any): any drops the first arguments
---@type aiowire.LuaSocketModule
aw.socket = nil

-- Pictures --------------------------------------------------------------------

--- Draw a wire, or a loop with its tasks, as text [D30]: for Mermaid, which
--- README files on GitHub and many editors show as a picture, or for Graphviz,
--- which is better for more than 50 nodes.
---
--- Nothing runs, and nothing changes. The same wire gives the same text.
---@param subject aiowire.Wireable|aiowire.EventLoop
---@param format? "mermaid"|"dot" default "mermaid"
---@return string picture
function aw.graph(subject, format) end

-- Telling errors apart --------------------------------------------------------

--- Tell whether `err` is a Cancelled: the cancel of the running task or scope.
---@param err any
---@return boolean
function aw.is_cancelled(err) end

--- Tell whether `err` is a Timeout: a time limit was over.
---@param err any
---@return boolean
function aw.is_timeout(err) end

--- Tell whether `err` is a TaskCancelled: the awaited task was cancelled.
---@param err any
---@return boolean
function aw.is_task_cancelled(err) end

--- Tell whether `err` is an UnhandledException: an error without a handler
--- ended `run`.
---@param err any
---@return boolean
function aw.is_unhandled(err) end

--- Tell whether `err` is a Closed: the object of a wait was closed.
---@param err any
---@return boolean
function aw.is_closed(err) end

--- Tell whether `err` is a SystemError: the operating system or libzmq reported
--- a failure.
---@param err any
---@return boolean
function aw.is_system_error(err) end

--- Tell whether `err` is a TLSError: TLS failed.
---@param err any
---@return boolean
function aw.is_tls_error(err) end

--- Tell whether `err` is a Deadlock: `run` ended because nothing could wake any
--- task.
---@param err any
---@return boolean
function aw.is_deadlock(err) end

-- Testing ---------------------------------------------------------------------

--- The clock that aw.test hands to its function. `advance` and `run_until` move
--- it; they await, and run everything that is due on the way, in order [K6].
---@class aiowire.Clock
local Clock = {}

--- Return the time on this clock.
---@return number seconds since the test began
function Clock:now() end

--- Move the clock by `dt` seconds. Awaits. Returns when everything that is due
--- until then, inclusive, has run.
---@param dt number seconds
function Clock:advance(dt) end

--- Move the clock to `time`, as `advance` does. Awaits.
---@param time number seconds on this clock
function Clock:run_until(time) end

--- Options of `aw.test`.
---@class aiowire.TestOptions
---@field seed? integer shuffles each round [F6]
--- real seconds that the test may take; default 2, or the value of
--- AIOWIRE_TEST_TIMEOUT
---@field limit? number

--- Call `f(ev, clock)` as the main task of a new loop with a virtual clock,
--- then run to their ends the tasks that it started [K6]. Errors of `f` are
--- raised unchanged, so assertions of a test framework work.
---
--- Fails if a task is left that can never end ("leaked task 3 'name' ...
--- started at file:line"), and, with a dump of all tasks, if the limit is over.
--- A body that is busy then is interrupted, as long as it is Lua code.
---@overload fun(f: fun(ev: aiowire.EventLoop, clock: aiowire.Clock): ...: any)
---@param opts aiowire.TestOptions
---@param f fun(ev: aiowire.EventLoop, clock: aiowire.Clock): ...: any
---@return any ... f's results
function aw.test(opts, f) end

--------------------------------------------------------------------------------
-- Event loops of other libraries
--------------------------------------------------------------------------------

--- What aw.Drive needs to know of an event loop. Each value may be a function
--- that returns it; the functions are called before each wait.
---@class aiowire.DriveOptions
--- the descriptor that is ready when the loop has something to do; nil: none
---@field fd? integer|fun(): integer?
---@field events? "r"|"w"|"rw"|fun(): string what `fd` must be; default "r"
--- seconds until the loop has something to do; 0: at once; nil: no time-out
---@field timeout? number|fun(): number?
--- lets the loop do what it can do without waiting; ends the Drive when it
--- returns true, and what follows that are the Drive's results
---@field step fun(): boolean?, ...: any

--- Run the event loop of another library as a wire [X31]: step it at once, and
--- then whenever its descriptor is ready or its time-out is over, until a step
--- returns true. Our engine waits in its place, so an idle loop costs nothing.
---
--- Other tasks may use the loop between its steps, as to set a timer of it:
--- before the engine blocks, `fd`, `events` and `timeout` are asked once more
--- [X32]. A cancel ends the wait, and leaves the loop as it is: another Drive
--- may go on with it. A loop cannot run in two Drives at the same time.
---
--- An error of a function fails the task. For cqueues and luv see `require
--- "aiowire.cqueues"` and `require "aiowire.luv"`.
---@param options aiowire.DriveOptions
---@return aiowire.Wire
function aw.Drive(options) end

--- The module that `require "aiowire.cqueues"` returns.
---@class aiowire.cqueues
local cqueues = {}

--- Run a controller of cqueues as a wire, until no coroutine of it is left
--- [X36]. It raises the error of a coroutine, with that coroutine's stack in
--- `info.traceback`; another Drive may go on without the coroutine.
---@param controller table|userdata `cqueues.new()`
---@return aiowire.Wire
function cqueues.Drive(controller) end

--- In a coroutine of cqueues that a Drive runs: call `f` in a task of ours, and
--- return what it returns. Only this coroutine waits. An error of `f` is raised
--- here. The task ends with the Drive. In a task, `f` is just called [X37].
---@param f fun(...): ...: any
---@param ... any its arguments
---@return any ...
function cqueues.await(f, ...) end

--- The module that `require "aiowire.luv"` returns. The call raises an error if
--- luv is missing.
---@class aiowire.luv
local luv = {}

--- Run luv's loop as a wire, until nothing in it is alive [X36]. It raises the
--- error of a callback, with its stack in `info.traceback`. Callbacks cannot
--- await; they may start tasks.
---@return aiowire.Wire
function luv.Drive() end

--------------------------------------------------------------------------------
-- ZeroMQ
--------------------------------------------------------------------------------

--- Sockets of ZeroMQ; also `require "aiowire.zmq"`.
---
--- The first socket, context or `version()` loads libzmq (4.3.3 or later), and
--- raises a SystemError ENOZMQ if libzmq is missing. Constants: the types
--- (`zmq.REP`), the options of libzmq in capitals (`zmq.LINGER`), `POLLIN` and
--- `POLLOUT`.
---@class aiowire.zmq
---@field options table[] each { name=, number=, readable=, writable= }
---@field [string] integer the constants
aw.zmq = {}

--- A type of socket, by its name in any case or by its number, such as
--- `zmq.REP`. The drafts "server", "client", "radio", "dish", "gather",
--- "scatter", "dgram" and "channel" need a libzmq that was built with them.
---@alias aiowire.zmq.Type
---| "pair"
---| "pub"
---| "sub"
---| "req"
---| "rep"
---| "dealer"
---| "router"
---| "pull"
---| "push"
---| "xpub"
---| "xsub"
---| "stream"
---| string # the same names in capitals, and drafts
---| integer

--- A socket. Each option of libzmq is a field, under its name in lower case.
--- Read and write it in libzmq's units (milliseconds), and flags as booleans.
--- These defaults differ from those of libzmq: `linger` 1000, `maxmsgsize` 64
--- MiB, `handshake_ivl` 5000, `heartbeat_ivl` 10000, `heartbeat_timeout` 30000.
---
--- Any number of tasks may use the same socket; the task that has waited
--- longest is served first [F5]. Closing a socket ends its waits with Closed.
--- Close it by `close`, by `local s <close>`, or with its context.
---@class aiowire.zmq.Socket
---@field closed boolean true after `close`
--- bound of the parts of a message, received or sent; default 1024
---@field max_parts integer
---@field hwm integer sets sndhwm and rcvhwm
--- ms; with 0, a message that is being sent still gets 10 ms
---@field linger integer
---@field identity string another name of routing_id
---@field last_endpoint string the address that was bound or connected last
--- keep only the newest message, whole; set it before bind and connect
---@field conflate boolean
--- a key, or the path of a key file; then it sets curve_publickey, too, unless
--- that is set
---@field curve_secretkey string
---@field curve_publickey string a key, or the path of a key file
---@field curve_serverkey string a key, or the path of a key file
---@field router_mandatory boolean a ROUTER raises for a peer that is gone
---@field [string] any each other option of libzmq
local Socket = {}

--- Bind the socket to an address: tcp://, ipc:// or inproc://. Awaits if its
--- host is a name other than "localhost" that is no interface.
---
--- Raises a SystemError; EADDRINUSE also for an ipc path whose server is alive.
--- An address that this program has just released is free within a millisecond
--- most times. The call waits for it, at most 1 s, and no other task runs
--- meanwhile.
---@param address string
---@return aiowire.zmq.Socket self
function Socket:bind(address) end

--- Connect the socket to an address. Its server need not be there yet. Returns
--- at once, also for the name of a host, which is looked up while a loop runs.
---@param address string
---@return aiowire.zmq.Socket self
function Socket:connect(address) end

--- Undo `bind` for an address.
---@param address string as last_endpoint had it
---@return aiowire.zmq.Socket self
function Socket:unbind(address) end

--- Undo `connect` for an address. Raises for an inproc name that nobody has
--- bound yet.
---@param address string
---@return aiowire.zmq.Socket self
function Socket:disconnect(address) end

--- Receive messages that begin with `prefix`, in a SUB socket.
---@param prefix string
---@return aiowire.zmq.Socket self
function Socket:subscribe(prefix) end

--- Undo `subscribe` for a prefix.
---@param prefix string
---@return aiowire.zmq.Socket self
function Socket:unsubscribe(prefix) end

--- Receive the messages of a group, in a DISH socket [M24]. Raises a
--- SystemError EINVAL if it has joined already.
---@param group string at most 255 bytes
---@return aiowire.zmq.Socket self
function Socket:join(group) end

--- Undo `join` for a group. Raises a SystemError EINVAL if it was not joined.
---@param group string
---@return aiowire.zmq.Socket self
function Socket:leave(group) end

--- Send a message of one or more parts, all of it or nothing. Awaits while it
--- cannot be sent, because there is no peer or all peers are full.
---
--- The first part of a ROUTER's message is the routing id of the peer; for a
--- peer that is gone it returns `false, "EHOSTUNREACH"`.
---@param part string|number
---@param ... string|number
---@return boolean sent
---@return string? why it was not sent
function Socket:send(part, ...) end

--- Send a message, as `send` does, with its parts in a list.
---@param parts (string|number)[]
---@return boolean sent
---@return string? why it was not sent
function Socket:send_multipart(parts) end

--- Receive a message, and return its parts. Awaits. A cancelled receive takes
--- no message [C6].
---@return string ...
function Socket:recv() end

--- Who has sent a message; the fields that are not known are nil.
---@class aiowire.zmq.Metadata
---@field user_id? string which the authenticator gave the sender
---@field address? string the sender's IP address
---@field socket_type? string as "DEALER"
---@field identity? string the sender's routing id

--- Receive a message, as `recv` does, and return its parts in a list.
---@param options? { meta: boolean } also return who has sent it
---@return string[] parts
---@return aiowire.zmq.Metadata? meta with `meta = true`
function Socket:recv_multipart(options) end

--- Wait until the socket is ready for one of `flags` (default "r"). Awaits.
---
--- Returns the bits POLLIN and POLLOUT for which the socket is ready; 0 when
--- `timeout` is over. With a `timeout` of 0 the call only looks, and needs no
--- task.
---@param flags? aiowire.PollFlags
---@param timeout? number seconds; default: no limit
---@return integer events
function Socket:poll(flags, timeout) end

--- Return a monitor: it tells what happens to the socket from now on. Make it
--- before bind and connect to miss nothing. A socket may have several.
---@param events? aiowire.zmq.EventName[] default: all
---@return aiowire.zmq.Monitor
function Socket:monitor(events) end

--- Wait until at least `n` peers have completed their handshake and are
--- connected, also if they came before the call. Awaits. Raises Timeout, and
--- Closed when the socket is closed.
---
--- To a peer that is counted messages can be sent. A PUB must wait for
--- subscriptions instead.
---@param n integer how many peers
---@param timeout? number seconds; default: no limit
---@return true
function Socket:wait_peers(n, timeout) end

--- Wait until somebody has subscribed to this PUB or XPUB [M5]. Awaits.
---
--- With `prefix`, wait until a message that begins with `prefix` would reach
--- somebody. A subscriber that came before the call counts. An XPUB still
--- receives its subscriptions. Raises Timeout; and an error where libzmq does
--- not tell who gets what: with `conflate`, with `xpub_manual`, for a prefix
--- with `invert_matching` [M6].
---@param prefix? string default: any subscription will do
---@param timeout? number seconds; default: no limit
---@return boolean there true
function Socket:wait_subscriber(prefix, timeout) end

--- Return an option, by its name in lower case or by its number.
---@param option string|integer
---@return string|integer|boolean value
function Socket:get(option) end

--- Set an option, by its name in lower case or by its number.
---@param option string|integer
---@param value string|integer|boolean|nil nil clears an option that is a text
function Socket:set(option, value) end

--- Close the socket. Messages that are not sent yet are sent for `linger` ms.
--- Closing again does nothing.
---@param linger? integer sets the option `linger` first
function Socket:close(linger) end

--- The events of a monitor, and what `value` is.
---@alias aiowire.zmq.EventName
---| "connected" # value: descriptor
---| "connect_delayed" # value: error
---| "connect_retried" # value: ms until the next try
---| "listening" # value: descriptor
---| "bind_failed" # value: error
---| "accepted" # value: descriptor
---| "accept_failed" # value: error
---| "closed" # value: descriptor
---| "close_failed" # value: error
---| "disconnected" # value: descriptor
---| "handshake_failed_no_detail" # value: error
---| "handshake_succeeded" # value: 0
---| "handshake_failed_protocol" # value: ZMQ_PROTOCOL_ERROR_...
---| "handshake_failed_auth" # value: the authenticator's status
---| "resolve_failed" # value: error; a host name could not be resolved

--- What a monitor receives.
---@class aiowire.zmq.MonitorEvent
---@field event aiowire.zmq.EventName what has happened
---@field address string of the socket or of its peer
---@field value integer see EventName
---@field error? string the name or meaning of a value that is an error

--- What happens to a socket. A monitor keeps 1,000 events that nobody has
--- received; after that each event drops the oldest one. It ends when its
--- socket is closed: after the events before that, its receives return nil and
--- "closed". A closed monitor does the same at once.
---@class aiowire.zmq.Monitor
---@field dropped integer number of events that were dropped
local Monitor = {}

--- Receive the next event. Awaits.
---@return aiowire.zmq.MonitorEvent? event
---@return "closed"? why there is none
function Monitor:recv() end

--- Iterate over the events: `for e in m:iter() do` receives until the socket or
--- the monitor is closed.
---@return fun(monitor: aiowire.zmq.Monitor): aiowire.zmq.MonitorEvent? recv
---@return aiowire.zmq.Monitor
function Monitor:iter() end

--- Close the monitor. Closing again does nothing.
function Monitor:close() end

--- The owner of sockets. Closing a context closes its sockets. Messages that
--- are left are then sent in the background; the end of the program waits at
--- most `patience` ms for them.
---@class aiowire.zmq.Context
local Context = {}

--- Make a socket in this context.
---@param type aiowire.zmq.Type
---@param options? table<string, any> set before it is returned
---@return aiowire.zmq.Socket
function Context:socket(type, options) end

--- Return an option of the context.
---@param option string
---@return integer
function Context:get(option) end

--- Set an option of the context.
---@param option string
---@param value integer|boolean in the units of libzmq
function Context:set(option, value) end

--- Close the context and its sockets.
function Context:close() end

--- Close the context and its sockets, as `close` does.
function Context:term() end

--- Make a socket, in `options.context` or in the context that such sockets
--- share.
---@param type aiowire.zmq.Type
---@param options? table<string, any> set before it is returned
---@return aiowire.zmq.Socket
function aw.zmq.socket(type, options) end

--- What a handler of an authenticator is asked about.
---@class aiowire.zmq.AuthRequest
---@field mechanism string "NULL", "PLAIN" or "CURVE"
---@field address string the address of the peer, a number without a port
---@field domain string option `zap_domain` of the server
---@field identity string option `routing_id` of the server
---@field username? string of PLAIN
---@field password? string of PLAIN; not for `on_denied`
---@field key? string the public key of CURVE, 40 characters of Z85

--- Who may connect.
---@class aiowire.zmq.AuthOptions
--- keys, or the path of a folder of key files
---@field curve? "any"|string|string[]
---@field plain? table<string, string> passwords, by the names of users
---@field allow? string[] addresses, as numbers; all others are denied
---@field deny? string[] addresses, as numbers; wins over `allow`
---@field domain? string all other domains are denied
--- awaits; true admits, a string admits as that user id
---@field handler? fun(r: aiowire.zmq.AuthRequest): boolean|string?
---@field on_denied? fun(r: aiowire.zmq.AuthRequest, why: string) awaits
---@field context? aiowire.zmq.Context default: that of zmq.socket()

--- Decides who may connect to the servers of a context, until it is closed or
--- collected [M10].
---@class aiowire.zmq.Auth
local Auth = {}

--- Admit the owner of a public key from now on.
---@param key string 40 characters of Z85, or 32 bytes
function Auth:allow_key(key) end

--- Deny the owner of a public key from now on. Its connections stay.
---@param key string 40 characters of Z85, or 32 bytes
function Auth:deny_key(key) end

--- Deny all peers from now on, and make room for another authenticator. Closing
--- again does nothing.
function Auth:close() end

--- Make the authenticator of a context. Raises a SystemError `EADDRINUSE` if it
--- has one, and one of the file system if the folder of keys cannot be read.
---@param options aiowire.zmq.AuthOptions
---@return aiowire.zmq.Auth
function aw.zmq.auth(options) end

--- Options of a context.
---@class aiowire.zmq.ContextOptions
---@field io_threads? integer default 1
---@field max_sockets? integer default 1023
---@field patience? integer ms; default 5000

--- Make a context.
---@param options? aiowire.zmq.ContextOptions and others of libzmq
---@return aiowire.zmq.Context
function aw.zmq.context(options) end

--- Make a pair of keys for CURVE.
---@return string public 40 characters of Z85
---@return string secret 40 characters of Z85
function aw.zmq.curve_keypair() end

--- Return the public key that belongs to a secret key.
---@param secret string 40 characters of Z85
---@return string public
function aw.zmq.curve_public(secret) end

--- Write keys into a file, which then takes the place of an old one: a
--- certificate of CZMQ, with mode 0600. Blocks until the disk has it. Raises a
--- SystemError, with the old file as it was.
---@param path string
---@param public string 40 characters of Z85
---@param secret? string the secret key of `public`; nil: a file to give away
function aw.zmq.save_keys(path, public, secret) end

--- Read the keys of a file. Prefer `socket.curve_secretkey = path`: then no Lua
--- string holds the secret. Warns of a secret that others than the owner of the
--- file may use.
---@param path string
---@return string public
---@return string? secret
function aw.zmq.load_keys(path) end

--- Make a wire that passes messages from `front` to `back` and from `back` to
--- `front`, as far as their types can receive and send [M16].
---
--- The messages never become Lua strings. `capture` (PUB, XPUB, DEALER, PUSH or
--- PAIR) gets a copy of each message. `control` (PAIR, PULL, REP, SUB, DEALER)
--- takes the commands PAUSE, RESUME, STATISTICS and TERMINATE, as
--- zmq_proxy_steerable of libzmq does [M17]. Without TERMINATE the wire runs
--- until it is cancelled or a socket is closed [M18].
---@param front aiowire.zmq.Socket
---@param back aiowire.zmq.Socket may be `front`
---@param capture? aiowire.zmq.Socket
---@param control? aiowire.zmq.Socket
---@return aiowire.Wire
function aw.zmq.Proxy(front, back, capture, control) end

--- Return the version of libzmq, such as "4.3.4".
---@return string
function aw.zmq.version() end

--- Options of a request.
---@class aiowire.zmq.RequestOptions
---@field timeout? number seconds for each try, default 2.5
---@field retries? integer tries after the first, default 2; math.huge: no limit
---@field context? aiowire.zmq.Context of the socket
---@field socket? table<string, any> options of the socket, as for CURVE

--- Send a request to a REP, or to a ROUTER of a Service, and return the parts
--- of the reply [M19]. Awaits.
---
--- A try without a reply is followed by the next one, on a new connection, so
--- the server may die and come back meanwhile. A request may be run more than
--- once. `timeout` must be longer than the longest answer takes, since a new
--- try receives no late reply to an earlier one.
---
--- The message is `id, "", part, ...`; a REP and a Service return the first two
--- parts by themselves. Messages that do not begin so are ignored.
---
--- Raises Timeout if no try had a reply, with the fields `url` and `tries`.
---@param url string
---@param msg string|string[] one part, or a list of parts
---@param options? aiowire.zmq.RequestOptions
---@return string ... the parts of the reply
function aw.zmq.request(url, msg, options) end

--- Options of a Service.
---@class aiowire.zmq.ServiceOptions
--- requests that run at the same time, default 64; while so many run, no
--- further one is received. A REP has one at a time
---@field concurrency? integer
---@field timeout? number seconds for each request; default: no limit
--- called with the failure of a request, after its reply. It runs outside of
--- tasks, as a handler of `start` [E7]. Default: a warning, once for each place
--- [D4]
---@field on_error? fun(err: any, info: aiowire.Info)

--- Answer the requests that a REP, ROUTER or DEALER receives [M20].
---
--- For each request `f(ev, part, ...)` runs in a task of its own. What it
--- returns is the reply: strings and numbers; nothing is one empty part. If it
--- fails, or returns something else, the reply is `"error", text`; `text` has
--- no traceback and no line of code.
---
--- A ROUTER and a DEALER receive an envelope before the parts of a request, as
--- REQ clients, `zmq.request` and brokers make it; the reply begins with it
--- [M21].
---
--- A cancelled Service receives no more requests. Those that run do not see the
--- cancel until its grace is over, and their replies are sent. When the socket
--- is closed, the wire ends after its requests, without an error. It does not
--- close the socket.
---@param socket aiowire.zmq.Socket
---@param f fun(ev: aiowire.EventLoop, ...: string): ...: string|number
---@param options? aiowire.zmq.ServiceOptions
---@return aiowire.Wire
function aw.zmq.Service(socket, f, options) end

--- Tell whether libzmq was built with a capability, such as "curve".
---@param capability string
---@return boolean
function aw.zmq.has(capability) end

--------------------------------------------------------------------------------
-- Inside
--------------------------------------------------------------------------------

--- What is alive in this Lua state. When all loops have ended and the collector
--- has run twice, all fields but `idle` and `bytes` are as they were before.
---@class aiowire.Stats
---@field loops integer EventLoops that run, or that will run
---@field ended integer EventLoops that have ended, but are not collected yet
---@field tasks integer tasks that have not ended
---@field scopes integer scopes that have not ended
---@field wires integer wires in the C core
---@field refs integer Lua values that the engine holds
---@field deadlines integer sleeps and time-outs under way
---@field errors integer errors that the C core keeps
---@field busy integer coroutines that run, or are parked in a task
---@field idle integer coroutines in the pool
---@field handles integer libuv handles
---@field bytes integer memory of the C core, pools included
---@field threads integer workers that run, in the whole process

--- Let others look into this Lua state while it runs, as `aiowire --top` does:
--- its tasks, what they wait for, and where they are busy. Returns the path of
--- a unix socket that only the same user and root may use [D40]. States that
--- are opened later, such as those of workers, are inspected, too.
---
--- Raises a SystemError if the socket cannot be made, or if its folder is not
--- safe [D42]. The program ends as any other; the socket goes with it.
---@param on? boolean false: nobody may look any more
---@return string? path nil after `false`
function aw.inspect(on) end

--- Count what is alive in this Lua state.
---@return aiowire.Stats
function aw.stats() end

--- Options of aw.trace.
---@class aiowire.TraceOptions
---@field events? integer room for so many, 262144 by default

--- Begin to record what the tasks of this Lua state do, on all its engines, for
--- a file that Perfetto and Chrome's trace viewer open; without arguments end
--- that, and write the file [D20].
---
--- Each task is a track with its steps and waits. The file is written beside
--- `path` and then renamed, at `aw.trace()` or at the end of the program. If no
--- file can be made there, the call raises a SystemError. A second trace while
--- one runs is an error, and so is the end of a trace that does not run.
---
--- `aw.trace()` returns the number of events in the file, and of those that
--- newer ones have overwritten. The newest events are kept. An event takes 32
--- bytes, and 32 more for each 30 bytes of text.
---@overload fun(): integer, integer
---@param path string of the file
---@param options? aiowire.TraceOptions
function aw.trace(path, options) end

--- Keep the last 4,096 events of tasks in this Lua state, for aw.recorded() and
--- for the reports of Deadlocks and dumps [D25]. AIOWIRE_RECORD=1 in the
--- environment does so from the start, in workers, too.
---@param on? boolean false: end that; default true
function aw.record(on) end

--- Return the last events of tasks as text, a line for each, the newest last,
--- with the time since then in seconds [D26]. Steps of a task in a row are one
--- line.
---@param n? integer so many at most; default: all that are kept
---@return string? text nil: nothing is recorded
function aw.recorded(n) end

return aw
