/* state.h - the head file of the Lua binding: the state that all its files share
 *
 * Read this file first. The binding is a host of the core (aiowire.h): it runs
 * the core's host steps in coroutines. Its files are in rooms:
 *
 *   base/     the state, and what needs no running task: engines, loops and
 *             Tasks by number, values that the core carries, arguments,
 *             options, places in the source, texts, warnings
 *   wire/     Wires: building, combining and showing them, and converting them
 *             between Lua and the core
 *   errors/   error objects, the info beside an error, tracebacks
 *   run/      what runs tasks: driver, workers, awaiting, signals, debug hooks
 *   objects/  what Lua sees: the classes Task, EventLoop, Scope, Channel, …, and
 *             functions such as aw.sleep
 *
 * A room depends on those above it in this list, never on one below it:
 *
 *     base ◄── wire ◄── errors ◄── run ◄── objects ◄── lua/module.c
 *
 * and no files of a room depend on each other in a circle. A spec checks both,
 * by includes and by symbols. What a room needs of a later one, that sets when
 * it is opened (awl_upcalls, awl_set_show, awl_set_release). What x.c offers to
 * other files is declared in x.h; what lua/module.c calls, in open.h.
 *
 * One `awl_state` for each Lua state. Its tables are on the stack of a thread of
 * its own, `util`, where C code that must not raise can reach them (`awl_slot`).
 * A value that the core carries (aw_value) is a place in the table of the
 * EventLoop it belongs to. So an EventLoop that nobody refers to is garbage, and
 * its wires, handlers and results with it.
 *
 * Raising: a function marked "raises" may throw any Lua error. All others use
 * only functions of the Lua API that the manual marks `-`.
 */
#ifndef AWL_STATE_H
#define AWL_STATE_H

#include <aiowire.h>
#include <aiowire_lua.h>

#include <lauxlib.h>
#include <lua.h>

typedef struct awl_state awl_state;
typedef struct awl_engine awl_engine;
typedef struct awl_loop awl_loop;
typedef struct awl_worker awl_worker;
typedef struct awl_location awl_location;

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
  AWL_PERMIT, /* of a semaphore */
  AWL_READY,  /* handler of a task that is awaited until it is ready */
  AWL_RATE,
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
  AWL_TASKS,     /* engine and id of a task → Task, see task.c; weak values */
  AWL_FDS,     /* descriptor that a program has seen → object; weak values */
  AWL_OBJECTS, /* address → userdata that C code looks for; weak values */
  AWL_RUNNING, /* number of a loop → EventLoop, while the core runs it */
  AWL_THREADS, /* number of a worker → its coroutine */
  AWL_WAITS,   /* twice the number of a worker → userdata of its wait */
  AWL_CANCELLED_BY, /* aw_cancel_kind + 1 → a Cancelled, see errors.c */
  AWL_RAISED,  /* number of a worker → info of the error raised last in it, of
                 those on their way; see info.c */
  AWL_NAMES,   /* function of a library → its name */
  AWL_HOOKS,   /* debug hooks, see debug_hooks.c */
  AWL_TOLD,    /* kind and place of a mistake → it was told of */
  AWL_KEPT,    /* Task → info of a failure, see kept.c; weak keys */
  AWL_OWNED,   /* coroutine of a user → worker that parks in it; weak keys */
  AWL_HANDLER, /* the message handler of bodies */
  AWL_LOCALS,  /* of what runs outside of tasks: a table, or nil */
  AWL_METATABLES, /* of each awl_class */
  AWL_LAST_SLOT = AWL_METATABLES + AWL_CLASSES - 1
} awl_slot;

struct awl_engine {
  aw_engine *core;
  awl_state *state;
  aw_closer closer; /* told of each loop that has ended */
  uint64_t serial;  /* of all engines of the state, from 1; never used again */
  uint32_t number;  /* of those that there are now */
  bool is_virtual;  /* its clock */
};

/* What goes on when the wait of a worker has ended, by the engine alone. */
typedef int (*awl_after)(lua_State *L, awl_worker *worker);

/* The error on its way to a protected call of ours, from where it was raised to
 * where that call catches it. `__close` handlers run in between: they may await,
 * and make such calls of their own. See info.c. */
typedef struct awl_raised {
  aw_error *error; /* what an await raised it of (kept), or NULL */
  bool noted;      /* AWL_RAISED has its info */
} awl_raised;

/* A coroutine that runs host steps. Its life:
 * new → running ⇄ (parked in a task | idle in the pool) → dead */
struct awl_worker {
  awl_state *state;
  lua_State *co;
  awl_worker *next_idle;
  aw_task *task;     /* whose step it runs or is parked in; NULL: idle */
  aw_error *passing; /* error that its last await raised, or NULL [E1] */
  bool raising;      /* … that is being put together: user code may run now */
  awl_raised raised; /* on its way out of the body */
  uint32_t noted;    /* infos that AWL_RAISED has of it: one below another */
  aw_error *handled; /* what the handler that it runs is called for, or NULL */
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
  uint32_t at_once;  /* awaits since it was resumed that did not wait */
  int result;        /* how the wait ended */
  int refused;       /* why one could not begin, see awl_refuse() … */
  awl_after refusal; /* … and what raises that */
  bool started;      /* its function runs */
  bool parked;       /* it yielded by itself, not by a stray coroutine.yield */
  bool resumed;      /* by the engine, and nobody else */
  bool reported;     /* the step has been reported to the core */
  bool anchored;     /* so has AWL_WAITS */
  bool hooked;       /* it was given a debug hook, see debug_hooks.c */
  bool holding;      /* a clean-up in it holds an error back: the core knows */
};

typedef enum awl_scope_mode {
  AWL_MODE_SCOPE,
  AWL_MODE_TIMEOUT,
  AWL_MODE_SHIELD
} awl_scope_mode;

/* What the object points to that aw.scope hands to its function. */
typedef struct awl_scope {
  aw_scope *scope; /* NULL once left */
  aw_task *task;
  awl_worker *worker;      /* that lists it, until it is left or garbage */
  struct awl_scope *outer; /* of the same body; free: the next one that is */
  awl_raised raised;       /* on its way to this scope */
  aw_cut *waited;          /* what its time-out cut short, once it is left */
  uint64_t ns;             /* its time, for the text of a Timeout */
  awl_scope_mode mode;
  int status; /* of that function */
} awl_scope;

/* Claims on the values of an EventLoop. They outlive it while anybody names one
 * of its values, and keep its number from becoming another's. */
typedef struct awl_claims {
  uint32_t *counts; /* for each place: claims on it; free: next free place */
  uint32_t places, first_free;
  size_t live; /* values */
} awl_claims;

/* What the userdata of an EventLoop points to. That has the table of values, by
 * place, as user value 1. */
struct awl_loop {
  aw_loop *core; /* NULL once closed for good */
  awl_engine *engine;
  awl_state *state;
  uint32_t number;   /* in awl_state.loops and AWL_LOOPS, from 1 */
  uint32_t resource; /* its number, see resources.h */
  awl_claims *claims;
  struct awl_leaf *recent; /* of the wire made of a value last, or NULL */
  const char *where;       /* it was made: see awl_where() */
  uint64_t timeout;
  bool private_engine; /* it is the loop that the engine goes with */
  bool signals;
  bool ran; /* once, to its end */
};

/* A debug hook, as lua_sethook() sets it. */
typedef struct awl_hook {
  lua_Hook call; /* NULL: there is none */
  int mask, count;
} awl_hook;

/* What is under way; saved and restored around a nested engine's run. */
typedef struct awl_run {
  awl_engine *engine;
  aw_loop *loop;
  aw_task *until;      /* end when this task has ended; or NULL */
  awl_worker *running; /* whose coroutine runs, or NULL */
  lua_State *co;       /* innermost coroutine that may await */
  aw_step step;        /* that the driver is to do */
  int rc;              /* of the aw_next() that gave no step */
  uint64_t limit; /* real time to stop at, ns, or AW_NEVER; see time_limit.c */
  uint64_t late_since; /* real time of slow steps after the grace, or 0 */
  uint64_t hard_at; /* the same for the grace of a signal, on a virtual clock */
  struct awl_run *outer; /* the run in whose step this one is, or NULL */
  lua_State *driver;     /* the thread that drives … */
  awl_hook muted;        /* … its hook, while it runs code of ours */
  lua_State *outside;    /* the thread whose debug hook is for all bodies */
  bool has_step, over;
  bool hurried; /* memory has failed in it, or it is much too late: tasks that
                   are overdue do no more steps [C9] */
} awl_run;

/* What an object of Lua owns of C, see resources.c. */
typedef enum awl_resource_kind {
  AWL_RESOURCE_WIRE,
  AWL_RESOURCE_TASK,
  AWL_RESOURCE_CHANNEL, /* its messages, which know the channel */
  AWL_RESOURCE_EVENT,
  AWL_RESOURCE_SEMAPHORE,
  AWL_RESOURCE_RATE,
  AWL_RESOURCE_LOOP, /* an awl_loop */
  AWL_RESOURCE_KINDS
} awl_resource_kind;

typedef union awl_resource {
  void *thing;   /* or NULL */
  uint32_t next; /* free: the next one that is */
} awl_resource;

typedef struct awl_resources {
  void (*release)(void *thing); /* set before the first is entered */
  awl_resource *entries;
  uint32_t count, first_free;
  size_t live; /* objects */
} awl_resources;

/* Push a short text of the object at `index`, of one class; false, and nothing is
 * pushed, if it has none. May raise; calls nothing of users. */
typedef bool (*awl_show)(lua_State *L, awl_state *s, int index);
/* Push what the text of a wire has as its last argument; see show.h. */
typedef void (*awl_push_argument)(lua_State *L, awl_state *s, const void *data);
enum { AWL_MOST_ARGUMENTS = 4 };

/* What a room asks of the rooms above it, which set it when they are opened. */
typedef struct awl_upcalls {
  /* aw.sleep, aw.sleep_until: Call() of one is a wire of the core [V7]. */
  lua_CFunction sleep, sleep_until;
  lua_CFunction keep; /* aw.keep */
  /* The lowest function of ours in a worker's stack, and below a handler. */
  lua_CFunction worker, handler;
  /* The handler of `task`, which has failed, is on top. True: start_ready() has
   * dealt with the failure. Else it is the user's own handler now, or nil. */
  bool (*settle_ready)(lua_State *L, awl_state *s, aw_task *task);
} awl_upcalls;

struct awl_state {
  lua_State *main, *util;
  awl_run run;
  awl_engine *engine;  /* the state's own; NULL until first used */
  awl_loop gone_loop;  /* what finalized EventLoops point to: it is closed */
  awl_loop **loops;    /* by number; NULL: garbage, or never there */
  awl_claims **claims; /* of those, and of garbage whose values are named */
  uint32_t loop_count;
  uint32_t *leaves; /* free numbers of leaves: a chain, see build.c */
  uint32_t leaf_count, first_leaf;
  uint64_t leaf_serial;
  awl_worker **workers;   /* by number; NULL where free */
  uint32_t *worker_chain; /* free numbers */
  uint32_t worker_count, first_worker;
  uint32_t *owned; /* the workers by their coroutines, see coroutine_owner.c */
  uint32_t owned_count, owned_bits;
  awl_worker *idle;
  awl_location **locations;
  size_t location_count, location_size;
  const awl_location *recent_locations[2]; /* of a place, of a function */
  awl_upcalls upcalls;
  const void *metatables[AWL_CLASSES];
  awl_show shows[AWL_CLASSES]; /* or NULL */
  struct {
    const aw_operation *operation; /* NULL: free */
    awl_push_argument push;
  } arguments[AWL_MOST_ARGUMENTS];
  uint64_t engine_serial; /* of the engine made last */
  uint32_t *engine_chain; /* free numbers of engines */
  uint32_t engine_count, first_engine;
  awl_resources resources[AWL_RESOURCE_KINDS];
  aw_lua_held *held;       /* by objects of embedders: a list */
  awl_scope *free_scopes;  /* a list, see scope.c … */
  awl_scope *scope_blocks; /* … and the blocks that they are in */
  size_t leaf_live, values, busy, idle_count;
  lua_Hook screened; /* of the library `debug`, see debug_hooks.c */
  size_t unseen;     /* memory that the collector has not been told of yet */
  bool named;        /* AWL_NAMES is filled */
  bool installed;    /* coroutine.* are ours */
  bool host;         /* the program aiowire */
  bool closing;      /* lua_close is under way */
  bool gc_stress;
  bool closing_worker; /* the coroutine of one is being closed, by
                          awl_worker_end() */
  bool keeps;   /* tasks have failures that nobody has waited for, see kept.c */
  bool starved; /* there was no memory for what was made last; see driver.c */
  int exit_code;
  bool exiting;       /* os.exit() was called */
  bool holds_signals; /* its outermost run does, see signals.c */
  int signal;         /* that ended the outermost run */
  bool in_handler;
  aw_task *handler_task;               /* whose failure is being handled … */
  aw_loop *handler_loop;               /* … and its loop */
  aw_lua_value closed, passed;         /* see channel.c, */
  aw_value closed_value, passed_value; /* as values of the core */
};

/* ---- state.c ---- */

/* What is freed when the state ends, in that order; NULL at the end. The list is
 * in lua/module.c, which knows all rooms. */
typedef void (*awl_ending)(awl_state *s);
extern const awl_ending awl_endings[];

/* The state that belongs to L; made by luaopen_aiowire. Raises once lua_close
 * has finalized it: what was there before the module is finalized later, and
 * may call it. Leaves the stack as it was. */
awl_state *awl_open(lua_State *L);
/* The same in C functions of the module: upvalue 1. */
awl_state *awl_of(lua_State *L);
/* The task whose step runs, or NULL. */
static inline aw_task *awl_running_task(const awl_state *s) {
  return s->run.running ? s->run.running->task : NULL;
}
/* Is the value at `index` aw.keep? */
static inline bool awl_is_keep(lua_State *L, const awl_state *s, int index) {
  lua_CFunction f = lua_tocfunction(L, index);
  return f && f == s->upcalls.keep;
}
/* Free numbers are a chain in an array: each free one has the next, the last
 * one `*count`. Double it, from `least`; false: out of memory. */
bool awl_grow_chain(uint32_t **chain, uint32_t *count, uint32_t least);
void awl_push_class(lua_State *L, awl_state *s, awl_class class);
bool awl_is(lua_State *L, awl_state *s, int index, awl_class class);
/* Is L, or what resumed it, in a finalizer? That may come at any allocation of
 * Lua, so also in the middle of a function of ours. */
bool awl_in_finalizer(lua_State *L);
/* Push a table of `util`, or one value of it. */
void awl_push_slot(lua_State *L, awl_state *s, awl_slot slot);
void awl_get(lua_State *L, awl_state *s, awl_slot slot, lua_Integer key);
/* Set slot[key] to the value on top, and pop it; raises. */
void awl_set(lua_State *L, awl_state *s, awl_slot slot, lua_Integer key);
/* Set slot[key] to nil; cannot fail. */
void awl_unset(awl_state *s, awl_slot slot, lua_Integer key);

#endif
