/* bridge.h - what the files of the binding share
 *
 *   module.c   luaopen_aiowire; assembles all of it
 *   lwire.c    wires as Lua values                expression.c tostring of them
 *   lcompose.c what combines them                 leaf.c   what they are given
 *   ltask.c    handles of tasks                   lloop.c  EventLoop
 *   lact.c     awaiting: sleep, yield, await      lscope.c scope, timeout, …
 *   lco.c      coroutines of the user             lsignal.c SIGINT, …
 *   lsource.c  aw.Recv, aw.Send, by class
 *   drive.c    the driver: steps of the engine    await.c  how to await
 *   worker.c   workers: the only place that resumes a coroutine
 *   lerror.c   error objects                      lvalue.c conversions, values
 *   linfo.c    what is known beside an error
 *   show.c     values, tasks, waits for people    gather.c one value of several
 *   site.c     "file:line", interned              traceback.c  of a stack
 *   lchannel.c, lmessage.c: channels              lsync.c  events, semaphores
 *   object.c   what those have in common
 *   owner.c    whose a coroutine is
 *   state.c    the shared state
 *
 * One `awl_state` for each Lua state. Its tables stand on the stack of a
 * thread of its own, `util`, where C code that must not raise can reach them
 * (`awl_slot`). Values that the engine carries (aw_value) are places in the
 * table of the EventLoop they belong to, so a loop that nobody refers to is
 * garbage, its wires, handlers and results with it.
 *
 * Raising: functions marked "raises" may throw any Lua error. All others use
 * only the API that the manual marks `-`.
 */
#ifndef AWL_BRIDGE_H
#define AWL_BRIDGE_H

#include <aiowire.h>
#include <aiowire_lua.h>

#include <lauxlib.h>
#include <lua.h>

typedef struct awl_state awl_state;
typedef struct awl_engine awl_engine;
typedef struct awl_loop awl_loop;
typedef struct awl_worker awl_worker;
typedef struct awl_site awl_site;

/* Classes of objects, each a metatable. */
typedef enum awl_class {
  AWL_WIRE,
  AWL_TASK,
  AWL_LOOP,
  AWL_SCOPE,
  AWL_INFO,
  AWL_CHANNEL,
  AWL_EVENT,
  AWL_SEMAPHORE,
  AWL_PERMIT,    /* of a semaphore */
  AWL_CANCELLED, /* from here on: error objects */
  AWL_TIMEOUT,
  AWL_TASK_CANCELLED,
  AWL_UNHANDLED,
  AWL_CLOSED,
  AWL_SYSTEM_ERROR,
  AWL_DEADLOCK,
  AWL_CLASSES
} awl_class;

/* On the stack of `util`, by index: tables, and what is used often. */
typedef enum awl_slot {
  AWL_LOOPS = 1, /* number of a loop → EventLoop; weak values */
  AWL_BODIES,    /* number of a leaf → function or arguments; weak values */
  AWL_TASKS,     /* id of a task → Task; weak values */
  AWL_OBJECTS,   /* address → userdata that C code looks for; weak values */
  AWL_THREADS,   /* number of a worker → its coroutine */
  AWL_RAISED,    /* number of a worker → info of the error on its way */
  AWL_NAMES,     /* function of a library → its name */
  AWL_OWNED, /* coroutine of a user → worker that parks in it, see owner.c */
  AWL_HANDLER,    /* the message handler of bodies */
  AWL_METATABLES, /* of each awl_class */
  AWL_LAST_SLOT = AWL_METATABLES + AWL_CLASSES - 1
} awl_slot;

/* An engine; numbered from 0, the state's own. */
struct awl_engine {
  aw_engine *core;
  awl_state *state;
  uint32_t number;
  bool is_virtual; /* its clock */
};

/* What goes on when the wait of a worker has ended, by the engine alone. */
typedef int (*awl_after)(lua_State *L, awl_worker *worker);

/* A coroutine that runs host steps. Its life:
 * new → running ⇄ (parked in a task | idle in the pool) → dead */
struct awl_worker {
  awl_state *state;
  lua_State *co;
  awl_worker *next_idle;
  aw_task *task;     /* whose step it runs or is parked in; NULL: idle */
  aw_error *passing; /* error that an await raised in it, or NULL [E1] */
  const struct awl_leaf *leaf; /* what it runs */
  awl_after after;             /* when it is parked … */
  aw_lua_continue then; /* … by aw_lua_await(): then this, with its data */
  void *data;
  struct awl_scope *scopes; /* open in its body, innermost first */
  uint64_t serial;          /* of the leaf whose content is on its stack */
  uint32_t loop_number;     /* of the EventLoop on its stack */
  lua_State *waiting;       /* coroutine that parked it: its own or inside */
  int top;                  /* of the stack of that, then */
  uint32_t number;
  uint32_t at_once; /* awaits since it was resumed that did not wait */
  int result;       /* how the wait ended */
  int refused;      /* why one could not begin, see awl_refuse() */
  bool started;     /* its function runs */
  bool parked;      /* it yielded by itself, not by a stray coroutine.yield */
  bool resumed;     /* by the engine, and nobody else */
  bool reported;    /* the step has been reported to the core */
  bool raised;      /* AWL_RAISED has something of it */
};

typedef enum awl_scope_mode {
  AWL_MODE_SCOPE,
  AWL_MODE_TIMEOUT,
  AWL_MODE_SHIELD
} awl_scope_mode;

/* The object that aw.scope hands to its function. */
typedef struct awl_scope {
  aw_scope *scope; /* NULL once left */
  aw_task *task;
  awl_worker *worker;      /* that lists it, until it is left or garbage */
  struct awl_scope *outer; /* of the same body */
  uint64_t ns;             /* its time, for the text of a Timeout */
  awl_scope_mode mode;
  int status; /* of that function */
} awl_scope;

/* EventLoop's userdata. Its user value 1 is the table of values, by place. */
struct awl_loop {
  aw_loop *core; /* NULL once closed for good */
  awl_engine *engine;
  awl_state *state;
  uint32_t number;
  uint32_t *claims; /* for each place: claims on it; free: next free place */
  uint32_t places, first_free;
  size_t live;             /* values it has */
  struct awl_leaf *recent; /* of the wire made of a value last, or NULL */
  uint64_t timeout;
  bool private_engine; /* it is the loop that the engine goes with */
  bool signals;
  bool ran;      /* once, to its end */
  bool anchored; /* in the registry, as long as it is half way */
};

/* What is under way; saved and restored around a nested engine's run. */
typedef struct awl_run {
  awl_engine *engine;
  aw_loop *loop;
  aw_task *until;      /* end when this task has ended; or NULL */
  awl_worker *running; /* whose coroutine runs, or NULL */
  lua_State *co;       /* innermost coroutine that may await */
  aw_step step;        /* that the driver is to do */
  int rc;              /* of the aw_next() that gave no step */
  uint64_t limit;      /* real time to stop at, ns; 0: none; see ltest.c */
  uint32_t pulls;
  bool watched; /* `until` or `limit` is there */
  bool has_step, over;
} awl_run;

struct awl_state {
  lua_State *main, *util;
  awl_run run;
  awl_engine *engine; /* the state's own; NULL until first used */
  awl_loop **loops;   /* by place; NULL where free */
  uint32_t loop_uses; /* places taken since the beginning */
  uint32_t loop_count;
  uint32_t *leaves; /* free numbers of leaves: a chain, see lwire.c */
  uint32_t leaf_count, first_leaf;
  uint64_t leaf_serial;
  awl_worker **workers;   /* by number; NULL where free */
  uint32_t *worker_chain; /* free numbers */
  uint32_t worker_count, first_worker;
  uint32_t *owned; /* the workers by their coroutines, see owner.c */
  uint32_t owned_count, owned_bits;
  awl_worker *idle;
  awl_site **sites;
  size_t site_count, site_size;
  const awl_site *recent_sites[2]; /* asked for last: a place, a function */
  const void *metatables[AWL_CLASSES];
  uint32_t engine_count;
  size_t wires, leaf_live, values, busy, idle_count;
  bool named;     /* AWL_NAMES is filled */
  bool installed; /* coroutine.* are ours */
  bool host;      /* the program aiowire */
  bool closing;   /* lua_close is under way */
  bool gc_stress;
  int exit_code;
  bool exiting;     /* os.exit() was called */
  int signal;       /* that ended the outermost run */
  uint64_t stop_at; /* real time at which the last one came */
  bool in_handler;
  aw_loop *handler_loop;       /* of the task whose failure is being handled */
  aw_lua_value closed, passed; /* see lchannel.c, */
  aw_value closed_value, passed_value; /* as values of the core */
};

/* ---- state.c ---- */

/* The state that belongs to L; made by luaopen_aiowire. Raises once lua_close
 * has finalized it: what was there before the module is finalized later, and
 * may call it. Leaves the stack as it was. */
awl_state *awl_open(lua_State *L);
/* The same in C functions of the module: upvalue 1. */
awl_state *awl_of(lua_State *L);
awl_engine *awl_own_engine(lua_State *L, awl_state *s); /* raises */
awl_engine *awl_new_engine(lua_State *L, awl_state *s, aw_clock clock,
                           uint64_t seed); /* raises */
/* AW_EBUSY, and nothing done, while a loop is left on it. */
int awl_free_engine(awl_engine *engine);
/* Free numbers are a chain in an array: each free one has the next, the last
 * one `*count`. Double it, from `least`; false: out of memory. */
bool awl_grow_chain(uint32_t **chain, uint32_t *count, uint32_t least);
/* Register `functions` in the table on top, the state as upvalue. Raises. */
void awl_register(lua_State *L, awl_state *s, const luaL_Reg *functions);
/* Push the metatable of a new class with `methods` and `meta`. Raises. */
void awl_new_class(lua_State *L, awl_state *s, awl_class class,
                   const char *name, const luaL_Reg *methods,
                   const luaL_Reg *meta);
void awl_push_class(lua_State *L, awl_state *s, awl_class class);
/* In the __index function of a class with methods: push the method that is
 * asked for, if it is one. */
bool awl_push_method(lua_State *L);
bool awl_is(lua_State *L, awl_state *s, int index, awl_class class);
/* Push a table of `util`, or one value of it. */
void awl_push_slot(lua_State *L, awl_state *s, awl_slot slot);
void awl_get(lua_State *L, awl_state *s, awl_slot slot, lua_Integer key);
/* Set slot[key] to the value on top, and pop it; raises. */
void awl_set(lua_State *L, awl_state *s, awl_slot slot, lua_Integer key);
/* Set slot[key] to nil; cannot fail. */
void awl_unset(awl_state *s, awl_slot slot, lua_Integer key);

/* ---- lvalue.c ---- */

/* Seconds to nanoseconds: NaN and negative raise; huge is never. Raises. */
uint64_t awl_check_ns(lua_State *L, int arg);
uint64_t awl_check_time(lua_State *L, int arg); /* a point in time; past is 0 */
double awl_seconds(uint64_t ns);
/* ns in opts[field] of the table at `arg`, or `otherwise`. Raises. */
uint64_t awl_opt_ns(lua_State *L, int arg, const char *field,
                    uint64_t otherwise);
/* The value at `arg` must be a table, of the options of a `kind` that are
 * `known` (ends with NULL) and no others. Raises. */
void awl_check_options(lua_State *L, int arg, const char *kind,
                       const char *const *known);
/* Keep the value on top for the engine, in `loop`; pops it. Raises. */
aw_value awl_hold(lua_State *L, awl_loop *loop);
/* Keep the `count` values on top as one tuple; pops them. Raises. */
aw_value awl_hold_tuple(lua_State *L, awl_loop *loop, int count);
/* Push what is kept; nil for 0. */
void awl_push_value(lua_State *L, awl_state *s, aw_value value);
/* Push a tuple, return how many. Raises. */
int awl_push_tuple(lua_State *L, awl_state *s, aw_value value);
/* Push the results that a wait of `task` ended with, return how many. Raises;
 * they are lost only then, when the task drops them. */
int awl_take_results(lua_State *L, awl_state *s, aw_task *task);
/* Is it one of `loop`? */
bool awl_belongs(const awl_state *s, aw_value value, const awl_loop *loop);
/* The aw_lua_value that a value is, or NULL. */
aw_lua_value *awl_boxed(aw_value value);
void awl_drop(void *state, aw_value value);
aw_value awl_keep(void *state, aw_value value);
int awl_gather(void *state, aw_shape shape, const aw_value *values,
               size_t count, size_t index, aw_value *out);
/* `leaf` goes: nobody is to find its wire any more, see awl_loop.recent. */
void awl_forget_recent(const awl_state *s, const struct awl_leaf *leaf);

/* ---- site.c ---- */

/* Is this function a part of the library in Lua? */
bool awl_is_ours(const lua_Debug *ar);
/* As luaL_error(), at the line of the innermost Lua function. Raises. */
int awl_error(lua_State *L, const char *format, ...);

/* "file:line" of the function at `level`; borrowed, lives with the state.
 * Raises. "?" in C. */
const char *awl_where(lua_State *L, awl_state *s, int level);
/* The name of the function at `index` in a loaded module, as "table.insert";
 * NULL if it has none. Borrowed, as long as the module is. Raises. */
const char *awl_library_name(lua_State *L, awl_state *s, int index);
/* "function@file:line", or the name of a library's function. Raises. */
const char *awl_function_name(lua_State *L, awl_state *s, int index);
/* An interned copy of a text. Raises. */
const char *awl_intern(lua_State *L, awl_state *s, const char *text);
void awl_free_sites(awl_state *s);

/* ---- lwire.c ---- */

typedef enum awl_leaf_kind {
  AWL_LEAF_CALL,  /* f(…), its results are results */
  AWL_LEAF_BODY,  /* f(ev, …), its result is the next wire */
  AWL_LEAF_VALUE, /* results */
  AWL_LEAF_HELD,  /* a body f(ev), a value that the engine holds */
  /* Second parts of other wires, see leaf.c: */
  AWL_LEAF_MAP,       /* f(results…), its results are results */
  AWL_LEAF_BIND,      /* f(results…), its result is the next wire */
  AWL_LEAF_CATCH,     /* f(err, info), its result is the next wire */
  AWL_LEAF_FINALLY,   /* f(), its result may be the next wire */
  AWL_LEAF_SUPERVISE, /* f(ev, err, info) */
  AWL_LEAF_WHEN,      /* f(err, n), says whether to try again */
  AWL_LEAF_KEYED,     /* no f: results by the keys of an All{} … */
  AWL_LEAF_KEY_LAST,  /* … results, then a key, of a number … */
  AWL_LEAF_KEY_FIRST  /* … key, then results */
} awl_leaf_kind;

enum { AWL_UNNUMBERED = UINT32_MAX };

/* The data of a host wire, and of what holds a Wire for the engine. */
typedef struct awl_leaf {
  awl_state *state;
  awl_leaf_kind kind;
  uint32_t number; /* in AWL_BODIES; or AWL_UNNUMBERED, see lwire.c */
  uint64_t serial; /* no two leaves have the same */
  int extra;       /* arguments beside f; -1: BODIES has f alone */
  aw_value value;  /* HELD … */
  aw_wire *wire;   /* … by this wire, which has the leaf: borrowed */
} awl_leaf;

/* Turn what V2 accepts at `index` into a wire for a task of `loop`, which
 * holds what it needs of Lua. NULL when V2 does not accept it. Gives. Raises.
 */
aw_wire *awl_to_wire(lua_State *L, awl_state *s, awl_loop *loop, int index);
/* As awl_to_wire(); if it raises, `value` is dropped first. */
aw_wire *awl_to_wire_or_drop(lua_State *L, awl_state *s, awl_loop *loop,
                             int index, aw_value value);
/* Push the Lua value of a wire that came back from the core. Raises. */
void awl_push_wire(lua_State *L, awl_state *s, aw_wire *wire); /* takes */
bool awl_is_wire(lua_State *L, awl_state *s, int index);
void awl_open_wire(lua_State *L, awl_state *s); /* raises */
/* Push the function of a leaf, or the table that has it (at 0) and its
 * arguments, as `extra` tells. `task` is about to run it. */
void awl_push_content(lua_State *L, awl_state *s, const awl_leaf *leaf,
                      const aw_task *task);
/* Is `wire` made of that very leaf? */
bool awl_is_leaf(const aw_wire *wire, const awl_leaf *leaf);
bool awl_callable(lua_State *L, int index);
/* Does `wire` hold, for the engine, the very value at `index`? */
bool awl_holds(lua_State *L, awl_state *s, const aw_wire *wire, int index);
/* One more claim on the Wire or body that `task`, or one above it, runs, and
 * that holds what it is made of; 0 if there is none. */
aw_value awl_keep_running(awl_state *s, const aw_task *task);
/* Push the Wire that `wire` holds for the engine, or nil. */
void awl_push_owner(lua_State *L, awl_state *s, const aw_wire *wire);
void awl_push_leaf_name(lua_State *L, awl_state *s, const awl_leaf *leaf,
                        const aw_task *task);

/* ---- expression.c ---- */
/* Push the text of a wire that a task holds, or of that of the Wire `owner`. */
void awl_show_wire(lua_State *L, awl_state *s, const aw_wire *wire);
void awl_show_owned(lua_State *L, awl_state *s, const aw_wire *wire, int owner);

/* ---- show.c ---- */
enum { AWL_LONGEST_WAIT = 64 };
/* What an operation waits for, as "5"; "" if it does not say. */
void awl_describe(const aw_operation *operation, const void *data, char *out,
                  size_t size);
void awl_show_value(lua_State *L, awl_state *s, int index); /* short */
void awl_cut_name(lua_State *L); /* the text on top, to what a name may be */
void awl_push_plain_name(lua_State *L, awl_state *s, const aw_task *task);
const char *awl_push_task_name(lua_State *L, awl_state *s, const aw_task *task);
/* Push what a task waits for, or nil [D1]. */
void awl_push_label(lua_State *L, awl_state *s, const aw_task *task);

/* ---- leaf.c ---- */

/* Does its content have a function to call? */
bool awl_leaf_calls(const awl_leaf *leaf);
/* Push what the leaf of `worker` is called with, besides its bound arguments:
 * what its first part left; returns how many. `loop` is the index of its
 * EventLoop. Raises. */
int awl_push_input(lua_State *L, awl_worker *worker, int loop);
/* What is above `first` - 1 is what f returned: is it a next wire, or are those
 * results? See awl_leaf_kind. */
typedef enum awl_report {
  AWL_REPORT_RESULTS,
  AWL_REPORT_NEXT,
  AWL_REPORT_NOTHING
} awl_report;
awl_report awl_leaf_report(lua_State *L, const awl_leaf *leaf, int first);

/* ---- traceback.c ---- */
/* Push a traceback of `co`, from `level`, without our own frames. Raises. */
void awl_push_traceback(lua_State *L, awl_state *s, lua_State *co, int level);

/* ---- linfo.c ---- */
void awl_open_info(lua_State *L, awl_state *s);
/* Forget the info of the error that is on its way in `worker`. */
void awl_drop_raised(awl_worker *worker);
/* Make a core error of the Lua error on top, raised in `worker`; pops. Raises.
 */
aw_error *awl_make_error(lua_State *L, awl_state *s, awl_worker *worker);
/* Make one of the error on top, of a task that is not running; pops. Raises. */
aw_error *awl_make_plain_error(lua_State *L, awl_state *s, aw_task *task);
/* Make one of the error on top, which came of another: with the info at `info`
 * (0: none) but for `err`; pops. Raises. */
aw_error *awl_make_derived_error(lua_State *L, awl_loop *loop, int info);
/* Push the Lua value of a core error, and its info. Raises. */
void awl_push_error(lua_State *L, awl_state *s, awl_loop *loop,
                    aw_error *error);
/* `task` stands in where nobody has a handle of the task that raised it. */
void awl_push_info(lua_State *L, awl_state *s, aw_error *error, aw_task *task);
/* Push an info about a task that has not failed. Raises. */
void awl_push_task_info(lua_State *L, awl_state *s, aw_task *task);
/* Raise `error` (taken) in `worker`, whose await it ended. */
int awl_raise(lua_State *L, awl_worker *worker, aw_error *error);

/* ---- lerror.c ---- */
void awl_open_errors(lua_State *L, awl_state *s);
/* Push what an error that the core made is in Lua. Raises. */
void awl_push_error_object(lua_State *L, const aw_error *error);
/* Push Cancelled as `task` sees it. Raises. */
void awl_push_cancelled(lua_State *L, awl_state *s, const aw_task *task);
/* Push a new Cancelled{reason, kind, where}; reason on top, popped. Raises. */
void awl_new_cancelled(lua_State *L, awl_state *s, const char *kind);
void awl_push_unhandled(lua_State *L); /* [err, info] → object */
void awl_push_timeout(lua_State *L, double seconds);
void awl_push_task_cancelled(lua_State *L);
void awl_push_deadlock(lua_State *L, const char *tree);
void awl_push_simple_error(lua_State *L, awl_class class, const char *text);
bool awl_is_cancelled(lua_State *L, awl_state *s, int index);

/* ---- ltask.c ---- */
void awl_open_task(lua_State *L, awl_state *s);
void awl_push_task(lua_State *L, awl_state *s, aw_task *task); /* raises */
lua_Integer awl_task_key(awl_state *s, const aw_task *task); /* in AWL_TASKS */
/* start(w [, handler [, opts]]), arguments from `arg`; pushes the Task. It was
 * started by the function at `level`, 1 being the caller. */
int awl_start(lua_State *L, awl_state *s, awl_loop *loop, aw_scope *scope,
              int arg, int level);

/* Raise that the loop has ended, and how [S7]. */
int awl_ended(lua_State *L, const awl_loop *loop);

/* ---- lloop.c ---- */
void awl_open_loop(lua_State *L, awl_state *s);
awl_loop *awl_loop_of(awl_state *s, const aw_loop *core);
void awl_push_loop(lua_State *L, awl_state *s, const awl_loop *loop);
/* The number of a loop is its place in awl_state.loops (and AWL_LOOPS), and in
 * the high half how often that place was used. NULL: it is no more. */
#define AWL_PLACE_OF(number) ((number)&0xffff)
awl_loop *awl_loop_number(const awl_state *s, uint32_t number);

/* ---- owner.c ---- */

/* Note that `co`, of a user, is the engine's to resume, or not (NULL). Raises
 * the first time only. */
void awl_own(lua_State *L, awl_state *s, lua_State *co, awl_worker *worker);
/* The worker that `co` belongs to while it waits; or NULL. */
awl_worker *awl_owner(awl_state *s, lua_State *co);
/* Room for one more worker; false: out of memory. */
bool awl_owned_reserve(awl_state *s);
/* The worker has its coroutine; there is room. */
void awl_owned_add(awl_state *s, const awl_worker *worker);
/* … and is about to lose it. */
void awl_owned_remove(awl_state *s, const awl_worker *worker);
/* Many workers have gone without the above. */
void awl_owned_rebuild(awl_state *s);

/* ---- lact.c, lscope.c, lco.c ---- */

void awl_open_act(lua_State *L, awl_state *s);
void awl_open_scope(lua_State *L, awl_state *s);
void awl_leave_scope(awl_scope *scope); /* it is open no more */
void awl_open_co(lua_State *L, awl_state *s);
void awl_install(lua_State *L, awl_state *s); /* raises */

/* ---- lchannel.c, lsync.c ---- */
void awl_open_channel(lua_State *L, awl_state *s);
void awl_open_sync(lua_State *L, awl_state *s);
/* Push the value that a wire sends; false: it is no wire that sends. */
bool awl_push_sent(lua_State *L, awl_state *s, const aw_wire_view *view);

/* ---- worker.c ---- */

int awl_worker_main(lua_State *L); /* the function of every worker */
/* Do the step at hand, run.step: CALL, RESUME. An error is the task's. */
void awl_worker_call(lua_State *L, awl_state *s);
void awl_worker_resume(lua_State *L, awl_state *s);
/* Close the coroutine of a worker, and let go of both. */
void awl_worker_end(awl_worker *worker);
/* Between runs: give the memory of a crowd of idle workers back. */
void awl_workers_trim(awl_state *s);
/* Let go of the error that the running body caught last. */
void awl_forget_raised(awl_state *s);
void awl_free_workers(awl_state *s);

/* ---- drive.c ---- */

/* Ask the engine for the next step. */
static inline void awl_pull(awl_run *run) {
  run->rc = aw_next(run->engine->core, run->loop, &run->step);
  run->over = run->rc <= 0;
  run->has_step = !run->over;
}

/* Drive `loop` to its end, or until `until` has ended. `limit`: in real time,
 * 0 or a point of awl_real_time(). From outside tasks of its engine only.
 * Returns what aw_next() ended with. Raises nothing. */
int awl_drive(lua_State *L, awl_state *s, awl_loop *loop, aw_task *until,
              uint64_t limit);

/* ---- await.c ---- */

/* The worker that may await in L; raises why not [C11]. `what` names the
 * function for the message. */
awl_worker *awl_awaiter(lua_State *L, awl_state *s, const char *what);
/* The task that runs, if L is in one; or NULL. */
aw_task *awl_running_task(awl_state *s);
/* Yield the wait that was just armed; `after` goes on when it has ended, however
 * it did, the stack as it was. `return` this. */
int awl_park(lua_State *L, awl_worker *worker, awl_after after);
/* An awl_after: raises if the wait ended badly, and gives nothing. */
int awl_after_wait(lua_State *L, awl_worker *worker);
/* May an await that need not wait return at once? Not if cancelled, nor when
 * the budget of this resume is spent [F3]. */
bool awl_at_once(awl_worker *worker);
/* A wait could not be armed, with `rc`: raise that, at once or, when that was
 * often enough, through the queue, so that a loop which swallows it cannot hold
 * the engine. `return` this. */
int awl_refuse(lua_State *L, awl_worker *worker, int rc);
const char *awl_push_refusal(lua_State *L, const awl_worker *worker);
/* Somebody else than the engine resumed a coroutine that rests in `worker`, even
 * if that has ended and is another task's now: refuse. `return` this. */
int awl_park_again(lua_State *L, awl_worker *worker, lua_KFunction k);
/* Raise if the wait ended badly. */
void awl_check_result(lua_State *L, awl_worker *worker);

/* ---- lsource.c ---- */
void awl_open_source(lua_State *L, awl_state *s); /* raises */

/* ---- ltest.c ---- */
void awl_open_test(lua_State *L, awl_state *s);
uint64_t awl_real_time(void);                   /* ns, monotonic */
void awl_limit_hit(lua_State *L, awl_state *s); /* note the dump, stop all */

/* ---- lsignal.c ---- */
bool awl_signals_hold(awl_state *s, awl_engine *engine); /* false: held yet */
int awl_signals_release(void);             /* the one that came, or 0 */
int awl_signals_taken(int *count);         /* the last one's number, or 0 */
int awl_signals_count(void);               /* so far, taken or not */
bool awl_signals_dump(void);               /* was a dump asked for? */
void awl_signals_step_over(lua_State *co); /* its step ended: no hook more */
void awl_signals_watch(lua_State *co);     /* coroutine that runs now */

/* ---- module.c ---- */
void awl_push_embedded(lua_State *L, const char *name); /* runs it; raises */

#endif
