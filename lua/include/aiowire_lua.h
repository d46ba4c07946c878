/* aiowire in a Lua 5.4 state: what a C program that embeds Lua needs.
 *
 * The plain way is one line before the first `require "aiowire"`:
 *
 *   luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_PRELOAD_TABLE);
 *   lua_pushcfunction(L, luaopen_aiowire);
 *   lua_setfield(L, -2, "aiowire");
 *   lua_pop(L, 1);
 *
 * Then the module is this copy of the library, and no aiowire.so is looked
 * for. The functions below may raise Lua errors (out of memory): call them
 * inside a protected call.
 */

#ifndef AIOWIRE_LUA_H
#define AIOWIRE_LUA_H

#include "aiowire.h"

#ifdef __cplusplus
extern "C" {
#endif

#include <lauxlib.h>
#include <lua.h>

/* How aw_lua_main() ended. */
typedef enum aw_lua_end {
  AW_LUA_OK,     /* the program and all that it started is done */
  AW_LUA_ERROR,  /* an error reached the top; it is on the stack */
  AW_LUA_SIGNAL, /* a signal ended it, and all is cleaned up */
  AW_LUA_EXIT    /* os.exit(code) was called, and all is cleaned up */
} aw_lua_end;

/* Open the library: what `require "aiowire"` calls.
 *
 * Leaves the module's table on the stack. A second call in the same state
 * gives the same library.
 */
AW_API int luaopen_aiowire(lua_State *L);

/* The same for its part `aw.zmq`: what `require "aiowire.zmq"` calls. */
AW_API int luaopen_aiowire_zmq(lua_State *L);

/* Run a function as the root task of a main loop, to the end of all that it
 * starts. SIGINT and SIGTERM are held meanwhile. A Wire or Poller that the
 * function returns is run by the root task as well.
 *
 *   nargs   the function's arguments on the stack's top, the function below
 *   code    receives the signal's number, the code given to os.exit, or, with
 *           AW_LUA_ERROR, what to exit with: 1, and 13 for a Deadlock
 *
 * Pops the function and its arguments. Returns an aw_lua_end; AW_LUA_ERROR
 * leaves the error value and, above it, its info object. After AW_LUA_SIGNAL
 * the host is to close the state and raise that signal again.
 * Call from: a protected call outside any task.
 */
AW_API int aw_lua_main(lua_State *L, int nargs, int *code);

/* End what runs as the first SIGINT would, with clean-up, but by this signal:
 * for a host's own handlers of others. Returns false, and does nothing, where
 * nothing runs or a signal is ending it already.
 * Call from: a signal handler of the thread that runs it.
 */
AW_API bool aw_lua_interrupt(int signal_number);

/* Put the host's coroutine.* and os.exit in place: aw.install() for a
 * program that owns the state, with an os.exit that cleans up first.
 */
AW_API void aw_lua_install_host(lua_State *L);

/* ---- awaitables in C, for Lua ----
 *
 * Call these from C functions that Lua calls, the library being open. They
 * raise Lua errors. */

/* The engine that runs now, or else the state's own. */
AW_API aw_engine *aw_lua_engine(lua_State *L);

/* The task that runs in L and may await there. Raises, at the caller's line,
 * why it may not: outside a task, in a place that Lua cannot leave half way.
 *
 *   what   for that message: a function's name after "aw.", or a method's with
 *          its object, as "stream:read"
 */
AW_API aw_task *aw_lua_task(lua_State *L, const char *what);

/* The same without raising: may L await here? */
AW_API bool aw_lua_may_await(lua_State *L);

/* May an await that need not wait return at once? Not if the task is
 * cancelled, nor when the budget of this turn is spent [F3]: then wait for
 * nothing, by aw_lua_await() without an operation, and look again. Raises as
 * aw_lua_task(). */
AW_API bool aw_lua_at_once(lua_State *L, const char *what);

/* The same for what runs very often: true if L may await here, and the budget
 * is not spent; false if it may not, or if only aw_lua_at_once() can tell. */
typedef struct aw_lua_here aw_lua_here;
AW_API bool aw_lua_quick(aw_lua_here *here, lua_State *L);
/* What that asks: borrowed, as long as the Lua state lives. */
AW_API aw_lua_here *aw_lua_place(lua_State *L);

/* What goes on when a wait has ended: `result` as given to
 * aw_wait_complete(). The stack is as it was. Returns as a lua_CFunction. */
typedef int (*aw_lua_continue)(lua_State *L, int result, void *data);

/* Let the running task wait for an operation: `return aw_lua_await(...)`.
 *
 *   operation, data   as for aw_await_operation(); what `data` belongs to must
 *                     be the userdata at 1 or on top, or kept alive by those:
 *                     they live as long as the wait, also when the coroutine
 *                     is closed. NULL: only let the others run
 *   what              as for aw_lua_task()
 *   then              goes on with the result. Not called when the wait was
 *                     cancelled: then Cancelled is raised
 */
AW_API int aw_lua_await(lua_State *L, const aw_operation *operation, void *data,
                        const char *what, aw_lua_continue then);

/* Results that become values of Lua only when somebody takes them, as a message
 * that a socket has received: so an operation can give one where nothing may
 * raise. Put it first in a struct of your own. */
typedef struct aw_lua_value {
  /* Push the results, return how many; may raise: they are not lost then. */
  int (*push)(lua_State *L, struct aw_lua_value *value);
  /* Nobody wants them any more; may not call Lua. */
  void (*release)(struct aw_lua_value *value);
  uint32_t refs; /* the library's */
} aw_lua_value;

/* As a value for aw_task_set_value(), in an engine of Lua's. Takes `value`,
 * which is aligned as malloc() does. Call from: anywhere, outside Lua too. */
AW_API aw_value aw_lua_box(aw_lua_value *value);

/* Push the value that a wait of `task` ended with, in an `aw_lua_continue`;
 * returns how many results. */
AW_API int aw_lua_take_results(lua_State *L, aw_task *task);

/* Push a Wire for Lua; takes `wire`. The value at `anchor` (0: none) lives as
 * long as the Wire. */
AW_API void aw_lua_push_wire(lua_State *L, aw_wire *wire, int anchor);

/* Make the value at `index` a Wire, in place, and give what it is made of, to
 * be built into a wire of your own: borrowed, as long as that Wire lives,
 * which is to be among what your Wire anchors. NULL if it is none [V2]. */
AW_API aw_wire *aw_lua_part(lua_State *L, int index);

/* Give the wire that the value at `index` stands for, in the loop of the
 * running task [V2]; NULL if it is none. Give it to the library at once. */
AW_API aw_wire *aw_lua_to_wire(lua_State *L, int index);

/* Tell Lua's collector that an object of yours, which is on the stack or
 * anchored elsewhere, has got `bytes` of memory that Lua has not allocated: it
 * works as if Lua had. For memory that is large beside the object. May collect
 * garbage, and so call finalizers. */
AW_API void aw_lua_weigh(lua_State *L, size_t bytes);

/* Memory, descriptors and the like that an object of yours holds, and that its
 * finalizer frees. Lua does not call all finalizers: not those of objects made
 * while lua_close runs, nor one that it has no room left to call. So put this
 * into the struct that such an object points to. What is still held when the
 * state ends is released then. */
typedef struct aw_lua_held {
  /* Free it, at the end of the state; may not call Lua. */
  void (*release)(struct aw_lua_held *held);
  struct aw_lua_held *next, **place; /* the library's; zero at first */
} aw_lua_held;

/* The state of L holds it from now on. Raises, with nothing held, once the
 * state has ended. */
AW_API void aw_lua_hold(lua_State *L, aw_lua_held *held);

/* Its finalizer frees it; if nothing held it, this does nothing. Call from:
 * anywhere, outside Lua too. */
AW_API void aw_lua_let_go(aw_lua_held *held);

/* What the objects of a class of userdata are good for. All but one may be
 * NULL. */
typedef struct aw_lua_source {
  /* Called in place of aw.Recv and aw.Send, with all their arguments and
   * without upvalues of their own: push a Wire, return 1. */
  lua_CFunction recv, send;
  /* The operation that waits until the object at `index` is ready, and its
   * data, which lives as long as the object. `events` as for aw_when_ready().
   * May raise. With it the object is a source for aw.readable and Poller. */
  const aw_operation *(*ready)(lua_State *L, int index, int events,
                               void **data);
  /* Its descriptor, for people and to put sources in order. Given `ready`. */
  int (*fd)(lua_State *L, int index);
} aw_lua_source;

/* Say so of the class whose metatable is at that index; borrows `source` for
 * ever. */
AW_API void aw_lua_add_source(lua_State *L, int metatable,
                              const aw_lua_source *source);

/* What was said of the class of the object at `index`; NULL: nothing. */
AW_API const aw_lua_source *aw_lua_find_source(lua_State *L, int index);

/* Say that a program has learned the number of the descriptor of the object at
 * that index, whose class has `ready`: from now on the number is refused as a
 * source, as long as it is the object's. */
AW_API void aw_lua_tell_fd(lua_State *L, int index, int fd);

/* Push the object of which that was said, and whose descriptor that is now, and
 * return true; or push nothing. */
AW_API bool aw_lua_push_owner(lua_State *L, int fd);

/* The line of the innermost function of Lua, as "file:line"; "?" if there is
 * none. Borrowed, as long as the Lua state lives. Raises. */
AW_API const char *aw_lua_where(lua_State *L);

/* Warn of a mistake that was made at `where`, as given by aw_lua_where(): once
 * for each place and kind, a word that no other mistake has. The text is on
 * top, and popped [D4]. Raises. */
AW_API void aw_lua_mistake(lua_State *L, const char *where, const char *kind);

/* A signal of the process that somebody takes over [H5]: it does nothing else
 * until it is given back, but for an INT or TERM, in the program a HUP, that
 * comes while another is undelivered and nobody waits. Any number of states,
 * on any threads, may take the same one. */
typedef struct aw_lua_signal aw_lua_signal;

/* Take signal `number` over, and unblock it in this thread.
 *
 *   notify  called when it arrives, in a signal handler on any thread, as
 *           uv_async_send() may be; `data` is handed to it
 *   out     gives
 *
 * Returns 0, AW_ENOMEM, AW_EINVAL, or what sigaction(2) refused.
 */
AW_API int aw_lua_signal_take(int number, void (*notify)(void *data),
                              void *data, aw_lua_signal **out);

/* Give it back: the action that was there, when nobody else has taken it, and
 * the mask of this thread, which is the one that took it. Takes `signal`. */
AW_API void aw_lua_signal_give_back(aw_lua_signal *signal);

/* Say whether somebody waits for it now. */
AW_API void aw_lua_signal_await(aw_lua_signal *signal, bool waited);

/* Has it arrived since this was asked last? Then it is delivered. */
AW_API bool aw_lua_signal_arrived(aw_lua_signal *signal);

/* ---- functions and their arguments ----
 *
 * As Lua's auxiliary library, but a function knows its own name however it is
 * called, and an error blames the line of the user's code that called it: not
 * one inside the library, and through pcall as well. In a task that runs no
 * code but C, that is the line which started the task. */

/* Push `f` with the `upvalues` on top (popped), under its name. */
AW_API void aw_lua_push_function(lua_State *L, lua_CFunction f, int upvalues,
                                 const char *name);
/* As luaL_setfuncs(), with each function under its name. NULL is no function. */
AW_API void aw_lua_set_functions(lua_State *L, const luaL_Reg *list,
                                 int upvalues);

/* As luaL_error(), luaL_argerror(), luaL_typeerror(). */
AW_API int aw_lua_error(lua_State *L, const char *format, ...);
AW_API int aw_lua_arg_error(lua_State *L, int arg, const char *why);
AW_API int aw_lua_type_error(lua_State *L, int arg, const char *expected);
/* As luaL_argcheck(). */
AW_API void aw_lua_arg_check(lua_State *L, bool holds, int arg,
                             const char *why);
/* What that calls the value: its metatable's `__name`, or its type. Borrowed
 * from the value. */
AW_API const char *aw_lua_type_name(lua_State *L, int index);

/* As luaL_check…(). */
AW_API void aw_lua_check_any(lua_State *L, int arg);
AW_API void aw_lua_check_type(lua_State *L, int arg, int type);
AW_API lua_Integer aw_lua_check_integer(lua_State *L, int arg);
AW_API const char *aw_lua_check_string(lua_State *L, int arg, size_t *size);

/* Raise unless the argument is a table of options that are all known; a message
 * names the nearest one that is. Only the table itself is looked at: what it
 * inherits by `__index` may have any name.
 *
 *   known     names, and NULL
 *   is_list   it is a list as well, as a command with its words
 */
AW_API void aw_lua_check_options(lua_State *L, int arg,
                                 const char *const *known, bool is_list);
/* Raise that option `name`, whose value is on top, is not `expected`. */
AW_API int aw_lua_bad_option(lua_State *L, const char *name,
                             const char *expected);
/* The boolean under `name` in the table at `arg`; nil is `otherwise`. */
AW_API bool aw_lua_opt_flag(lua_State *L, int arg, const char *name,
                            bool otherwise);

/* The one of the names that `get` gives, up to its NULL, which is nearest to
 * `name`; NULL: none is near. Call from: anywhere. */
AW_API const char *aw_lua_nearest(const char *name,
                                  const char *(*get)(const void *list,
                                                     size_t index),
                                  const void *list);

/* Raise, or only push, a SystemError [E4], of the line of the user's that runs.
 *
 *   code    libuv's, or -errno; AW_ECLOSED makes a Closed instead
 *   call    what was tried, as "spawn"
 *   about   what it was about, as a path; or NULL
 */
AW_API int aw_lua_system_error(lua_State *L, int code, const char *call,
                               const char *about);
AW_API void aw_lua_push_system_error(lua_State *L, int code, const char *call,
                                     const char *about);

#ifdef __cplusplus
}
#endif

#endif
