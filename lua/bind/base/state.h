/* state.h - the head file of the Lua binding: the state that its files share
 *
 * Read this file first. The binding is a host of the core (aiowire.h): it runs
 * the core's host steps in coroutines. Its files are in rooms:
 *
 *   base/     the state, and what needs no running task: engines, loops and
 *             Tasks by number, values that the core carries, arguments,
 *             options, places in the source, texts, warnings
 *   wire/     Wires: building, combining and showing them, and converting them
 *             between Lua and the core
 *   errors/   error objects, the info beside an error, tracebacks, notices
 *   signals/  what stops a run from outside: signals, interrupts, limits
 *   run/      what runs tasks: driver, workers, awaiting, debug hooks
 *   objects/  what Lua sees: the classes Task, EventLoop, Scope, Channel and so
 *             on, and functions such as aw.sleep
 *
 * A room depends on those above it in this list, never on one below it:
 *
 *     base ◄─ wire ◄─ errors ◄─ signals ◄─ run ◄─ objects ◄─ lua/embed,
 *                                                            lua/module.c
 *
 * and the files of a room do not depend on each other in a circle. A spec
 * checks both rules, by includes and by symbols. If a room needs a function of
 * a later room, the later room sets that function when it is opened
 * (awl_upcalls, awl_set_show, awl_set_release). x.h declares what x.c offers to
 * other files; open.h declares what lua/module.c calls.
 *
 * Each Lua state has one `awl_state`. The tables of that state are on the stack
 * of a thread of its own, `util`, where C code that must not raise can reach
 * them (`awl_slot`). Each value that the core carries (aw_value) belongs to an
 * EventLoop, and is a place in the table of that EventLoop. So an EventLoop
 * that nobody refers to is garbage, together with its wires, handlers and
 * results.
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

#include <stdatomic.h>

typedef struct awl_state awl_state;
typedef struct awl_engine awl_engine;
typedef struct awl_loop awl_loop;
typedef struct awl_worker awl_worker;
typedef struct awl_location awl_location;
typedef struct awl_sleep awl_sleep;
typedef struct awl_hosted awl_hosted;
typedef struct awl_seen_stacks awl_seen_stacks;
typedef struct awl_session awl_session;
typedef struct awm_recorder awm_recorder;
typedef struct awm_states awm_states;
typedef struct awm_trace awm_trace;

/* The types of error objects, a row for each:
 *
 *   class      enumerator of awl_class
 *   name       of the metatable
 *   predicate  function of the module that recognizes the type
 *   text       __tostring: a function in lua/bind/errors/
 *   placed     the object has the field `where`: the line that raised it [E4]
 *
 * A new type needs a row here, its class and predicate in lua/aiowire/meta.lua,
 * and, if awl_push_simple_error() does not make it, a function in errors.c that
 * does. */
#define AWL_ERROR_TYPES(ROW) \
  ROW(AWL_CANCELLED, "aiowire.Cancelled", "is_cancelled", \
      awl_message_tostring, false) \
  ROW(AWL_TIMEOUT, "aiowire.Timeout", "is_timeout", awl_timeout_tostring, \
      true) \
  ROW(AWL_TASK_CANCELLED, "aiowire.TaskCancelled", "is_task_cancelled", \
      awl_error_tostring, true) \
  ROW(AWL_UNHANDLED, "aiowire.UnhandledException", "is_unhandled", \
      unhandled_tostring, false) \
  ROW(AWL_CLOSED, "aiowire.Closed", "is_closed", awl_error_tostring, true) \
  ROW(AWL_SYSTEM_ERROR, "aiowire.SystemError", "is_system_error", \
      awl_error_tostring, true) \
  ROW(AWL_TLS_ERROR, "aiowire.TLSError", "is_tls_error", awl_error_tostring, \
      true) \
  ROW(AWL_DEADLOCK, "aiowire.Deadlock", "is_deadlock", awl_error_tostring, true)

/* Classes of objects; each has a metatable. */
typedef enum awl_class {
  AWL_WIRE,
  AWL_SLEEP, /* a Wire that only sleeps, see sleeps.c */
  AWL_BODY,  /* a Wire that aw.Wire(f, …) made, see build.c */
  AWL_TASK,
  AWL_LOOP,
  AWL_SCOPE,
  AWL_INFO,
  AWL_CHANNEL,
  AWL_EVENT,
  AWL_SEMAPHORE,
  AWL_PERMIT, /* a permit of a semaphore */
  AWL_READY,  /* the handler of a task that start_ready() waits for */
  AWL_RATE    /* the classes of error objects follow */
#define AND_CLASS(class, ...) , class
      AWL_ERROR_TYPES(AND_CLASS),
#undef AND_CLASS
  AWL_CLASSES
} awl_class;

/* Indices on the stack of `util`. Each slot has a table, unless its comment
 * says otherwise. */
typedef enum awl_slot {
  AWL_LOOPS = 1, /* number of a loop → EventLoop; weak values */
  AWL_VALUES,    /* number of a loop → table of its values; weak values */
  AWL_BODIES,    /* number of a leaf → function or arguments; weak values */
  AWL_TASKS,   /* number of a resource + 1 → Task, see tasks.c; weak values */
  AWL_FDS,     /* descriptor that a program was given → object; weak values */
  AWL_KNOWN,   /* cell of awl_state.known + 1 → function; weak values */
  AWL_OBJECTS, /* address → userdata that C code looks for; weak values */
  AWL_RUNNING, /* number of a loop → EventLoop, while the core runs it */
  AWL_THREADS, /* number of a worker + 1 → its coroutine */
  AWL_WAITS,   /* 2n + 1 and 2n + 2 for worker n → userdata of its wait */
  AWL_CANCELLED_BY, /* aw_cancel_kind + 1 → a Cancelled, see errors.c */
  AWL_NAMES,        /* function of a library → its name */
  AWL_TRACES,       /* place in awl_state.traces → text of a stack */
  AWL_HOOKS,        /* debug hooks, see debug_hooks.c */
  AWL_TOLD, /* kind and place of a mistake → true: the warning was given */
  AWL_BACKGROUND,  /* list of background work, see background.c */
  AWL_KEPT,        /* Task → info of a failure, see kept.c; weak keys */
  AWL_OWNED,       /* coroutine of a user → worker parked in it; weak keys */
  AWL_HANDLER,     /* the message handler of bodies */
  AWL_LOCALS,      /* aw.locals outside of tasks: a table, or nil */
  AWL_BUSY_VALUES, /* the values of `busy_loop`, or nil; see values.c */
  AWL_LAST_SLOT = AWL_BUSY_VALUES
} awl_slot;

/* ---- engines and loops ---- */

struct awl_engine {
  aw_engine *core;
  awl_state *state;
  aw_closer closer; /* tells the binding of each loop that has ended */
  uint64_t serial;  /* counts the engines of the state, from 1; never reused */
  uint32_t number;  /* unique among living engines; reused */
  bool is_virtual;  /* the clock is virtual */
  /* A host program made the core's engine and drives it; other states may use
   * it, too. `closer` is unused: the hub has one, see lua/embed/hub.h. */
  bool hosted;
};

/* Counts of the references to the values of an EventLoop. They outlive the
 * EventLoop until nobody refers to its values, and reserve its number so
 * long. */
typedef struct awl_claims {
  /* for each place: number of references, or if free the next free place */
  uint32_t *counts;
  uint32_t places, first_free;
  size_t live; /* places that are taken */
} awl_claims;

/* The userdata of an EventLoop points to this struct. User value 1 of the
 * userdata is the table of the loop's values, by place. */
struct awl_loop {
  aw_loop *core; /* NULL once the loop is closed for good */
  awl_engine *engine;
  awl_state *state;
  uint32_t number;    /* in awl_state.loops and AWL_LOOPS, from 1 */
  aw_value values;    /* what its values begin with: see values.c */
  uint32_t resource;  /* number of its entry, see resources.h */
  const void *object; /* the address of the EventLoop, its userdata */
  awl_claims *claims;
  /* leaf of the last wire that holds a value; or NULL */
  struct awl_leaf *recent;
  const char *where; /* the line that made the loop, see awl_where() */
  /* option `timeout` of the EventLoop, ns, or AW_NEVER */
  uint64_t timeout;
  bool private_engine; /* freeing the loop frees the engine */
  bool signals;        /* option `signals` of the EventLoop */
  bool ran;            /* the loop has run to its end once */
};

/* An aw_value is the number of a state, that of a loop, and a place. */
enum { AWL_STATE_SHIFT = 48, AWL_LOOP_SHIFT = 32, AWL_MOST_LOOPS = 0xffff };

/* ---- workers ---- */

/* Continues the C function that parked the worker, when its wait has ended or
 * was refused; see awl_wait(). */
typedef int (*awl_after)(lua_State *L, awl_worker *worker);

/* The error on its way to a protected call of the binding: it has been raised,
 * and that call has not caught it yet. `__close` handlers run in between; they
 * may await, and make protected calls of their own. See raised.c. */
typedef struct awl_raised {
  aw_error *error; /* the core error that an await raised (kept), or NULL */
  aw_value info;   /* the info of the error, or 0: no error is on its way */
} awl_raised;

/* The first block of structs has so many; each later one doubles their
 * number. */
enum { AWL_FEWEST_WORKERS = 16 };

/* A coroutine that runs host steps. Its life:
 * new → running ⇄ (parked in a task | idle in the pool) → dead */
struct awl_worker {
  awl_state *state;
  lua_State *co;
  awl_worker *next_idle;
  uint32_t number;
  /* the task whose step the worker runs; NULL: the worker is idle */
  aw_task *task;

  /* the body */
  const struct awl_leaf *leaf; /* the leaf whose body runs */
  /* serial of the leaf whose content is on the stack, at `content` … */
  uint64_t serial;
  /* … and of the leaf whose content is in the other place; 0: none is */
  uint64_t second_serial;
  int content;
  uint32_t loop_number; /* number of the EventLoop on the stack */
  /* scopes that are open in the body, innermost first */
  struct awl_scope *scopes;
  bool started;  /* the function of the coroutine runs */
  bool reported; /* the step has been reported to the core */
  bool hooked;   /* the worker has got a debug hook, see debug_hooks.c */

  /* the wait */
  lua_State *waiting;   /* coroutine that parked: `co`, or one inside it */
  int top;              /* height of the stack of `waiting` */
  awl_after after;      /* the continuation */
  aw_lua_continue then; /* the continuation that aw_lua_await() got */
  void *data;           /* the argument of `then` */
  int result;           /* 0, or why the wait ended or could not begin */
  /* valid if `result` is not 0: the code with which the core refused the wait;
   * 0: not refused */
  int refused;
  uint32_t at_once; /* awaits that did not wait, since the last resume */
  bool parked;      /* the worker yielded to park, not by coroutine.yield */
  bool resumed;     /* the engine resumed it, not the user */
  uint8_t anchored; /* bits 1 and 2: AWL_WAITS has such userdata */

  /* errors */
  aw_error *passing; /* the error that the last await raised, or NULL [E1] */
  bool unseen;       /* nobody will see the error on its way out of the body */
  bool raising;      /* awl_raise() works on `passing`: user code may run */
  awl_raised raised; /* the error on its way out of the body */
  uint32_t noted;    /* number of errors on their way: here and in scopes */
  aw_error *handled; /* the error that the body was called to handle, or NULL */
  bool holding;      /* the core knows that a clean-up holds an error back */
};

typedef enum awl_scope_mode {
  AWL_MODE_SCOPE,
  AWL_MODE_TIMEOUT,
  AWL_MODE_SHIELD
} awl_scope_mode;

/* The userdata of a Scope points to this struct. */
typedef struct awl_scope {
  aw_scope *scope; /* NULL once the scope is left */
  aw_task *task;
  /* the worker that lists the scope; NULL once it is left or garbage */
  awl_worker *worker;
  /* the scope around it in the same body; if free: the next free one */
  struct awl_scope *outer;
  awl_raised raised; /* the error on its way to this scope */
  /* the wait that its time-out cut short; set when the scope is left */
  aw_cut *waited;
  uint64_t ns; /* its time limit, for the text of a Timeout */
  awl_scope_mode mode;
  int status; /* Lua's status of the function that ran in the scope */
} awl_scope;

/* ---- runs ---- */

/* A debug hook, as lua_sethook() sets it. */
typedef struct awl_hook {
  lua_Hook call; /* NULL: there is none */
  int mask, count;
} awl_hook;

/* What interrupts a busy body, see interrupt.c. For the thread that drives the
 * state, and for signal handlers on that thread. */
typedef struct awl_interruption {
  /* the coroutine that runs now, or NULL; kept while `sources` is not 0 */
  _Atomic(lua_State *) co;
  /* the hook is armed, or is to be armed in the next coroutine that runs */
  atomic_bool hooked;
  /* what the hook is for: */
  atomic_bool once; /* to interrupt this step */
  atomic_bool next; /* … the next one, unless the driver learns of it first */
  atomic_int lasting; /* … each step: interrupts that do not end with one */
  atomic_int asked;   /* to give what is `wanted`, see interrupt.c */
  atomic_int wanted;  /* bits of AWL_ASK_… */
  bool tells;         /* the first error of this step is told as a notice */
  atomic_bool late;   /* the time limit of the run is over */
  int sources;        /* those who may interrupt */
  int open;           /* those among them that are aw_lua_interrupts */
  int raised;         /* errors that the hook has raised in this step */
  int ran;            /* instructions since the last error or the interrupt */
  int slice;          /* of them, until the hook is called */
  uint64_t since;     /* processor time of the same moment; 0: none */
  lua_State *armed;   /* the coroutine in which the hook is armed, or NULL */
  awl_hook users;     /* the user's hook, which the armed hook replaces */
} awl_interruption;

/* What is told about a running program, see notice.c. */
typedef struct awl_notices {
  void (*tell)(void *data, aw_lua_notice kind, const char *text); /* or NULL */
  void *data;
  /* where a signal of this run has interrupted a body first; "": nowhere */
  char interrupted[200];
} awl_notices;

/* The current run. awl_drive() saves and restores it around a nested run of
 * another engine. */
typedef struct awl_run {
  awl_engine *engine; /* NULL: nothing runs */
  aw_loop *loop;
  aw_task *until;      /* the run ends when this task has ended; or NULL */
  bool settles;        /* … and its failure was handled */
  awl_worker *running; /* the worker whose coroutine runs, or NULL */
  lua_State *co;       /* innermost coroutine that may await */
  aw_step step;        /* the step at hand */
  /* the last result of aw_next(); <= 0: no step, the run is over */
  int rc;
  /* real time (ns) at which the run stops, or AW_NEVER; see limits.c */
  uint64_t limit;
  /* real time of the first slow step past the grace, or 0 */
  uint64_t late_since;
  /* real time at which the grace of a signal ends, on a virtual clock; or
   * AW_NEVER */
  uint64_t hard_at;
  struct awl_run *outer; /* the run in whose step this one is, or NULL */
  lua_State *driver;     /* the thread that drives */
  awl_hook muted;        /* the hook of `driver` while it is muted */
  lua_State *outside;    /* the thread whose debug hook is for all bodies */
  bool has_step;         /* `step` has not been run yet */
  bool over;
  /* out of memory, or far past its grace: overdue tasks do no more steps
   * [C9] */
  bool hurried;
} awl_run;

/* ---- sessions ---- */

/* What other rooms know of a session, see lua/embed/session.c. Its loop runs as
 * long as the session is open, and what would end other loops does not end it.
 * The functions raise nothing. */
struct awl_session {
  awl_state *state;
  awl_loop *loop;
  size_t hidden; /* tasks of its own that nobody sees */
  bool ready;    /* a wait is over: the run of its loop pauses */
  /* A signal has come for the run of its loop. */
  void (*signalled)(awl_session *session);
  /* The loop would be stopped: cancel its tasks. */
  void (*stop)(awl_session *session);
  /* Is this the task of a call, which tells of the failure? */
  bool (*calls)(const awl_session *session, const aw_task *task);
  /* The loop would fail with `error`, of `task` (or NULL): tell of it. */
  void (*failed)(awl_session *session, lua_State *L, aw_error *error,
                 aw_task *task);
  /* All tasks wait [L4]. Return whether a call was cancelled. */
  bool (*blocked)(awl_session *session, lua_State *L);
};

/* ---- what objects of Lua own of C, see resources.c ---- */

typedef enum awl_resource_kind {
  AWL_RESOURCE_WIRE,
  AWL_RESOURCE_TASK,
  AWL_RESOURCE_CHANNEL, /* the messages; they know the channel */
  AWL_RESOURCE_EVENT,
  AWL_RESOURCE_SEMAPHORE,
  AWL_RESOURCE_RATE,
  AWL_RESOURCE_LOOP, /* an awl_loop */
  AWL_RESOURCE_KINDS
} awl_resource_kind;

typedef union awl_resource {
  void *thing;   /* or NULL */
  uint32_t next; /* if the entry is free: number of the next free entry */
} awl_resource;

typedef struct awl_resources {
  void (*release)(void *thing); /* set before the first entry is made */
  awl_resource *entries;
  uint32_t count, first_free;
  size_t live; /* objects that have an entry */
} awl_resources;

/* ---- what a room takes of later ones ---- */

/* Push a short text of the object at `index`, whose class is known. False,
 * and nothing is pushed: the object has no text. May raise; calls no code of
 * users. */
typedef bool (*awl_show)(lua_State *L, awl_state *s, int index);
/* Push the last argument in the text of a wire, see show.h. */
typedef void (*awl_push_argument)(lua_State *L, awl_state *s, const void *data);
enum { AWL_MOST_ARGUMENTS = 4 };

/* Functions of later rooms. Each room sets its functions when it is opened. */
typedef struct awl_upcalls {
  /* aw.sleep, aw.sleep_until: Call(aw.sleep, s) makes a wire of the core
   * [V7] */
  lua_CFunction sleep, sleep_until;
  lua_CFunction keep; /* aw.keep */
  /* The binding's lowest C function on the stack of a worker, and of a
   * handler; and that of many turns, above the worker's */
  lua_CFunction worker, handler, turns;
  lua_CFunction call; /* that of a session's call, above them; or NULL */
  /* `task` has failed, and its handler is on top. True: start_ready() has dealt
   * with the failure. False: the user's own handler, or nil, is on top now */
  bool (*settle_ready)(lua_State *L, awl_state *s, aw_task *task);
  /* A run of `loop` begins: start the background work of the state. Raises. */
  void (*start_background)(lua_State *L, awl_state *s, awl_loop *loop);
  /* The state has made an engine, which no loop uses yet. Returns 0 or a
   * negative code; raises and collects nothing. NULL: nobody listens */
  int (*engine_made)(const awl_engine *engine);
  /* Somebody may ask for a look at the tasks. In the middle of a body: `hook`.
   * Raises nothing. NULL, as the next one: nobody may look into the state */
  void (*look)(lua_State *L, awl_state *s, bool hook);
  /* The engine that runs has changed: it is that of `run`, or else the host
   * program's, or none. Raises nothing. */
  void (*runs)(lua_State *L, awl_state *s);
  /* our `require` [R16] */
  lua_CFunction require;
  /* Put it in the place of Lua's. Raises. */
  void (*install_require)(lua_State *L, awl_state *s);
  /* While there are loads, call these. `worker` has parked: end the waits
   * for modules that wait for themselves */
  void (*find_cycles)(awl_state *s, const awl_worker *worker);
  /* The coroutine `co`, or `worker` with all coroutines inside it, has died;
   * one of both is NULL */
  void (*end_loads)(awl_state *s, const lua_State *co,
                    const awl_worker *worker);
  /* Does `co` load a module? */
  bool (*loads_in)(const awl_state *s, const lua_State *co);
  /* Push what was recorded, for the end of a report; NULL, or false with
   * nothing pushed: nothing is recorded. Raises. */
  bool (*push_recorded)(lua_State *L, awl_state *s);
} awl_upcalls;

/* ---- the state ---- */

enum { AWL_OPEN = 128 };

/* The name of a function of Lua that was asked for before; AWL_KNOWN has the
 * function. See location.c. */
typedef struct awl_known {
  const void *identity; /* the address of the function, or NULL */
  const char *name;
} awl_known;
enum { AWL_MOST_KNOWN = 32 };

/* The message of the last Timeout, see timeout.c; no text: there was none. */
typedef struct awl_timeout_text {
  double seconds;
  char text[40];
} awl_timeout_text;

/* A hash table that finds numbers by keys, see numbers.c. */
typedef struct awl_numbers {
  uint32_t *cells; /* NULL: it has none yet */
  uint32_t count, bits;
} awl_numbers;

/* What leaves have instead of their state, since they may outlive it: a host
 * program may keep an error that refers to a wire. The last one frees it. */
typedef struct awl_life {
  awl_state *state; /* NULL once it has ended */
  size_t leaves;    /* living ones */
} awl_life;

struct awl_state {
  lua_State *main, *util;
  awl_life *life;
  awl_run run;
  uint64_t steps; /* that were pulled to run code of Lua, see aw_lua_steps() */
  awl_interruption interruption;
  awl_notices notices;
  awl_engine *engine;    /* the state's own; NULL until first used */
  awl_hosted *hosted;    /* NULL: no host program drives its own engine */
  awl_loop *hosted_loop; /* that of tasks which the host starts; or NULL */
  awl_session *session;  /* or NULL */
  aw_value prefix; /* what all values of the state begin with, see values.c */

  /* loops, by number; see loops.c */
  awl_loop gone_loop; /* finalized EventLoops point to this closed loop */
  /* an entry is NULL if the loop is garbage, or not made yet */
  awl_loop **loops;
  awl_claims **claims; /* may outlive the loop of that number */
  uint32_t loop_count;
  uint32_t busy_loop; /* number of a loop that runs, or 0 */

  /* chains of free numbers, and tables that find numbers; see numbers.c */
  uint32_t *leaves; /* numbers of leaves, see build.c */
  uint32_t leaf_count, first_leaf;
  uint64_t leaf_serial;   /* serial of the leaf made last */
  awl_sleep *sleeps;      /* see sleeps.c; NULL until first used */
  awl_worker **workers;   /* by number; see pool.c */
  uint32_t *worker_chain; /* numbers of workers */
  uint32_t worker_count, first_worker;
  awl_worker *idle;       /* the pool of idle workers, a list */
  awl_numbers owned;      /* workers by coroutines, see coroutine_owner.c */
  awl_numbers tasks;      /* resources of Tasks by ids, see tasks.c */
  uint32_t *engine_chain; /* numbers of engines */
  uint32_t engine_count, first_engine;
  uint64_t engine_serial; /* serial of the engine made last */

  awl_location **locations; /* a hash table, see location.c */
  size_t location_count, location_size;
  /* the last text of a place, and of a function */
  const awl_location *recent_locations[2];
  awl_known known[AWL_MOST_KNOWN];
  awl_seen_stacks *seen_stacks; /* see seen_stack.c; NULL until first used */
  struct awm_look *look;        /* see monitor/inspect; NULL: nobody may look */

  /* classes */
  awl_upcalls upcalls;
  const void *metatables[AWL_CLASSES];
  int classes[AWL_CLASSES];    /* the same metatables, by luaL_ref() */
  awl_show shows[AWL_CLASSES]; /* or NULL */
  struct {
    const aw_operation *operation; /* NULL: the cell is free */
    awl_push_argument push;
  } arguments[AWL_MOST_ARGUMENTS];

  awl_timeout_text timeout_text;

  /* memory */
  awl_resources resources[AWL_RESOURCE_KINDS];
  aw_lua_held *held; /* resources of embedders: a list */
  /* who listens to the engines, a list; see lua/monitor/listen */
  aw_lua_instrument *instruments;
  awl_scope *free_scopes;  /* a list of free structs, see scope.c */
  awl_scope *scope_blocks; /* the blocks that contain these structs */
  /* bytes that the collector has not been told of yet */
  size_t unseen;
  /* objects made lately that are still open, or NULL; see memory_pressure.c */
  aw_lua_weight *open[AWL_OPEN];
  uint32_t next_open; /* the place of the next one */
  size_t open_bytes;  /* weight of the older ones that are still open … */
  size_t open_before; /* … and what it was when a cycle ended */
  bool starved;       /* the last attempt to get memory has failed */

  struct awl_load *loads; /* modules that tasks load, see lua/loads.c */

  /* see lua/monitor; NULL: nothing is recorded */
  awm_recorder *recorder;
  awm_states *states;  /* transitions are counted */
  awm_trace *trace;    /* under way, or NULL */
  bool watches_cycles; /* an object of pauses.c waits for the collector */

  /* counts for aw.stats() */
  size_t background; /* entries of AWL_BACKGROUND */
  size_t values, busy, idle_count;

  /* flags */
  lua_Hook screened;   /* the hook of the library `debug`, see debug_hooks.c */
  bool named;          /* AWL_NAMES has been filled */
  bool installed;      /* aw.install() has replaced functions of Lua */
  bool host;           /* this is the program aiowire */
  bool closing;        /* lua_close is under way */
  bool closing_worker; /* awl_worker_end() closes a coroutine */
  bool gc_stress;      /* AIOWIRE_GCSTRESS=1 */
  bool drawing;        /* the first await ends the chunk, see first_await.c */
  bool left;           /* there is a loop that leave() has left, likewise */
  bool careful;        /* one of both: awaits take no short way */
  bool keeps;          /* AWL_KEPT has ever had an entry, see kept.c */

  /* the end of the program */
  int exit_code;
  bool exiting;       /* os.exit() was called */
  bool holds_signals; /* the outermost run gets the signals, see signals.c */
  int signal;         /* the signal that ended the outermost run, or 0 */

  /* the loop of aw_lua_main_with() while it runs with a time limit, and the end
   * of that limit on the engine's clock; or NULL */
  struct {
    aw_loop *loop;
    uint64_t at;
  } fixed;

  /* the handler of start() that runs now */
  bool in_handler;
  aw_task *handler_task; /* the task whose failure is being handled */
  aw_loop *handler_loop; /* the loop of that task */

  /* channels, see channel.c */
  /* the tokens for "closed" and "passed" */
  aw_lua_value closed, passed;
  aw_value closed_value, passed_value; /* these tokens as values of the core */
};

/* ---- state.c ---- */

/* The functions that free parts of the state when it ends, in order; NULL ends
 * the list. The list is in lua/module.c, which knows all rooms. */
typedef void (*awl_ending)(awl_state *s);
extern const awl_ending awl_endings[];

/* The state of L; the first call makes it. Raises after lua_close has finalized
 * the state: objects older than the module are finalized later, and may call
 * functions of the module. Leaves the stack as it was. */
awl_state *awl_open(lua_State *L);
/* The state of the binding in L; NULL: the library is not open there, or the
 * state has ended. */
awl_state *awl_find_state(lua_State *L);
/* As awl_open(), in C functions of the module: their upvalue 1 is the state. */
awl_state *awl_of(lua_State *L);
/* Is the environment variable `name` "1"? With the option -E of Lua's
 * interpreter it does not count. Raises. */
bool awl_is_switched_on(lua_State *L, const char *name);
/* The task whose step runs, or NULL. */
static inline aw_task *awl_running_task(const awl_state *s) {
  return s->run.running ? s->run.running->task : NULL;
}
/* Is the value at `index` aw.keep? */
static inline bool awl_is_keep(lua_State *L, const awl_state *s, int index) {
  lua_CFunction f = lua_tocfunction(L, index);
  return f && f == s->upcalls.keep;
}
/* The session that runs `loop`, or NULL. */
static inline awl_session *awl_session_of(const awl_state *s,
                                          const aw_loop *loop) {
  return s->session && s->session->loop->core == loop ? s->session : NULL;
}
/* aw_task_where() of the tasks that a session hides */
extern const char awl_hidden[];
void awl_push_class(lua_State *L, awl_state *s, awl_class class);
bool awl_is(lua_State *L, awl_state *s, int index, awl_class class);
/* Does a finalizer run in this Lua state? Any allocation of Lua may run one,
 * also in the middle of a function of the binding. */
bool awl_in_finalizer(lua_State *L);
/* Push the value of a slot of `util`; awl_get() pushes slot[key]. */
void awl_push_slot(lua_State *L, awl_state *s, awl_slot slot);
void awl_get(lua_State *L, awl_state *s, awl_slot slot, lua_Integer key);
/* Set slot[key] to the value on top, and pop it; raises. */
void awl_set(lua_State *L, awl_state *s, awl_slot slot, lua_Integer key);
/* Set slot[key] to nil; cannot fail. */
void awl_unset(awl_state *s, awl_slot slot, lua_Integer key);

#endif
