/* aiowire_lua.h - aiowire in a Lua 5.4 state, for C programs and C modules
 *
 * A program that embeds Lua links this library, and registers it before the
 * first `require "aiowire"`:
 *
 *   luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_PRELOAD_TABLE);
 *   lua_pushcfunction(L, luaopen_aiowire);
 *   lua_setfield(L, -2, "aiowire");
 *   lua_pop(L, 1);
 *
 * Then `require` gives this copy of the library, and looks for no aiowire.so.
 *
 * Contents
 *
 *   For programs     opening the library, running a main function
 *   Sessions         a prompt: one call after another, with tasks that live on
 *   Host engines     Lua states on an engine that a program drives itself
 *   Awaiting         functions in C that await
 *   Results          values for Lua, made before Lua can make them
 *   Wires            Wire objects
 *   Memory           memory and resources outside Lua, and the collector
 *   Sources          classes for aw.Recv, aw.Send, aw.readable and Poller
 *   Other states     objects that travel between Lua states; error objects
 *   Mistakes         warnings
 *   Instruments      what tasks do, for tracers and monitors
 *   Signals
 *   Workers          Lua states of other threads
 *   Arguments        functions that know their names, checks, options, errors
 *
 * Conventions. Those of aiowire.h hold, ownership words included. Functions
 * that take a `lua_State` may raise Lua errors, at least when out of memory, so
 * call them inside a protected call; the comments name those that do not. They
 * leave the Lua stack as it was, but for what they are said to push or pop.
 * `index` and `arg` are stack indices; `what` is a function's name for
 * messages: the part after "aw." ("sleep"), or a method with its object
 * ("stream:read").
 */

#ifndef AIOWIRE_LUA_H
#define AIOWIRE_LUA_H

#include "aiowire.h"

#ifdef __cplusplus
extern "C" {
#endif

#include <lauxlib.h>
#include <lua.h>

/* ---- for programs -------------------------------------------------------- */

/* How aw_lua_main(), or a part of a session, ended. */
typedef enum aw_lua_end {
  AW_LUA_OK,        /* the function and all tasks that it started are done */
  AW_LUA_ERROR,     /* an error reached the top and is on the Lua stack */
  AW_LUA_SIGNAL,    /* a signal ended the run, after clean-up */
  AW_LUA_EXIT,      /* os.exit(code) ended the run, after clean-up */
  AW_LUA_CANCELLED, /* a call of a session was cancelled; its session goes on */
  AW_LUA_TIMEOUT,   /* its time limit ended the run, after clean-up */
  AW_LUA_GRAPH      /* nothing ran: the picture is on the Lua stack */
} aw_lua_end;

/* Open the library and push its module table; `require "aiowire"` calls this. A
 * second call in the same state pushes the same table. */
AW_API int luaopen_aiowire(lua_State *L);

/* Open the library and push its part `aw.zmq`; `require "aiowire.zmq"` calls
 * this. */
AW_API int luaopen_aiowire_zmq(lua_State *L);

/* Open the library and push the module that runs a loop of cqueues, or of luv;
 * `require "aiowire.cqueues"` and `require "aiowire.luv"` call these. The
 * second one raises if luv is not installed. */
AW_API int luaopen_aiowire_cqueues(lua_State *L);
AW_API int luaopen_aiowire_luv(lua_State *L);

/* Call a function as the root task of a main loop, and run until all that it
 * started has ended. If the function returns a Wire or a Poller, the root task
 * runs that, too. While it runs, SIGINT and SIGTERM stop the loop, unless they
 * are ignored.
 *
 *   nargs   number of arguments on top of the stack, above the function
 *   code    receives the number of the signal, the code given to os.exit, or,
 *           with AW_LUA_ERROR, a status to exit with: 13 for a Deadlock, else 1
 *
 * Pops the function and its arguments. Returns an aw_lua_end. AW_LUA_ERROR
 * pushes the error value and its info object. After AW_LUA_SIGNAL the program
 * should close the state and raise that signal again.
 * Call from: a protected call outside any task.
 */
AW_API int aw_lua_main(lua_State *L, int nargs, int *code);

/* The limits of a run of aw_lua_main_with(), or how to draw instead. */
typedef struct aw_lua_main_config {
  uint64_t timeout; /* ns until all tasks are cancelled; AW_NEVER: no limit */
  uint64_t grace;   /* ns for the clean-up of the loop; AW_DEFAULT: 5 s */
  size_t size;      /* see "Sizes" in aiowire.h */
  /* "mermaid" or "dot": draw what the function returns or starts, as aw.graph()
   * does, and run nothing of it. NULL: run it */
  const char *graph;
} aw_lua_main_config;

/* The same with limits. Tasks see the time limit (`aw.deadline()`), but cannot
 * move it by `aw.extend()`. It cuts waits, and functions that never wait only
 * if the program calls aw_lua_interrupt(0) in time.
 *
 *   config  NULL: no time limit, and a grace of 5 s
 *
 * With `graph`, the function is called up to its end, its first await, or the
 * first run of a loop, whichever comes first. Then the picture is pushed, as
 * AW_LUA_GRAPH, and the program should close the state: the tasks end with it,
 * and none of them has begun. If the function raises an error, that is an
 * AW_LUA_ERROR as without `graph`.
 *
 * AW_LUA_TIMEOUT pushes three values: a text that says what the limit cut
 * short, as "sleep 30.0, s.lua:12", or nil; and the error that the clean-up
 * raised, with its info, or nil and nil. Then `*code` is 124. A signal that
 * comes during that clean-up ends the grace at once, and the run as
 * AW_LUA_SIGNAL. Raises for a `size` that does not fit, and for another
 * `graph`.
 */
AW_API int aw_lua_main_with(lua_State *L, int nargs,
                            const aw_lua_main_config *config, int *code);

/* Stop the outermost run with clean-up, as the first SIGINT does, but in the
 * name of another signal. For handlers that the program has for other signals.
 *
 *   signal_number  0: the time limit of aw_lua_main_with() is over, also if
 *                  the clock says that some of it is left. So a body that is
 *                  busy is cancelled as one that waits. May be called again,
 *                  for clean-up that is busy
 *
 * Returns false, with nothing done, if nothing runs, or if a signal is already
 * stopping the run. Call from: a signal handler on the thread of that run.
 */
AW_API bool aw_lua_interrupt(int signal_number);

/* Tell what stops the outermost run, for an exit handler: by
 * `os.exit(code, false)` the process ends in the middle of a clean-up, whose
 * reason comes first.
 *
 *   code  receives the number of the signal, or 124
 *
 * Returns AW_LUA_SIGNAL, AW_LUA_TIMEOUT, or AW_LUA_OK with nothing received, if
 * nothing runs or neither of these stops it. Call from: the thread of that
 * run.
 */
AW_API aw_lua_end aw_lua_stopped_by(int *code);

/* What the library has to tell about a running program. */
typedef enum aw_lua_notice {
  AW_LUA_NOTICE_DUMP,       /* all tasks, after aw_lua_request_dump() */
  AW_LUA_NOTICE_INTERRUPTED /* a signal has interrupted a body that was busy */
} aw_lua_notice;

/* Set the function that gets the notices of this Lua state. Without one, dumps
 * are printed to standard error, and the other notices are dropped.
 *
 *   tell  gets a text without a newline at its end, which lives as long as the
 *         call; it may run in the middle of a body, and must not call Lua. NULL
 *         takes the function back
 *   data  its first argument
 *
 * Opens the library if need be. Raises. Call from: the state's thread. */
AW_API void aw_lua_set_notice(lua_State *L,
                              void (*tell)(void *data, aw_lua_notice kind,
                                           const char *text),
                              void *data);

/* Ask for the dump of all tasks in the Lua state whose run holds the signals:
 * soon a notice has it. A body that is busy is stopped for that time only, at
 * one of its next instructions; it goes on as if nothing had happened. Code in
 * C is not stopped: the dump comes when it has returned. Requests that come
 * before the notice are one.
 *
 * Returns false, with nothing done, if no run holds the signals, or if another
 * thread drives it. Call from: a signal handler on the thread of that run. */
AW_API bool aw_lua_request_dump(void);

/* How a trace has ended; see aw.trace(). */
typedef struct aw_lua_trace_end {
  uint64_t events; /* in the file */
  uint64_t lost;   /* older ones, which were overwritten */
} aw_lua_trace_end;

/* End the trace that runs in this Lua state, and write its file, as aw.trace()
 * does.
 *
 * Returns 0; AW_EENDED if no trace runs; or why the file could not be written,
 * a code of libuv. Does not raise. Call from: the state's thread. */
AW_API int aw_lua_end_trace(lua_State *L, aw_lua_trace_end *out);

/* For programs that can tell when Lua's collector begins to work and has ended:
 * let traces have that. The first function returns the time, or 0 if nothing is
 * recorded in the state of L; pass what it returns to the second one.
 *
 *   full  it was a full collection
 *
 * Neither raises, nor uses the Lua stack. Call from: anywhere on the state's
 * thread, also in the middle of a call of Lua's API. */
AW_API uint64_t aw_lua_pause_begins(lua_State *L);
AW_API void aw_lua_pause_ends(lua_State *L, uint64_t began, bool full);

/* Replace functions of `coroutine` and `require`, as aw.install() does, and
 * os.exit: the new os.exit cleans up before the program exits. For a program
 * that owns the state. */
AW_API void aw_lua_install_host(lua_State *L);

/* ---- sessions ------------------------------------------------------------
 *
 * A session runs one function after the other, as an interactive prompt does:
 * each call is a task, and the tasks that it starts go on in later calls and
 * while the program waits for input.
 *
 *     aw_lua_session *session = aw_lua_session_open(L, NULL);
 *     int stdin_fd = 0, code;
 *     while (aw_lua_session_wait(session, L, &stdin_fd, 1, &code) == AW_LUA_OK
 *            && push_function_of_line(L))
 *       show(L, aw_lua_session_call(session, L, 0, &code));
 *     aw_lua_session_close(session, L, &code);
 *
 * Loop. The tasks of a session are those of one EventLoop, which runs as long
 * as the session is open. `stop()` and `close()` of it cancel its tasks and
 * leave it running. A task that fails and has no handler does not end it: see
 * `failed`.
 *
 * Signals. A session holds SIGINT and SIGTERM as long as it is open, after
 * aw_lua_install_host() SIGHUP, too, unless another state holds them or they
 * were ignored. SIGINT cancels the call or the wait that is under way, or else
 * the next one, and interrupts a body that is busy. The second SIGINT during a
 * call ends the grace of that cancel; further ones do nothing. The others end
 * the session as they end a run, with clean-up, and so does aw_lua_interrupt().
 * aw_lua_request_dump() works all the time.
 *
 * A state has one session at a time. All functions of a session run outside of
 * every task, on the thread that opened it. lua_close() ends a session without
 * clean-up. A state on an engine of the program has none: there the program
 * starts tasks itself. */

typedef struct aw_lua_session aw_lua_session;

typedef struct aw_lua_session_config {
  const char *name; /* of the task of a call; copied; NULL: "line" */
  uint64_t grace;   /* ns, of the EventLoop; 0 and AW_DEFAULT: 5 s */
  /* A task of the EventLoop has failed and has no handler, or its handler has
   * failed. The error and its info [E2] are the two values on top of L. Runs in
   * protected mode, in no task, during a call, a wait or the close; its own
   * error becomes a warning. NULL: the failure becomes a warning. */
  void (*failed)(lua_State *L, void *data);
  void *data;  /* handed to `failed` */
  size_t size; /* see "Sizes" in aiowire.h */
} aw_lua_session_config;

/* Open a session, and the library if needed.
 *
 *   config  NULL: the defaults; the struct is copied
 *
 * Gives. Raises an error if the state has a session, if something runs, if the
 * state is bound to an engine of the program, or for a wrong `size`. */
AW_API aw_lua_session *aw_lua_session_open(lua_State *L,
                                           const aw_lua_session_config *config);

/* Call a function as a task of the session, and drive the engine until that
 * task has ended. A Wire or a Poller that the function returns is a result like
 * any other, and is not run.
 *
 *   nargs   number of arguments on top of the stack, above the function
 *   code    receives the status or the number of the signal, see below
 *
 * Pops the function and its arguments. Returns
 *
 *   AW_LUA_OK         pushes the results: as many as the stack is higher
 *   AW_LUA_ERROR      pushes the error and its info, or nil; `code` is a status
 *                     to exit with: 13 for a Deadlock [L4], else 1. If all
 *                     tasks wait and nothing can wake one, only the call fails
 *   AW_LUA_CANCELLED  the task was cancelled: by SIGINT, task:cancel() or
 *                     ev:stop()
 *   AW_LUA_SIGNAL     another signal has ended the session, after clean-up;
 *                     `code` is its number
 *   AW_LUA_EXIT       os.exit(code) has ended the session, after clean-up
 *
 * After the last two, the session can only be closed; then a call is an error.
 * What the function sets in `aw.locals` is there for the next one.
 *
 * Raises an error, with nothing done, if the session has ended, or if something
 * runs. Pushes nothing but with AW_LUA_OK and AW_LUA_ERROR. */
AW_API int aw_lua_session_call(aw_lua_session *session, lua_State *L, int nargs,
                               int *code);

/* Drive the engine until one of the descriptors is readable: a read would not
 * block, as at the end of a file, or fails. Regular files are readable at once;
 * other tasks get their turn nevertheless.
 *
 *   fds    `count` of them, 1 to 16
 *   code   receives the index of a descriptor that is readable; otherwise as
 *          above
 *
 * Returns AW_LUA_OK; AW_LUA_CANCELLED for SIGINT; or AW_LUA_SIGNAL,
 * AW_LUA_EXIT or AW_LUA_ERROR, as above. AW_LUA_ERROR says that the descriptor
 * cannot be watched, as when there are too many. Raises as above. */
AW_API int aw_lua_session_wait(aw_lua_session *session, lua_State *L,
                               const int *fds, int count, int *code);

/* Push the EventLoop of the session. */
AW_API void aw_lua_session_push_loop(aw_lua_session *session, lua_State *L);

/* Cancel all tasks with the grace of the EventLoop, drive it to its end, and
 * give the signals back. SIGINT ends the grace.
 *
 *   session  takes; NULL is fine
 *
 * Returns AW_LUA_OK; AW_LUA_SIGNAL or AW_LUA_EXIT, now or earlier; or
 * AW_LUA_ERROR, with the error and its info pushed, if the EventLoop could not
 * be driven to its end. Raises an error if something runs. */
AW_API int aw_lua_session_close(aw_lua_session *session, lua_State *L,
                                int *code);

/* ---- host engines --------------------------------------------------------
 *
 * A program that has an engine of its own can run tasks of Lua there, beside
 * its own wires, in any number of Lua states:
 *
 *     aw_engine_config config = {.size = sizeof config};
 *     aw_lua_config(&config);
 *     aw_engine_new(&config, &engine);
 *     aw_lua_open(L, engine);
 *     aw_lua_task_config task = {.size = sizeof task, .done = report};
 *     if (aw_lua_start_file(L, "script.lua", &task, NULL) < 0)
 *       ...
 *
 * The program then drives the engine as it likes: from its libuv loop
 * (`config.uv`), by aw_engine_turn(), or by pulling the loop of the state:
 *
 *     while ((rc = aw_next(engine, aw_lua_loop(L), &step)) == 1)
 *       if (!aw_lua_step(engine, &step))
 *         ...                              a step of the program's own
 *     aw_lua_close(L);
 *     lua_close(L);
 *     aw_engine_free(engine);
 *
 * In such a state only tasks can wait. `aw.run`, `ev:run()` and the `__close`
 * of a Task or an EventLoop are errors outside of tasks, since they would have
 * to drive the engine [L6]. EventLoops with a clock or a seed of their own have
 * engines of their own, and run as in any state. The library prints
 * nothing, and takes only signals that a script asks for. Warnings go to the
 * warning function of the state.
 *
 * Threads. An engine and its states belong to one thread. Other threads may
 * have other engines with other states.
 *
 * Wires. Lua runs wires of C (aw_lua_push_wire()) and C runs wires of Lua
 * (aw_lua_to_wire(), aw_lua_part()), but a wire of Lua only in tasks of the
 * loops of its state: elsewhere it fails with AW_EINVAL. Before lua_close() the
 * program releases the wires that it got from that state.
 *
 * Values. On such an engine a C step may end with no value (0), with one of
 * aw_lua_box() and its siblings, or with that of aw_lua_give_results(). Boxes
 * pass between the states. Any other value of a state is no value elsewhere,
 * and an error of a state has only the text of its code there: so it is when a
 * task of one state ends a wire of another one (aw_when_done()). The
 * values of errors that the program makes, and of its own loops and tasks
 * (`host`, `locals`, `handler`), may only be 0 or a box.
 *
 * Ending. Stop aw_lua_loop(L) and drive the engine until that loop has ended,
 * if the tasks are to clean up; then aw_lua_close(L), lua_close(L), and last
 * aw_engine_free(). lua_close() alone ends the tasks, too. Tasks and errors of
 * the state that the program has kept stay valid after lua_close(), but their
 * values cannot be read any more. An engine that is freed first, which is
 * possible while the state has no loop there, leaves the state with an engine
 * of its own. */

/* Let an engine be one for Lua states: set `host`, `drop`, `keep` and `gather`,
 * and `pull` to aw_lua_pull(). A program may set the other members, such as
 * `deadlocks` for an engine whose tasks are woken by nothing else, and another
 * `pull`.
 *
 * Call from: anywhere. */
AW_API void aw_lua_config(aw_engine_config *config);

/* Open the library in L, so that `require "aiowire"` gives it, and bind the
 * state of L to an engine. The first thing that the library does in a state.
 *
 *   engine  made with aw_lua_config(); borrowed until lua_close()
 *
 * Does not raise. Returns 0; AW_EINVAL for another engine; AW_EBUSY if the
 * state has an engine or an EventLoop already, or has loaded another copy of
 * the library; AW_ENOMEM; AW_EAGAIN if the engine has 32,766 states; or
 * AW_EHOST if the library does not fit this Lua.
 */
AW_API int aw_lua_open(lua_State *L, aw_engine *engine);

/* Run a step of a task of Lua, and report it.
 *
 *   step  of aw_next(engine, …)
 *
 * Does not raise. Returns false if the step is the program's own. Then the
 * program answers it, for example by aw_step_answer(). Returns false for every
 * WOKEN, since it may be meant for the program, too; pass it to this function
 * nevertheless: here `done` of ended tasks is called.
 *
 * SLOW, LATE and SWALLOWED become warnings in the state whose step ran last.
 */
AW_API bool aw_lua_step(aw_engine *engine, const aw_step *step);

/* Run all steps that are ready: the `pull` of an engine that only Lua uses. */
AW_API void aw_lua_pull(void *host, aw_engine *engine);

/* How a task of Lua is started. */
typedef struct aw_lua_task_config {
  const char *name; /* copied; NULL: that of the function */
  bool background;  /* as in aw_task_config */
  uint64_t grace;   /* as in aw_task_config */
  /* The task has ended. Called once, by aw_lua_step() or aw_lua_pull(), outside
   * of every step, if the start returned 0. NULL: nobody is told.
   *
   *   L         the results, or the error and its info, are the only values on
   *             its stack, which has room for LUA_MINSTACK more. NULL: the
   *             state has gone
   *   task      borrowed
   *   status    0, with `nresults` results; AW_EHOST, with an error and its
   *             info [E2]; AW_ECANCELED; or AW_ENOMEM if there is no memory to
   *             push what the task ended with
   *
   * May call anything but lua_close() of the same state. Runs in protected
   * mode: an error of it becomes a warning. */
  void (*done)(lua_State *L, aw_task *task, int status, int nresults,
               void *data);
  void *data; /* handed to `done` */

  size_t size; /* see "Sizes" in aiowire.h */
} aw_lua_task_config;

/* Start a task at the root of aw_lua_loop(L): call a function, and then run the
 * Wire or Poller that it returns; or run a Wire.
 *
 *   nargs   arguments on top of the stack, above the function; 0 for a Wire
 *   config  NULL: the program is not told of the end. With neither `done` nor
 *           `out`, a failure of the task becomes a warning
 *   out     gives; NULL: not needed. aw_task_cancel() cancels the task
 *
 * A failure of the task is told to `done` alone, and does not end the loop.
 *
 * Pops the function and its arguments, also on failure. Does not raise. Begins
 * the run of the loop if it does not run; nothing runs before the program
 * drives the engine. Returns 0; AW_EINVAL if L is not bound to an engine, for a
 * value that can be no wire, or for a member of `config` that is unknown here;
 * AW_EENDED after aw_lua_close(); or AW_ENOMEM, also if the C stack is full.
 * Call from: also a step, a callback and `done`.
 */
AW_API int aw_lua_start(lua_State *L, int nargs,
                        const aw_lua_task_config *config, aw_task **out);

/* The same for the text of a file, or of a buffer, without arguments. Bytecode
 * is refused. Returns AW_EHOST, with the message on top of the stack, if the
 * file cannot be read or the text is no valid Lua; nothing has been started
 * then, and `done` is not called. All other failures push nothing.
 *
 *   chunkname  as for luaL_loadbuffer(), such as "=main"
 */
AW_API int aw_lua_start_file(lua_State *L, const char *path,
                             const aw_lua_task_config *config, aw_task **out);
AW_API int aw_lua_start_buffer(lua_State *L, const char *text, size_t size,
                               const char *chunkname,
                               const aw_lua_task_config *config, aw_task **out);

/* Return the loop of those tasks, to stop it, to pull it, or to begin a run
 * with a time limit; borrowed until the next start. Does not raise. NULL: L is
 * not bound, or there is no memory for a first loop.
 *
 * The run of the loop ends with its last task that is no background task; the
 * next start begins another run. A loop that has failed, was stopped or has
 * timed out stays as it is until the next start, which makes a new one; so does
 * a start between the end of a run and `ended` of a driven engine.
 *
 * Do not free this loop, nor others that `ended` is called for and that the
 * program has not made: those are EventLoops of Lua. The `host` that `ended`
 * and `pull` get is the library's. */
AW_API aw_loop *aw_lua_loop(lua_State *L);

/* Push the error that `error` stands for, and its info [E2], for an error of a
 * task or a loop of the state of L: that of aw_loop_error(), if a task without
 * a handler has ended the loop. Of an error of another state, push a text and
 * nil; for NULL, nil and nil. */
AW_API void aw_lua_push_error(lua_State *L, aw_error *error);

/* End all tasks of the state on the engine, before it returns, and let go of
 * the engine; lua_close() may follow. Tasks get no turn to clean up; `<close>`
 * variables are closed, but cannot wait. Calls `done` of each task, with
 * AW_ECANCELED. Other states of the engine go on.
 *
 * Does not raise. Returns 0; AW_EINVAL if L is not bound; AW_EBUSY if called
 * from a step of such a task, or if a task waits for an operation of the
 * program that can neither be aborted nor abandoned. After AW_EBUSY the program
 * tries again later: lua_close() would leave a loop that nobody can free. Host
 * steps of the program that are parked in such tasks are not told: stop the
 * loop first. */
AW_API int aw_lua_close(lua_State *L);

/* ---- awaiting ------------------------------------------------------------
 *
 * For C functions that Lua calls. The library must be open. */

/* Return the engine that runs now, or else the state's own; borrowed. */
AW_API aw_engine *aw_lua_engine(lua_State *L);

/* Return the running task, which may await in L; borrowed. Raises an error at
 * the caller's line if no task may await in L: outside a task, inside a call
 * that Lua cannot suspend, or in a coroutine that the engine does not know
 * [C11]. */
AW_API aw_task *aw_lua_task(lua_State *L, const char *what);

/* Tell whether a task may await in L. Does not raise. */
AW_API bool aw_lua_may_await(lua_State *L);

/* Tell whether an await that need not wait may return at once. Returns false if
 * the task is cancelled, or if the budget of its turn is spent [F3]; then call
 * aw_lua_await() without an operation, and try again. Raises as
 * aw_lua_task(). */
AW_API bool aw_lua_at_once(lua_State *L, const char *what);

/* A faster aw_lua_at_once(), for functions that run very often. Returns true if
 * L may await and the budget is not spent. Returns false in all other cases:
 * then ask aw_lua_at_once(), which may still say yes. Does not raise.
 *
 *   here  from aw_lua_place()
 */
typedef struct aw_lua_here aw_lua_here;
AW_API bool aw_lua_quick(aw_lua_here *here, lua_State *L);
/* Return the `here` of a Lua state; borrowed while the state lives. */
AW_API aw_lua_here *aw_lua_place(lua_State *L);

/* Return a counter: it grows whenever code of this Lua state has its turn on an
 * engine, as a step of a task or as a handler. A step that runs the same body
 * again and again counts once. For who must know, before the engine blocks,
 * whether Lua code has run since. A step that changed nothing of interest may
 * take itself off the counter. Borrowed while the state lives. */
AW_API uint64_t *aw_lua_steps(lua_State *L);

/* A continuation: called when a wait has ended, with the stack as it was at
 * aw_lua_await(). Returns a number of results, as a lua_CFunction does.
 *
 *   result  the result given to aw_wait_complete(), or the negative code with
 *           which the wait could not begin
 */
typedef int (*aw_lua_continue)(lua_State *L, int result, void *data);

/* Let the running task wait for an operation. Use it as
 * `return aw_lua_await(...)`.
 *
 *   operation  as in aw_await_operation(). NULL: only let other tasks have a
 *              turn
 *   data       handed to the operation and to `then`. Its owner must be the
 *              userdata at stack index 1 or on top of the stack, or be kept
 *              alive by one of those two: they live as long as the wait, even
 *              if the coroutine is closed
 *   then       the continuation. If the task is cancelled, Cancelled is raised
 *              instead
 *
 * Raises as aw_lua_task().
 */
AW_API int aw_lua_await(lua_State *L, const aw_operation *operation, void *data,
                        const char *what, aw_lua_continue then);

/* A faster aw_lua_await().
 *
 *   here  from aw_lua_place(); the Lua state has not ended since
 */
AW_API int aw_lua_await_here(aw_lua_here *here, lua_State *L,
                             const aw_operation *operation, void *data,
                             const char *what, aw_lua_continue then);

/* Begin an await that may not need to wait: call `then` with the result 0, at
 * once if aw_lua_at_once() allows that, else after other tasks had a turn. Use
 * it as `return aw_lua_begin(...)`. The rest is as in aw_lua_await(). */
AW_API int aw_lua_begin(lua_State *L, void *data, const char *what,
                        aw_lua_continue then);

/* ---- results ------------------------------------------------------------- */

/* A result that becomes a Lua value only when Lua code takes it. An operation
 * can end with one in a place where nothing may raise, such as a callback that
 * has received a message. Make it the first member of a struct of your own. */
typedef struct aw_lua_value {
  /* Push the results and return their number. May raise; the value stays. */
  int (*push)(lua_State *L, struct aw_lua_value *value);
  /* Free the value. May not call Lua. */
  void (*release)(struct aw_lua_value *value);
  uint32_t refs; /* private */
} aw_lua_value;

/* Make an aw_value of `value`, for aw_task_set_value() in an engine of the
 * binding.
 *
 *   value  takes; aligned as malloc() does it
 *
 * Call from: any thread, for a task that a ticket completes; outside Lua, too.
 */
AW_API aw_value aw_lua_box(aw_lua_value *value);

/* Make such a value of a plain one, for C steps of aw_call(). Return 0, which
 * stands for no results, when out of memory.
 *
 *   text  copied
 */
AW_API aw_value aw_lua_box_integer(lua_Integer integer);
AW_API aw_value aw_lua_box_number(lua_Number number);
AW_API aw_value aw_lua_box_boolean(bool boolean);
AW_API aw_value aw_lua_box_string(const char *text, size_t size);

/* Release such a value that was not taken, as when aw_ticket_complete() returns
 * AW_EENDED.
 *
 *   value  takes; 0 is fine
 *
 * Call from: any thread. */
AW_API void aw_lua_box_release(aw_value value);

/* Let a C step end with the `count` values on top of the stack; pops them. Call
 * it in a protected call before the step returns AW_DONE. Returns 0, or
 * AW_EINVAL if `task` is not one of the state of L. */
AW_API int aw_lua_give_results(lua_State *L, aw_task *task, int count);

/* Push the results with which the wait of `task` ended, or with which the wire
 * before its step did (see aw_bind()); return how many. Call from: an
 * aw_lua_continue, or, in a protected call, a C step in a task of the state of
 * L. */
AW_API int aw_lua_take_results(lua_State *L, aw_task *task);

/* A faster aw_lua_take_results(), for the running task.
 *
 *   here  from aw_lua_place(); the Lua state has not ended since
 */
AW_API int aw_lua_take_results_here(aw_lua_here *here, lua_State *L);

/* ---- wires --------------------------------------------------------------- */

/* Push a Wire object.
 *
 *   wire    takes
 *   anchor  index of a value that must live as long as the Wire; 0: none
 */
AW_API void aw_lua_push_wire(lua_State *L, aw_wire *wire, int anchor);

/* Return the wire for which the value at `index` stands [V2], for use as a part
 * of another wire. Replaces the value by its Wire object. Returns NULL if the
 * value is no wire.
 *
 * The wire is borrowed while that Wire object lives, so the object must be
 * anchored in the Wire object of the whole. */
AW_API aw_wire *aw_lua_part(lua_State *L, int index);

/* Give the wire for which the value at `index` stands, made for the loop of the
 * running task [V2]; NULL if the value is no wire or no task runs. Hand it to
 * the library at once. */
AW_API aw_wire *aw_lua_to_wire(lua_State *L, int index);

/* ---- memory -------------------------------------------------------------- */

/* Tell Lua's collector that an object has allocated `bytes` of memory outside
 * Lua; the collector works as if Lua had allocated them. This pays if that
 * memory is much larger than the object. The object must be on the stack or
 * anchored elsewhere, because the call may collect garbage and call
 * finalizers. */
AW_API void aw_lua_weigh(lua_State *L, size_t bytes);

/* The weight of an object that its user closes, such as a connection. Make this
 * a member of the struct to which the object points. */
typedef struct aw_lua_weight {
  size_t bytes;                 /* private, as the rest; zero at first */
  struct aw_lua_weight **place; /* among those made lately, or NULL */
  size_t *total;                /* of those that the collector knows, or NULL */
} aw_lua_weight;

/* As aw_lua_weigh(), for an object that most users close long before it is
 * garbage. The collector learns of the object only if it is still open when the
 * program has made 128 more of the kind. Collects nothing: the next call of
 * aw_lua_weigh(), maybe of 0 bytes, does.
 *
 *   here    from aw_lua_place(); the Lua state has not ended since
 *   weight  borrowed until aw_lua_weigh_closed()
 */
AW_API void aw_lua_weigh_open(aw_lua_here *here, aw_lua_weight *weight,
                              size_t bytes);

/* The object was closed: the collector need not learn of it. Does nothing if
 * that has happened, or if `weight` is zero. Call from: outside Lua, too. */
AW_API void aw_lua_weigh_closed(aw_lua_weight *weight);

/* Resources outside Lua, such as memory or descriptors, that the finalizer of a
 * Lua object releases. Lua does not call every finalizer: it skips those of
 * objects that are made while lua_close() runs, and those that it has no room
 * to call. So make this a member of the struct to which the object points, and
 * register it: at the end of the state, `release` is called if the finalizer
 * was not. The struct is allocated in C. It is not the userdata, nor a part of
 * it: Lua frees a userdata whose finalizer it has skipped. */
typedef struct aw_lua_held {
  /* Release the resources. May not call Lua. */
  void (*release)(struct aw_lua_held *held);
  struct aw_lua_held *next, **place; /* private; zero at first */
} aw_lua_held;

/* Register `held` with the state of L; borrowed until aw_lua_let_go(), or until
 * the state ends. Raises, with nothing registered, if the state has ended. */
AW_API void aw_lua_hold(lua_State *L, aw_lua_held *held);

/* Unregister `held`; the finalizer calls this, and then releases the resources
 * itself. Does nothing if `held` is not registered. Call from: outside Lua,
 * too. */
AW_API void aw_lua_let_go(aw_lua_held *held);

/* ---- sources ------------------------------------------------------------- */

/* What the objects of a userdata class can do. At least one member is set. */
typedef struct aw_lua_source {
  /* aw.Recv and aw.Send call these functions with all their arguments, but
   * without upvalues. Push a Wire and return 1. NULL: objects of the class
   * cannot receive, or cannot send. */
  lua_CFunction recv, send;
  /* Return the operation that waits until the object at `index` is ready. Store
   * the operation's data, which must live as long as the object. A class with
   * this member is a source for aw.readable and Poller. May raise.
   *
   *   events  as in aw_when_ready()
   */
  const aw_operation *(*ready)(lua_State *L, int index, int events,
                               void **data);
  /* Return the descriptor of the object. Messages show it, and sources are
   * ordered by it. Required with `ready`. */
  int (*fd)(lua_State *L, int index);
} aw_lua_source;

/* Make a class a source.
 *
 *   metatable  index of the metatable of the class
 *   source     borrowed for ever
 */
AW_API void aw_lua_add_source(lua_State *L, int metatable,
                              const aw_lua_source *source);

/* Return the source of the class of the object at `index`, or NULL. */
AW_API const aw_lua_source *aw_lua_find_source(lua_State *L, int index);

/* Record that the program has asked for the descriptor of an object whose class
 * has `ready`. As long as `fd` is the object's descriptor, the number is
 * refused as a source: the program must use the object instead. */
AW_API void aw_lua_tell_fd(lua_State *L, int index, int fd);

/* Push the object that owns `fd`, as aw_lua_tell_fd() has recorded, and return
 * true. Push nothing and return false if there is no such object, or if the
 * object has another descriptor by now. */
AW_API bool aw_lua_push_owner(lua_State *L, int fd);

/* ---- other states [J13] --------------------------------------------------
 *
 * Values reach other Lua states, such as those of aw.thread, as copies. An
 * object of C cannot be copied, unless its class has a transfer: then the other
 * state gets an object of its own, which refers to the same thing in C. */
typedef struct aw_lua_transfer {
  /* Return a new reference to the thing of the object at `index`. The reference
   * belongs to no state, and is used on any thread. May raise, as for an object
   * that is closed; calls no code of users. */
  void *(*take)(lua_State *L, int index);
  /* Push an object of this state for the reference, which stays: it may be
   * pushed any number of times. May raise. */
  void (*push)(lua_State *L, void *reference);
  /* Release the reference. May not call Lua. Call from: any thread. */
  void (*release)(void *reference);
} aw_lua_transfer;

/* Let the objects of a userdata class travel. The code of `transfer` stays
 * loaded for ever, since references outlive states.
 *
 *   metatable  index of the metatable of the class
 *   transfer   borrowed for ever
 */
AW_API void aw_lua_add_transfer(lua_State *L, int metatable,
                                const aw_lua_transfer *transfer);

/* Return the transfer of the class of the object at `index`, or NULL. */
AW_API const aw_lua_transfer *aw_lua_find_transfer(lua_State *L, int index);

/* Return the class of the error object at `index`, such as "aiowire.Timeout";
 * NULL for other values. The text is constant, and stands for the same class in
 * all states. Does not raise. */
AW_API const char *aw_lua_error_class(lua_State *L, int index);

/* Make the table on top an error object of such a class. */
AW_API void aw_lua_set_error_class(lua_State *L, const char *class_name);

/* ---- mistakes ------------------------------------------------------------ */

/* Return the line of the innermost Lua function, as "file:line"; "?" if there
 * is none. Borrowed while the Lua state lives. */
AW_API const char *aw_lua_where(lua_State *L);

/* Warn of a mistake of the user's program, once for each place and kind [D4].
 * Pops the text of the warning.
 *
 *   where  the place, as aw_lua_where() returned it
 *   kind   a word that tells this kind of mistake from all others
 */
AW_API void aw_lua_mistake(lua_State *L, const char *where, const char *kind);

/* ---- instruments --------------------------------------------------------- */

/* An instrument on the engines of a Lua state, beside others. */
typedef struct aw_lua_instrument aw_lua_instrument;

/* Let an instrument (see "instruments" in aiowire.h) hear of all tasks that run
 * in the state: on its own engine, and on those of EventLoops with a clock or a
 * seed, also of later ones. Any number of instruments may listen; each step has
 * the cost of all of them.
 *
 *   instrument  copied
 *   out         gives; see aw_lua_instrument_remove()
 *
 * Before the function returns, the instrument hears of what is there already:
 * `task_started` of each living task, a parent before the tasks that it has
 * started, and `wait_begins` of those that wait; and at last `step_begins` if
 * the call comes from a step. An EventLoop with an engine of its own runs in a
 * step of the engine around it, so steps of several engines may be under way.
 *
 * On an engine of the program, the instrument also hears of the program's own
 * tasks and of those of other states, unless they are older than it is. Of
 * older ones it may hear other events: ignore tasks whose start was not told.
 *
 * Returns 0; AW_EBUSY if the program has set an instrument by
 * aw_engine_instrument(), which in turn is AW_EBUSY from now on; AW_EINVAL for
 * a wrong `size`; or AW_ENOMEM. After a failure it hears nothing more. Opens
 * the library if need be. Raises.
 * Call from: the state's thread, but from no function of an instrument.
 */
AW_API int aw_lua_instrument_add(lua_State *L, const aw_instrument *instrument,
                                 aw_lua_instrument **out);

/* Let the instrument hear nothing more. Without instruments, steps take their
 * short ways again. The end of the state removes all instruments.
 *
 *   own  takes; NULL is fine
 *
 * Call from: the state's thread, but from no function of an instrument. */
AW_API void aw_lua_instrument_remove(aw_lua_instrument *own);

/* Return the engine that blocks, in `before_blocking` and `after_blocking`;
 * elsewhere NULL, since there aw_task_engine() tells the engine. */
AW_API const aw_engine *aw_lua_instrument_engine(const aw_lua_instrument *own);

/* ---- signals [H5] --------------------------------------------------------
 *
 * A program can take a signal over: then the signal has no other effect until
 * it is given back. There is one exception: an INT or a TERM (in the program
 * `aiowire` also a HUP) that arrives while another one is undelivered and no
 * task waits for it has its former effect. Any number of Lua states, on any
 * threads, may take the same signal over. */
typedef struct aw_lua_signal aw_lua_signal;

/* Take a signal of the process over, and unblock it in this thread.
 *
 *   number  of the signal
 *   notify  called with `data` for each arrival, in a signal handler on any
 *           thread. `notify` may call only functions that are safe there, such
 *           as uv_async_send()
 *   out     gives
 *
 * Returns 0, AW_ENOMEM, AW_EINVAL for a number that no signal has, or the code
 * with which sigaction(2) failed. Call from: outside Lua, too.
 */
AW_API int aw_lua_signal_take(int number, void (*notify)(void *data),
                              void *data, aw_lua_signal **out);

/* Give the signal back. The last one to do so restores the action that was
 * there before the first aw_lua_signal_take(). Restores the signal mask of this
 * thread.
 *
 *   signal  takes
 *
 * Call from: the thread that took it over.
 */
AW_API void aw_lua_signal_give_back(aw_lua_signal *signal);

/* Say whether somebody waits for the signal from now on. Call from: any
 * thread. */
AW_API void aw_lua_signal_await(aw_lua_signal *signal, bool waited);

/* Tell whether the signal has arrived since the last call, which delivers the
 * arrival. Several arrivals in between count as one. Call from: any thread. */
AW_API bool aw_lua_signal_arrived(aw_lua_signal *signal);

/* ---- workers ------------------------------------------------------------- */

/* How a program makes the Lua states of workers, such as those of aw.thread. */
typedef struct aw_lua_workers {
  /* Make a state with the standard libraries, and with the rules of the
   * program; NULL: no memory. The library sets package.path, package.cpath,
   * package.preload, `arg` and `print` after that. Call from: any thread.
   *
   *   memo  for `close`
   */
  lua_State *(*make)(void *data, void **memo);
  void (*close)(void *data, lua_State *L, void *memo); /* with lua_close() */
  void *data;
  bool text_only; /* bytecode is refused */
} aw_lua_workers;

/* Let the workers that this state starts have such states. Without rules they
 * have those of luaL_newstate() and luaL_openlibs().
 *
 *   rules  borrowed for ever
 */
AW_API void aw_lua_set_workers(lua_State *L, const aw_lua_workers *rules);

/* The function `print` of workers: as Lua's, but no other thread writes to the
 * standard output in the middle of a line. A program makes it the `print` of
 * its own state, too. */
AW_API int aw_lua_print(lua_State *L);

/* Raise the error on top, which was raised elsewhere, such as in another Lua
 * state, with the text of its stack there: `traceback` of its info [E2]. */
AW_API int aw_lua_raise_with(lua_State *L, const char *traceback);

/* ---- interrupts of other threads ------------------------------------------
 *
 * A thread can interrupt Lua code that is busy on another thread, as Ctrl-C
 * does: a body that goes on for 1,000,000 instructions gets the error
 * "interrupted!", and again from time to time if it goes on after that. A body
 * that awaits or ends before is not disturbed. Code in C is not interrupted,
 * and neither is Lua code outside of tasks.
 *
 * While one of these is open, the library handles the real-time signal
 * SIGRTMAX - 4 (SIGUSR2 on systems without such signals): pthread_kill() sends
 * it, and its handler sets a debug hook on the thread that it arrives in. After
 * the last close, the action is there again that was there before. System calls
 * that the signal meets restart, except those that never do, such as poll(2).
 */
typedef struct aw_lua_interrupts aw_lua_interrupts;

/* Prepare for interrupts of the Lua state of L. The library must be open in
 * that state. It unblocks the signal in this thread; while code of others
 * blocks the signal again, interrupts wait.
 *
 *   out  gives
 *
 * While it is open, runs that begin in the state leave SIGINT and its like to
 * other states, as with `signals=false`: this state has somebody else to stop
 * it.
 *
 * Returns 0, AW_EINVAL, AW_ENOMEM or the code with which sigaction(2) failed.
 * Call from: the thread that drives the state, as long as this is open. */
AW_API int aw_lua_interrupts_open(lua_State *L, aw_lua_interrupts **out);

/* Interrupt the body that runs now if it stays busy, and so each later body,
 * until aw_lua_interrupts_clear(): the body that runs now may end before the
 * signal arrives. Tell the thread the reason first, such as a cancel by a
 * ticket. A further call changes nothing until the signal has arrived.
 *
 * Returns 0, or AW_EAGAIN if the system's queue of signals is full. In a forked
 * child it does nothing.
 *
 * Call from: any thread, but no signal handler; while it is open. It may be
 * closed once the signal has been sent, even if this has not returned yet. */
AW_API int aw_lua_interrupts_send(aw_lua_interrupts *interrupts);

/* Take back what was sent: the thread has learned the reason. Bodies that
 * follow are not disturbed, nor is the one that runs now. After that, a signal
 * that was sent before and comes late has no effect.
 *
 * Call from: the thread that opened it, in a task, too. */
AW_API void aw_lua_interrupts_clear(aw_lua_interrupts *interrupts);

/* Close it before the Lua state ends. Nobody may send any more.
 *
 *   interrupts  takes; NULL is fine
 *
 * Call from: the thread that opened it. */
AW_API void aw_lua_interrupts_close(aw_lua_interrupts *interrupts);

/* ---- arguments -----------------------------------------------------------
 *
 * Like Lua's auxiliary library, with two differences. A function knows its own
 * name, whether it is called by name, by pcall or by a tail call. An error
 * blames the line of the user's code that called the library, never a line
 * inside the library. In a task that runs only C code, the error blames the
 * line that started the task. */

/* Push the C function `f` under a name; pops its `upvalues`. */
AW_API void aw_lua_push_function(lua_State *L, lua_CFunction f, int upvalues,
                                 const char *name);
/* Register a list of functions, each under its name, as luaL_setfuncs(). No
 * function in the list may be NULL. */
AW_API void aw_lua_set_functions(lua_State *L, const luaL_Reg *list,
                                 int upvalues);

/* Raise an error, as luaL_error(), luaL_argerror() and luaL_typeerror(). */
AW_API int aw_lua_error(lua_State *L, const char *format, ...);
AW_API int aw_lua_arg_error(lua_State *L, int arg, const char *why);
AW_API int aw_lua_type_error(lua_State *L, int arg, const char *expected);
/* Raise an argument error unless `holds`, as luaL_argcheck(). */
AW_API void aw_lua_arg_check(lua_State *L, bool holds, int arg,
                             const char *why);
/* Return the name of a value's type for messages: `__name` of its metatable, or
 * the name of its basic type. Borrowed from the value. */
AW_API const char *aw_lua_type_name(lua_State *L, int index);

/* Check an argument, as luaL_checkany() and its siblings.
 *
 *   size  receives the length of the string; may be NULL
 */
AW_API void aw_lua_check_any(lua_State *L, int arg);
AW_API void aw_lua_check_type(lua_State *L, int arg, int type);
AW_API lua_Integer aw_lua_check_integer(lua_State *L, int arg);
AW_API const char *aw_lua_check_string(lua_State *L, int arg, size_t *size);

/* Raise an error unless the argument is a table whose keys are all known
 * options. The message suggests the known name that is nearest to a wrong one.
 * Names that the table inherits by `__index` are not checked.
 *
 *   known    the names, then NULL
 *   is_list  the table may also be a list, such as a command and its words
 */
AW_API void aw_lua_check_options(lua_State *L, int arg,
                                 const char *const *known, bool is_list);
/* Push the first key of the table at `index` that is no known option, and
 * return true; if all are known, push nothing and return false. For functions
 * with a message of their own; the arguments are those of
 * aw_lua_check_options(). */
AW_API bool aw_lua_unknown_option(lua_State *L, int index,
                                  const char *const *known, bool is_list);
/* Raise an error about option `name`, whose value is on top of the stack: it
 * says that `expected` was expected. */
AW_API int aw_lua_bad_option(lua_State *L, const char *name,
                             const char *expected);
/* Return the boolean option `name` of the table at `arg`; nil: `otherwise`. */
AW_API bool aw_lua_opt_flag(lua_State *L, int arg, const char *name,
                            bool otherwise);
/* Return the option `name` of the table at `arg`, a number of seconds, in ns;
 * nil: `otherwise`. math.huge, and more than 292 years, are AW_NEVER. Raises
 * for NaN and negative numbers. */
AW_API uint64_t aw_lua_opt_ns(lua_State *L, int arg, const char *name,
                              uint64_t otherwise);

/* Return the name in a list that is nearest to `name`, or NULL if none is near.
 *
 *   get  returns name `index` of `list`, or NULL at its end
 *
 * Call from: anywhere.
 */
AW_API const char *aw_lua_nearest(const char *name,
                                  const char *(*get)(const void *list,
                                                     size_t index),
                                  const void *list);

/* Raise, or push, a SystemError [E4] that names the user's line.
 *
 *   code    a code of libuv, or -errno; AW_ECLOSED makes a Closed instead
 *   call    the operation that failed, such as "spawn"
 *   about   the object of the operation, such as a path; NULL: none
 */
AW_API int aw_lua_system_error(lua_State *L, int code, const char *call,
                               const char *about);
AW_API void aw_lua_push_system_error(lua_State *L, int code, const char *call,
                                     const char *about);

#ifdef __cplusplus
}
#endif

#endif
