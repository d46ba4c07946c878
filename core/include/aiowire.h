/* aiowire.h - concurrent programs as immutable values, run by one engine
 *
 * A *wire* describes what is to happen; it is an immutable expression tree.
 * A *task* runs one. A *scope* owns tasks: it is left only when they have
 * ended, and cancelling it cancels all below it. A *loop* is a root scope on
 * an *engine*, which has the queue, the clock and the libuv loop.
 *
 * The engine is pulled: aw_next() interprets wires until a task needs its
 * host (code that the core cannot run, such as Lua), returns that step, and
 * the host reports how it ended. The core calls into a host only through the
 * functions of aw_engine_config, aw_channel_config, aw_operation, aw_closer and
 * of wires that hold something; those must not call back, but for what is said
 * at each.
 *
 *     aw_engine *engine;  aw_loop *loop;  aw_task *task;
 *     aw_engine_new(NULL, &engine);
 *     aw_loop_new(engine, NULL, &loop);
 *     aw_loop_start(loop, aw_then(aw_sleep(AW_SECOND), aw_call(beep, 0)),
 *                   NULL, &task);
 *     aw_task_release(task);
 *     aw_loop_run(loop, AW_NEVER);
 *     aw_loop_free(loop);
 *     aw_engine_free(engine);
 *
 * Conventions. Functions that can fail return 0 or a negative code
 * (aw_strerror() knows all). Time is in nanoseconds. Ownership is said in
 * four words: a function *takes* (the callee owns it now, also on failure),
 * *borrows* (for the call), *keeps* (adds a reference of its own) or *gives*
 * (the caller must release). Except where said otherwise, functions may be
 * called from the engine's thread only, from anywhere but a `drop`, `arm` or
 * `disarm` function, and never block. Numbers in brackets, as [C6], name the
 * rules of the semantics that a function carries out.
 */
#ifndef AIOWIRE_H
#define AIOWIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(AW_BUILD_SHARED) || defined(__GNUC__)
#define AW_API __attribute__((visibility("default")))
#else
#define AW_API
#endif

#define AW_VERSION_MAJOR  0
#define AW_VERSION_MINOR  1
#define AW_VERSION_PATCH  0
#define AW_VERSION_STRING "0.1.0"

/* The version of the library that runs, as AW_VERSION_STRING. */
AW_API const char *aw_version(void);

typedef struct aw_engine aw_engine;
typedef struct aw_loop aw_loop;
typedef struct aw_scope aw_scope;
typedef struct aw_task aw_task;
typedef struct aw_wire aw_wire;
typedef struct aw_error aw_error;
typedef struct aw_cut aw_cut;
typedef struct aw_channel aw_channel;
typedef struct aw_event aw_event;
typedef struct aw_semaphore aw_semaphore;
typedef struct aw_rate aw_rate;
typedef struct aw_operation aw_operation;

#define AW_SECOND  UINT64_C(1000000000)
#define AW_NEVER   UINT64_MAX /* a time that does not come */
#define AW_FOREVER UINT64_MAX /* a repetition that does not end */
/* A grace: that of the scope, else of its task, else of its loop. */
#define AW_DEFAULT (UINT64_MAX - 1)

/* A value of the host that the core carries but never reads: results, and
 * what an error is. 0 is "no value". The host's `drop` is called exactly once
 * for each value that a function here *takes*. */
typedef uint64_t aw_value;

/* ---- codes of errors ----------------------------------------------------- */

/* Codes of this library; others that functions return are libuv's, or those of
 * libzmq, negative. */
enum {
  AW_EINVAL = -22,       /* misuse: a wrong argument, or at a wrong time */
  AW_ENOMEM = -12,       /* out of memory */
  AW_EBUSY = -16,        /* it is running already */
  AW_EAGAIN = -11,       /* not without waiting */
  AW_ECANCELED = -125,   /* the wait did not happen: cancelled [C2] */
  AW_EHOST = -20001,     /* the host's own error: see its value */
  AW_ETIMEOUT = -20002,  /* cut short by a deadline [O8] */
  AW_EENDED = -20003,    /* the loop or scope has ended */
  AW_ESTRAY = -20004,    /* Cancelled, and nothing was cancelled [E5] */
  AW_EDEADLOCK = -20005, /* all tasks wait, and nothing can end that [L4] */
  AW_ECLOSED = -20006,   /* the object waited on was closed */
  AW_ESELF = -20007,     /* a task cannot wait for itself or above [T5] */
  AW_ETASKCANCELLED = -20008, /* the task waited for was cancelled [T5] */
  AW_EFORKED = -20009,        /* it is another process's, which has forked */
  AW_ENOZMQ = -20010,         /* libzmq, 4.3.3 or later, is not installed */
  AW_EDEPTH = -20011          /* more than AW_MOST_FRAMES in one task */
};

/* How deep a task may be: each wire under way that runs others, as aw_timeout()
 * or a sequence, takes one or two frames. One that has no room for them fails
 * with AW_EDEPTH. Operands of a join or a race are tasks of their own, so
 * those nest without a limit. */
enum { AW_MOST_FRAMES = 32768 };

/* What a code means, in a few words; never NULL. Call from: anywhere. */
AW_API const char *aw_strerror(int code);
/* The name of a code, as "ECONNREFUSED"; never NULL. Call from: anywhere. */
AW_API const char *aw_error_name(int code);

/* ---- wires: values, no I/O --------------------------------------------- */

/* How a C step ended. */
typedef enum aw_turn {
  AW_DONE, /* finished, with the value given to aw_task_set_value(), or none */
  AW_WAIT, /* exactly one wait is armed; call again when it has ended */
  AW_NEXT, /* finished, and becomes the wire given to aw_task_set_next() */
  AW_FAIL, /* ends with the error given to aw_task_set_error() */
  AW_INTO, /* goes on at once as the wire given to aw_task_set_next(), in the
              same place: no boundary is between them. That wire must live as
              long as the step's */
  AW_BREAK /* finished, and so is the innermost aw_repeat() that it is in */
} aw_turn;

/* A C step: called inside aw_next(), must return soon. After AW_WAIT it is
 * called again with how the wait ended in aw_task_result(); when that is
 * AW_ECANCELED it should clean up and end by AW_FAIL without an error set,
 * which passes the cancel on. */
typedef aw_turn (*aw_step_fn)(aw_task *task, void *data);

/* Everything that makes wires gives a new wire, or NULL when out of memory.
 * Operands are *taken*, and NULL operands give NULL, so an expression is
 * checked once, at its end, and cannot leak. A wire may be used by any
 * number of tasks, also at once [V1]. */

/* Call `fn(task, data)`; `data` is borrowed for as long as the wire lives,
 * see aw_hold() to own it. */
AW_API aw_wire *aw_call(aw_step_fn fn, void *data);

/* Be a step that the host runs: aw_next() returns it as AW_STEP_CALL.
 *
 *   data     what AW_STEP_CALL hands to the host
 *   release  called with `data` when the wire goes; may be NULL
 *   name     borrowed for ever: tasks remember it [D3]; may be NULL
 */
AW_API aw_wire *aw_host_call(void *data, void (*release)(void *data),
                             const char *name);

/* Be `wire`, and call `release(data)` when this wire goes. */
AW_API aw_wire *aw_hold(aw_wire *wire, void *data, void (*release)(void *));

/* Run `first`, then `second` [O1]. Sequences flatten [V4]. */
AW_API aw_wire *aw_then(aw_wire *first, aw_wire *second);

/* Run `count` wires one after the other; takes each of them.
 *
 * All operators are flat [V4], and appending to a wire of the same operator,
 * as here or by aw_then(), aw_both(), aw_either() and aw_or_else(), costs what
 * is appended, whatever the length of the first: wires share their items. The
 * second wire that is appended to the same one copies, and so does a wire that
 * is put in front: a reference for each item. */
AW_API aw_wire *aw_sequence(aw_wire *const *wires, size_t count);

/* Repeat `wire` a number of times, one run after the other [O2].
 *
 *   times   0 makes a wire that finishes at once; AW_FOREVER never ends
 */
AW_API aw_wire *aw_repeat(aw_wire *wire, uint64_t times);

/* Finish after `ns`, counted from when it runs; AW_NEVER: do not. */
AW_API aw_wire *aw_sleep(uint64_t ns);

/* Finish when the engine's clock is at `at` or later. */
AW_API aw_wire *aw_sleep_until(uint64_t at);

/* As `wire`, with the wires that its last step becomes as part of it [O12]. */
AW_API aw_wire *aw_whole(aw_wire *wire);

/* As `wire`, under a name for people; `name` is copied. */
AW_API aw_wire *aw_named(aw_wire *wire, const char *name);

/* Run the whole of `wire` hidden from outer soft cancels for at most `grace`
 * ns, or AW_DEFAULT: the grace of the loop [C7, O13]. */
AW_API aw_wire *aw_shielded(aw_wire *wire, uint64_t grace);

/* ---- wires that run others together, instead, again [O4-O11] ------------- */

/* Run all of `wires`, which begin in their order, in a scope of their own, and
 * finish when all have [O4]. The first failure cancels the others; when they
 * have ended it is the failure of this wire. Ends with what `gather` of the
 * engine makes of their values.
 *
 *   wires   takes each of the `count`; none: finishes at once
 *   limit   how many run at once; 0: all [O6]
 */
AW_API aw_wire *aw_all(aw_wire *const *wires, size_t count, uint32_t limit);

/* `a & b`: aw_all() of the two, but joins of joins are one [V4]. */
AW_API aw_wire *aw_both(aw_wire *a, aw_wire *b);

/* Run `wires` in a scope of their own; the first to finish, with a value or an
 * error, decides [O5]. The others are cancelled and awaited, and it ends as
 * the first one. An event among them decides when it commits, and other events
 * are given up at that moment [H3]; so are all of them by an event that is
 * ready when its turn to begin comes, and those to its right do not begin.
 *
 * aw_race() ends with the value and the number of the first [O6], see `gather`
 * of the engine; a count of 0 gives NULL.
 */
AW_API aw_wire *aw_race(aw_wire *const *wires, size_t count);

/* `a | b`: the same, with the value alone; races of races are one [V4]. */
AW_API aw_wire *aw_either(aw_wire *a, aw_wire *b);

/* As aw_race(), but the first *value* decides, and is all it ends with; when
 * all fail, the last error does, with the others suppressed [O6]. What is bound
 * to an event may fail: such an operand decides at its end, not its commit. */
AW_API aw_wire *aw_any(aw_wire *const *wires, size_t count);

/* As aw_race(), of events only, begun in random order; ends with the number
 * and the value [H4]. NULL when one is no event, see aw_wire_is_event(). */
AW_API aw_wire *aw_select(aw_wire *const *wires, size_t count);

/* Is `wire` one operation with a single commit [V3], maybe under a name or
 * with aw_bind() after it? */
AW_API bool aw_wire_is_event(const aw_wire *wire);

/* `a // b`: run the whole of `a`; when it fails, run `b` instead [O7]. */
AW_API aw_wire *aw_or_else(aw_wire *a, aw_wire *b);

/* Run the whole of `wire` for at most `ns`: cut short by that, it fails with
 * AW_ETIMEOUT when it has cleaned up [O8].
 *
 *   grace   ns for that, or AW_DEFAULT
 */
AW_API aw_wire *aw_timeout(aw_wire *wire, uint64_t ns, uint64_t grace);

/* Run the whole of `wire`, then `then`, whose first step finds the value by
 * aw_task_take_value(). No boundary is between them [N4, O11]. */
AW_API aw_wire *aw_bind(aw_wire *wire, aw_wire *then);

/* Run the whole of `wire`; when it fails, run `then`, whose first step finds
 * the error by aw_task_take_error(). Not for Cancelled [O9]. */
AW_API aw_wire *aw_catch(aw_wire *wire, aw_wire *then);

/* Run the whole of `wire`, then, however it ended, the whole of `then`, hidden
 * from outer soft cancels for at most `grace` ns (as aw_shielded()). Ends as
 * `wire`, or with the error of `then`, the first one suppressed in it [O9]. */
AW_API aw_wire *aw_finally(aw_wire *wire, aw_wire *then, uint64_t grace);

/* How aw_retry() tries again [O10]. */
typedef struct aw_retry_rule {
  uint64_t times;  /* tries in all; AW_FOREVER: no limit */
  uint64_t delay;  /* ns after the first try … */
  double factor;   /* … and how it grows from one to the next */
  uint64_t most;   /* ns a delay has at most; AW_NEVER: no limit */
  uint64_t within; /* ns for all of it; AW_NEVER: no limit */
  bool jitter;     /* a random part of each delay */
  /* A try that failed after so many ns or more counts as the first: the number
   * of tries and the delay begin anew. 0: none does. */
  uint64_t reset_after;
} aw_retry_rule;

/* Run the whole of `wire`; when it fails, again, by `rule` (borrowed). The last
 * error is raw, see aw_error_attempts(). Cancelled is not retried.
 *
 *   when   takes; its first step finds the error by aw_task_take_error(); not
 *          tried again when it ends without a value. NULL: always
 */
AW_API aw_wire *aw_retry(aw_wire *wire, const aw_retry_rule *rule,
                         aw_wire *when);

/* What a tick does that comes late [K4]. */
typedef enum aw_missed {
  AW_MISSED_SKIP,  /* waits for the next multiple of the period */
  AW_MISSED_BURST, /* comes at once, and so do all that were missed */
  AW_MISSED_DELAY  /* comes at once, and the period counts from it */
} aw_missed;

/* Run the whole of `wire` at t0, t0 + period, …, without end and without
 * overlap; t0 is when it begins. A `period` of 0 gives NULL. */
AW_API aw_wire *aw_every(uint64_t period, aw_wire *wire, aw_missed missed);

/* Finish when `task` has ended; keeps `task`. Fails as it failed, or with
 * AW_ETASKCANCELLED [T5]; ends with its value. */
AW_API aw_wire *aw_when_done(aw_task *task);

AW_API aw_wire *aw_wire_keep(aw_wire *wire);
/* NULL is fine. */
AW_API void aw_wire_release(aw_wire *wire);

/* The memory that goes with the last reference to `wire`, without its parts;
 * 0 while there are others. A host can tell its collector of that memory. */
AW_API size_t aw_wire_bytes(const aw_wire *wire);

/* The name of a named or host wire, looking through holders; NULL if none.
 * Borrowed. */
AW_API const char *aw_wire_name(const aw_wire *wire);

/* The `data` of aw_hold() or aw_host_call() if `wire` was made by one of them
 * with that `release`; else NULL. */
AW_API void *aw_wire_data(const aw_wire *wire, void (*release)(void *data));

typedef enum aw_wire_kind {
  AW_WIRE_CALL,
  AW_WIRE_HOST,
  AW_WIRE_SLEEP,
  AW_WIRE_UNTIL,
  AW_WIRE_DONE,
  AW_WIRE_WAIT,
  AW_WIRE_SEQUENCE,
  AW_WIRE_REPEAT,
  AW_WIRE_WHOLE,
  AW_WIRE_SHIELD,
  AW_WIRE_NAMED,
  AW_WIRE_ALL,
  AW_WIRE_RACE,
  AW_WIRE_ANY,
  AW_WIRE_SELECT,
  AW_WIRE_ELSE,
  AW_WIRE_TIMEOUT,
  AW_WIRE_BIND,
  AW_WIRE_CATCH,
  AW_WIRE_FINALLY,
  AW_WIRE_RETRY,
  AW_WIRE_EVERY
} aw_wire_kind;

/* What a wire is, looking through holders. All borrowed. */
typedef struct aw_wire_view {
  aw_wire_kind kind;
  const char *name; /* NAMED, HOST, WAIT (its label); or NULL */
  uint64_t number;  /* SLEEP, UNTIL, SHIELD, TIMEOUT, EVERY (its period),
                           FINALLY (its grace): ns; REPEAT: times; ALL: limit */
  uint64_t grace;   /* TIMEOUT */
  bool table;       /* ALL, RACE: not made by an operator */
  aw_missed missed; /* EVERY */
  const aw_retry_rule *rule; /* RETRY */
  size_t count;         /* of parts; of BIND, CATCH, FINALLY, RETRY the second
                           is `then`, or `when` */
  const aw_wire *parts; /* see aw_wire_part() */
  void *data;           /* HOST, CALL, WAIT */
  const aw_operation *operation; /* WAIT */
  aw_task *task;                 /* DONE */
} aw_wire_view;
AW_API void aw_wire_look(const aw_wire *wire, aw_wire_view *out);
/* Part number `index`, below `count`; borrowed. */
AW_API const aw_wire *aw_wire_part(const aw_wire_view *view, size_t index);

/* ---- the engine -------------------------------------------------------- */

typedef enum aw_clock {
  AW_CLOCK_REAL,   /* monotonic */
  AW_CLOCK_VIRTUAL /* from 0; jumps to the next deadline [K6] */
} aw_clock;

/* What a value is made of, for `gather`. */
typedef enum aw_shape {
  AW_SHAPE_LIST,       /* the first result of each of the values */
  AW_SHAPE_INDEX_LAST, /* the results of the only value, then `index` */
  AW_SHAPE_INDEX_FIRST /* `index`, from 1, then those results */
} aw_shape;

typedef struct aw_engine_config {
  aw_clock clock;
  uint64_t seed; /* not 0: shuffle each round with it [F6]; the orders in which
                    aw_select() looks begin with it, too */
  void *host;    /* handed to the functions below */
  /* Release a value; give a second claim on one, which cannot fail. Neither
   * may call the library. NULL: values need no care. */
  void (*drop)(void *host, aw_value value);
  aw_value (*keep)(void *host, aw_value value);
  /* Make one value of several: takes `values`, also on failure. May not call
   * the library, but for memory. NULL: such wires have no value.
   * Returns 0 or AW_ENOMEM. */
  int (*gather)(void *host, aw_shape shape, const aw_value *values,
                size_t count, size_t index, aw_value *out);
  /* aw_next() returns AW_STEP_DEADLOCK rather than wait for ever [L4]. For
   * hosts where nothing but the engine's own waits can make a task ready. */
  bool deadlocks;
} aw_engine_config;

/* Make an engine. It opens no descriptor until something waits in it.
 *
 *   config  borrowed; NULL: real clock, no host values
 *   out     gives
 *
 * Returns 0 or AW_ENOMEM.
 */
AW_API int aw_engine_new(const aw_engine_config *config, aw_engine **out);

/* Free an engine, its loops freed before. NULL is fine.
 * Returns AW_EBUSY, freeing nothing, while it has loops. */
AW_API int aw_engine_free(aw_engine *engine);

/* The engine's clock now, in ns: monotonic, or virtual time. */
AW_API uint64_t aw_engine_now(aw_engine *engine);
AW_API bool aw_engine_virtual(const aw_engine *engine); /* is it that? */

/* The libuv loop of the engine, opened if it was not: a `uv_loop_t *`. From the
 * first call on it has its turn every 0.2 ms however busy tasks are [F2].
 * For handles of operations of your own: their callbacks may only call
 * aw_wait_complete(); an operation with a handle is `external`, and the handle
 * is closed before the engine is freed. aw_engine_free() runs the loop once
 * more, so that closing handles are closed. Ask anew before each handle that
 * you open or accept: that takes idle watchers of descriptors out of its way.
 * Returns 0 or libuv's code. */
AW_API int aw_engine_uv(aw_engine *engine, void **out);

/* What somebody else has in an engine's libuv loop, and must close before that
 * goes. aw_engine_free() calls `close` once; it may only uv_close() handles
 * (the loop runs once more after it) and free what needs no such callback. */
typedef struct aw_closer {
  void (*close)(struct aw_closer *closer);
  struct aw_closer *next; /* the engine's */
  /* `loop` has ended: give back what was its. May do what `close` may. Or
   * NULL. */
  void (*ended)(struct aw_closer *closer, aw_loop *loop);
} aw_closer;

/* Borrows `closer` until its `close` is called. */
AW_API void aw_engine_add_closer(aw_engine *engine, aw_closer *closer);

/* The closer of this engine that has that `close`, or NULL. */
AW_API aw_closer *aw_engine_find_closer(const aw_engine *engine,
                                        void (*close)(aw_closer *closer));

/* Make it safe to call aw_engine_wake(). Returns 0 or libuv's code. */
AW_API int aw_engine_wakeable(aw_engine *engine);

/* Make aw_next() of this engine return AW_STEP_WOKEN soon. Call from: any
 * thread, or a signal handler, after aw_engine_wakeable() gave 0. */
AW_API void aw_engine_wake(aw_engine *engine);

/* Make aw_next() of this engine return AW_STEP_WOKEN at `at`, in real time
 * (monotonic, ns, whatever the engine's clock), also while it blocks, or tasks
 * are busy; once, the last call counts. AW_NEVER: not at all. */
AW_API void aw_engine_wake_at(aw_engine *engine, uint64_t at);

/* Let the deadlines of an engine that have passed take effect now, for a host
 * whose step takes long since it drives another engine meanwhile. Runs nothing.
 * Returns when the next one is due; AW_NEVER when none is, and of a virtual
 * clock. */
AW_API uint64_t aw_engine_tick(aw_engine *engine);

/* What lives in an engine now. */
typedef struct aw_stats {
  size_t loops, tasks, scopes, deadlines, errors;
  size_t handles; /* of libuv, but for the engine's own */
  size_t bytes;   /* of memory for tasks, scopes, queues */
  uint64_t steps; /* of C and of the host, since it was made */
} aw_stats;
AW_API void aw_engine_stats(const aw_engine *engine, aw_stats *out);

/* ---- loops -------------------------------------------------------------- */

typedef struct aw_loop_config {
  uint64_t grace; /* for cancels that name none [C8]; AW_NEVER is allowed */
  aw_value host;  /* takes; see aw_loop_host() */
} aw_loop_config;

typedef enum aw_loop_state {
  AW_LOOP_IDLE,    /* not run yet, or done and may run again [S7] */
  AW_LOOP_RUNNING, /* between aw_loop_begin() and its end */
  AW_LOOP_TIMEOUT, /* ended by its time-out */
  AW_LOOP_STOPPED, /* ended by aw_loop_stop() */
  AW_LOOP_FAILED,  /* ended by an error: see aw_loop_error() */
  AW_LOOP_CLOSED   /* ended by aw_loop_close() */
} aw_loop_state;

/* Make a loop. `config` borrowed; NULL: a grace of 5 s. Returns 0/AW_ENOMEM. */
AW_API int aw_loop_new(aw_engine *engine, const aw_loop_config *config,
                       aw_loop **out);

/* Free a loop that does not run; tasks that never started end so [T3].
 * Returns AW_EBUSY while it runs. NULL is fine. */
AW_API int aw_loop_free(aw_loop *loop);

/* Let the loop's tasks run, for at most `timeout` ns (AW_NEVER: no limit).
 * Returns 0, AW_EBUSY (running), AW_EENDED or AW_ENOMEM. Then pull with
 * aw_next(). */
AW_API int aw_loop_begin(aw_loop *loop, uint64_t timeout);

/* As aw_loop_begin() and pulling to the end, for programs without host steps.
 * Returns 0 when done, timed out or stopped (see aw_loop_state_of()), else
 * the code of the error that ended it, AW_EBUSY or AW_EENDED. */
AW_API int aw_loop_run(aw_loop *loop, uint64_t timeout);

/* Cancel all its tasks, with the loop's grace; the run then ends [L2]. A
 * second call, with `hard`, takes the grace away. */
AW_API void aw_loop_stop(aw_loop *loop, bool hard);

/* Stop `loop` if `task` is cancelled, as a cancel does in aw_await_loop() [S7]:
 * for a task whose step drives a loop of another engine. */
AW_API void aw_loop_follow(aw_loop *loop, const aw_task *task);

/* Leave a running loop as it is, half way: aw_loop_begin() goes on with it, and
 * nobody pulls it meanwhile. */
AW_API void aw_loop_pause(aw_loop *loop);

/* End a loop that does not run: its tasks end unstarted [T3], it takes no
 * more. Returns AW_EBUSY while it runs. */
AW_API int aw_loop_close(aw_loop *loop);

/* Stop the loop with an error, which aw_loop_error() then shows [E8]. A later
 * one is suppressed in the first. Takes `error`. */
AW_API void aw_loop_fail(aw_loop *loop, aw_error *error);

AW_API aw_loop_state aw_loop_state_of(const aw_loop *loop);
AW_API aw_error *aw_loop_error(const aw_loop *loop); /* borrowed, or NULL */
/* What its time-out cut short; borrowed, or NULL. */
AW_API const aw_cut *aw_loop_cut(const aw_loop *loop);
AW_API aw_value aw_loop_host(const aw_loop *loop); /* borrowed, or 0 */
AW_API aw_engine *aw_loop_engine(const aw_loop *loop);
AW_API aw_scope *aw_loop_scope(aw_loop *loop);      /* its root; borrowed */
AW_API uint64_t aw_loop_grace(const aw_loop *loop); /* ns */
/* The time-out of its run, the last one begun, ns, as it was extended. */
AW_API uint64_t aw_loop_timeout(const aw_loop *loop);

/* ---- tasks -------------------------------------------------------------- */

typedef struct aw_task_config {
  const char *name;  /* copied; or NULL */
  const char *where; /* "file:line" of the start: borrowed for ever, or until
                        the engine goes; or NULL */
  aw_value handler;  /* takes; not 0: failures go to the host, FAILED [E7] */
  bool background;   /* keeps no loop alive, nor do its children [T2] */
  uint64_t grace;    /* for its cancels; 0: the loop's */
  aw_value locals;   /* takes; 0: those of the task whose step starts it, see
                        aw_task_set_locals() */
} aw_task_config;

typedef enum aw_task_state {
  AW_TASK_READY,
  AW_TASK_RUNNING,
  AW_TASK_WAITING,
  AW_TASK_DONE, /* from here on: terminal [T1] */
  AW_TASK_FAILED,
  AW_TASK_CANCELLED
} aw_task_state;

/* Start `wire` at the root of `loop`; only schedules [T2].
 *
 *   wire    takes; NULL is AW_ENOMEM
 *   config  borrowed; NULL: no name, no handler
 *   out     gives; may be NULL
 *
 * Returns 0, AW_ENOMEM or AW_EENDED.
 */
AW_API int aw_loop_start(aw_loop *loop, aw_wire *wire,
                         const aw_task_config *config, aw_task **out);
/* The same, as a child of an open `scope` [S1]. It may be started from any task,
 * also while the scope is being left: then it is joined, too. AW_EENDED once the
 * scope's task has been resumed to close it. */
AW_API int aw_scope_start(aw_scope *scope, aw_wire *wire,
                          const aw_task_config *config, aw_task **out);

AW_API aw_task *aw_task_keep(aw_task *task);
AW_API void aw_task_release(aw_task *task); /* NULL is fine */

/* Cancel `task` and all below it; returns at once, nothing runs [T4, C3].
 *
 *   reason  takes; 0 for none
 *   grace   ns until the cancel turns hard [C8]; AW_DEFAULT: the task's
 */
AW_API void aw_task_cancel(aw_task *task, aw_value reason, uint64_t grace);

/* The error that the innermost clean-up of `task` holds back, that of a wire
 * under aw_finally(), while its second part runs; borrowed, or NULL [O9]. */
AW_API aw_error *aw_task_held_error(const aw_task *task);

/* The step of `task` has failed, and its clean-up waits before it can say so:
 * when that lasts 1 s, aw_next() returns AW_STEP_HOLDING. A further call does
 * nothing until that, or aw_task_let_out(), when the clean-up is over. Not told
 * of a task that was cancelled: see AW_STEP_LATE. */
AW_API void aw_task_hold_back(aw_task *task);
AW_API void aw_task_let_out(aw_task *task);

/* Has anybody waited for the end of `task`, or been told so by the host, which
 * knows it where it need not wait [T5]? */
AW_API bool aw_task_waited(const aw_task *task);
AW_API void aw_task_mark_waited(aw_task *task);

/* Let aw_next() return AW_STEP_WOKEN when `task` has ended, for a host that
 * drives only until then: others may wait for long. */
AW_API void aw_task_watch(aw_task *task);

AW_API aw_task_state aw_task_state_of(const aw_task *task);
AW_API uint64_t aw_task_id(const aw_task *task);      /* from 1, of an engine */
AW_API const char *aw_task_name(const aw_task *task); /* or NULL */
AW_API const char *aw_task_where(const aw_task *task); /* or NULL */
AW_API uint64_t aw_task_started(const aw_task *task);  /* clock, ns */
AW_API uint32_t aw_task_steps(const aw_task *task);    /* so far */
AW_API aw_loop *aw_task_loop(const aw_task *task);     /* NULL once ended */
/* The task that it is a child of; NULL at the root of a loop, and when it has
 * ended. */
AW_API aw_task *aw_task_parent(const aw_task *task);
/* As given; borrowed. 0 when it has none, or has ended. */
AW_API aw_value aw_task_handler(const aw_task *task);
/* Replace the handler that it was started with; takes. With 0 its failure is
 * that of its scope, also when AW_STEP_FAILED has told of it. Nothing happens
 * to a task that has none. */
AW_API void aw_task_set_handler(aw_task *task, aw_value handler);
/* The task whose wire `task` runs a part of, as an operand of a join or a race;
 * otherwise `task` itself. Borrowed. */
AW_API aw_task *aw_task_whole(aw_task *task);
/* A value that goes with a task for its host, as the number of the request that
 * it works for: what it starts has the same value from its start on, operands
 * and wires that are spun off as well. What is set later is for those started
 * later.
 *
 *   locals  takes; 0: none
 *
 * Returns 0, AW_ENOMEM, or AW_EENDED for a task that has ended, which has none.
 */
AW_API int aw_task_set_locals(aw_task *task, aw_value locals);
AW_API aw_value aw_task_locals(const aw_task *task); /* borrowed, or 0 */
/* The wire that its outermost chain is at; borrowed, NULL when it has ended. */
AW_API const aw_wire *aw_task_wire(const aw_task *task);
/* The wire that its innermost chain is at; borrowed, NULL when it has ended. */
AW_API const aw_wire *aw_task_innermost(const aw_task *task);
/* Terminal tasks: the results (DONE) and error (FAILED); borrowed. */
AW_API aw_value aw_task_value(const aw_task *task);
AW_API aw_error *aw_task_error(const aw_task *task);
AW_API bool aw_task_background(const aw_task *task);

/* Name number `index` of the chain of states, newest first, and how often it
 * came in a row [D3]; NULL past the last (at most 8). Borrowed until the task
 * goes on. */
AW_API const char *aw_task_chain(const aw_task *task, size_t index,
                                 uint32_t *times);

/* What a waiting task waits for; false if it does not wait. */
typedef struct aw_waiting {
  const char *label; /* "sleep", "task", "children", "loop", or an operation */
  uint64_t until;    /* of a sleep: when it ends, on the clock; of a rate: the
                        same, of the first in its queue; else AW_NEVER */
  uint64_t span;     /* of a sleep: all of it, ns */
  aw_task *task;     /* of "task" */
  size_t children;   /* of "children" */
  void *data;        /* of an operation … */
  const aw_operation *operation;
} aw_waiting;
AW_API bool aw_task_waiting(const aw_task *task, aw_waiting *out);

/* In C steps. What a step finds that follows another, see aw_bind(), is taken
 * by aw_task_take_value() and aw_task_take_error(). */
AW_API int aw_task_result(const aw_task *task); /* how the last wait ended */
AW_API void aw_task_set_value(aw_task *task, aw_value value); /* takes */
/* Takes; NULL, out of memory, makes it fail with AW_ENOMEM. */
AW_API void aw_task_set_next(aw_task *task, aw_wire *next);
AW_API void aw_task_set_error(aw_task *task, aw_error *error); /* takes */

/* Is the innermost scope of the task cancelled, as seen through shields? */
AW_API bool aw_task_cancelled(const aw_task *task);
/* … and is the grace of that cancel over? Such a task is killed where it waits
 * [C9]; a host without memory may spare itself its steps: it reports a CALL
 * with aw_step_cancelled(), closes the parked code of a RESUME and reports
 * aw_step_killed(). */
AW_API bool aw_task_overdue(const aw_task *task);

/* Was `error`, which a step of `task` has taken, raised after what the task is
 * a child of was cancelled, and the task with it? Then it is of a clean-up, and
 * nobody is interested in the task's outcome any more, but in that error. */
AW_API bool aw_task_failed_late(const aw_task *task, const aw_error *error);

/* ---- pulling ------------------------------------------------------------ */

typedef enum aw_step_kind {
  AW_STEP_CALL,     /* start host code: `data` of aw_host_call() */
  AW_STEP_RESUME,   /* go on with parked host code `data`; see `result` */
  AW_STEP_KILL,     /* close parked host code `data`, then aw_step_killed() */
  AW_STEP_FAILED,   /* `task` failed and its error wants its handler, or has
                       none at a loop's root; then aw_step_handled() */
  AW_STEP_DEADLOCK, /* `loop` can't go on; then aw_loop_fail() [L4] */
  AW_STEP_SLOW,     /* for `ns`, over 0.1 s, no step waited: the one of the
                       task with this `id`, or one of a few before it [F4] */
  AW_STEP_LATE,     /* clean-up took `ns`, over 1 s: of a scope of the task with
                       this `id` (0: of a loop) that was cancelled, because of
                       `error`, if that is not NULL [D4] */
  AW_STEP_SWALLOWED, /* the task with this `id` was given Cancelled a second
                        time: what caught the first went on to wait [D4] */
  AW_STEP_WOKEN,     /* aw_engine_wake(), or see aw_task_watch() */
  AW_STEP_HOLDING    /* for 1 s the clean-up of `task` has held back an error:
                        `error`, that of a wire under aw_finally(), or, if that
                        is NULL, one of the host, see aw_task_hold_back() [D4] */
} aw_step_kind;

typedef struct aw_step {
  aw_step_kind what;
  int result;      /* RESUME: how the wait ended: 0 or negative */
  aw_task *task;   /* CALL, RESUME, KILL, FAILED: borrowed until the step is
                      reported; HOLDING: until the next aw_next(); else NULL */
  aw_loop *loop;   /* FAILED, DEADLOCK: borrowed */
  void *data;      /* CALL, RESUME, KILL */
  uint64_t ns;     /* SLOW, LATE */
  uint64_t id;     /* SLOW, LATE, SWALLOWED: of a task */
  aw_error *error; /* LATE, HOLDING; borrowed until the next aw_next(), or
                      NULL */
} aw_step;

/* Interpret until a task needs its host or `loop`, which must be running
 * (aw_loop_begin()), has ended. Blocks while nothing is ready. The step before
 * must have been reported, or its host code parked (aw_task_park()).
 *
 * Returns 1 with a step in `*out`, 0 when `loop` has ended, or negative:
 * AW_EBUSY from inside itself [I6], or libuv's code.
 */
AW_API int aw_next(aw_engine *engine, aw_loop *loop, aw_step *out);

/* Report the end of a CALL, or of a RESUME whose host code has ended. A NULL
 * `next`, out of memory, fails with AW_ENOMEM. */
AW_API void aw_step_done(aw_task *task, aw_value value);  /* takes */
AW_API void aw_step_next(aw_task *task, aw_wire *next);   /* takes */
AW_API void aw_step_fail(aw_task *task, aw_error *error); /* takes */
/* The host code ended by passing Cancelled on. */
AW_API void aw_step_cancelled(aw_task *task);
/* Report a KILL, or a RESUME of a task that is overdue: the host code is no
 * more. */
AW_API void aw_step_killed(aw_task *task);
/* Report a FAILED: its handler was called. Without a handler say
 * aw_loop_fail() first. */
AW_API void aw_step_handled(aw_task *task);

/* The host code of a CALL has ended, without a value that anybody wants: true
 * if the very same CALL is the next step, and so under way. False: nothing was
 * done; report as ever. Saves a repeated step the way out of the host and in.
 */
AW_API bool aw_step_again(aw_task *task);

/* Does a value given to aw_step_done() for `task` go anywhere? If not, the
 * host may save the making of it. */
AW_API bool aw_step_wants_value(const aw_task *task);

/* The same for the error of an aw_step_fail(): not if another wire takes the
 * place of the one that fails, see aw_or_else(). */
AW_API bool aw_step_wants_error(const aw_task *task);

/* ---- waiting, in steps of C and of the host ------------------------------ */

/* The task whose host or C step is under way; NULL outside steps. */
AW_API aw_task *aw_current(const aw_engine *engine);

/* Host code that waits is parked: remember it for RESUME and KILL.
 *
 *   host  borrowed until one of these hands it back; not NULL
 *
 * Call from: the step under way, before the wait is armed.
 */
AW_API void aw_task_park(aw_task *task, void *host);
/* The parked host code number `index` of a task, innermost first; or NULL. */
AW_API void *aw_task_host_at(const aw_task *task, size_t index);

/* Arm exactly one wait for `task`, whose step is under way. All look at the
 * cancel first: a cancelled task gets AW_ECANCELED, through the queue [C2].
 *
 * Return 0 when armed (also when that is AW_ECANCELED to come), or an error
 * when nothing is armed: AW_ENOMEM, and what is said at each.
 */
AW_API int aw_await_sleep(aw_task *task, uint64_t ns); /* AW_NEVER: no end */
AW_API int aw_await_until(aw_task *task, uint64_t at); /* on the clock */
AW_API int aw_await_yield(aw_task *task); /* until others have had a turn */
/* Wait until nothing else can run before `at` on a virtual clock [K6]; on a
 * real one as aw_await_until(). */
AW_API int aw_await_idle(aw_task *task, uint64_t at);
/* Wait for the end of `other` (keeps). AW_ESELF for the task itself or one
 * above it, AW_EINVAL for one of another engine. */
AW_API int aw_await_task(aw_task *task, aw_task *other);
/* Wait for an operation, as aw_wait_for(), with `data` borrowed until it ends.
 * AW_EINVAL when it cannot end, or what its `arm` returned. */
AW_API int aw_await_operation(aw_task *task, const aw_operation *operation,
                              void *data);
/* As the wires of these names, which see: they return what those fail with;
 * AW_EINVAL for other `events`. */
AW_API int aw_await_ready(aw_task *task, int fd, int events);
AW_API int aw_await_readable(aw_task *task, int fd);
AW_API int aw_await_writable(aw_task *task, int fd);
/* Wait for the end of `loop`, which it begins [S6]; a cancel stops it [S7].
 * `timeout` and errors as of aw_loop_begin(). */
AW_API int aw_await_loop(aw_task *task, aw_loop *loop, uint64_t timeout);

/* Run `wire` inline in the task [N6]; takes `wire`, NULL is AW_ENOMEM. In host
 * steps only, else AW_EINVAL: a C step becomes a wire instead (AW_NEXT).
 *
 *   whole   all of its chain; else one step, and aw_task_take_next() has what
 *           it became
 *
 * The RESUME that follows says how it ended: 0 with aw_task_take_value(), a
 * negative code with aw_task_take_error(), or AW_ECANCELED.
 */
AW_API int aw_await_wire(aw_task *task, aw_wire *wire, bool whole);
AW_API aw_value aw_task_take_value(aw_task *task);  /* gives */
AW_API aw_wire *aw_task_take_next(aw_task *task);   /* gives, or NULL */
AW_API aw_error *aw_task_take_error(aw_task *task); /* gives, or NULL */

/* ---- scopes in the middle of host code ----------------------------------- */

typedef struct aw_scope_config {
  uint64_t deadline; /* on the engine's clock; AW_NEVER: none */
  uint64_t grace;    /* ns, for its cancels; AW_DEFAULT: the task's */
  bool shield;       /* hide outer soft cancels until `deadline` [C7] */
} aw_scope_config;

/* Open a scope in `task`, whose step is under way. `config` is borrowed; so is
 * `*out`, until the scope is closed. Returns 0, AW_ENOMEM or AW_EDEPTH. */
AW_API int aw_scope_open(aw_task *task, const aw_scope_config *config,
                         aw_scope **out);

/* Begin to leave the innermost scope of `task` [S3].
 *
 *   error      takes; what the code in it failed with: cancels it; or NULL
 *   cancelled  that code passed Cancelled on: cancels it, too
 *
 * Returns 0 when it is empty, 1 when a wait for its children was armed (park;
 * this wait is never cancelled [S2]; RESUME comes with 0). Then close it, in
 * the same step: from here on it takes no more children.
 */
AW_API int aw_scope_leave(aw_task *task, aw_error *error, bool cancelled);

/* After it returned 0: let others have a turn before, and wait for the children
 * that they start in the scope meanwhile. As that wait never cancelled. Gives
 * 0: park, then close the scope. */
AW_API int aw_await_join(aw_task *task);

/* How a scope ended. */
typedef struct aw_scope_end {
  aw_error *error; /* the first failure in it; gives, or NULL */
  bool cancelled;  /* it was cancelled itself */
  bool cut;        /* a cancel has cut short what is in it, or children of it */
  bool timed_out;  /* by its own deadline */
  bool outer;      /* an enclosing cancel is visible: pass it on [C5] */
  aw_value reason; /* of its cancel; gives */
  uint64_t moved;  /* ns to add to the time that it had: it was extended by so
                      much; wraps */
  aw_cut *waited;  /* what that deadline cut short; borrowed until aw_next(), or
                      until another scope is closed; NULL: not known */
} aw_scope_end;

/* Close the innermost scope of `task`, which has been left. */
AW_API void aw_scope_close(aw_task *task, aw_scope_end *out);

/* Cancel a scope, as aw_task_cancel(). */
AW_API void aw_scope_cancel(aw_scope *scope, aw_value reason, uint64_t grace);

/* When the nearest limit that applies to `task` is over, on the engine's clock:
 * of the scopes that it is in, its own, of aw_timeout() and `within` of a
 * retry, those of the tasks above it, and the time-out of its loop. A shield
 * hides limits outside of it for as long as it hides cancels; its own time is
 * no limit [C7]. A task that is cancelled has no time left: now. AW_NEVER when
 * no limit applies, and of a task that has ended. */
AW_API uint64_t aw_task_deadline(const aw_task *task);

/* Let the limit of an open `scope`, or the innermost one that applies to `task`
 * (as above), be over in `ns` from now, be that later or sooner. What it fails
 * with then tells its time in all.
 *
 * Returns 0; AW_EINVAL when there is no limit, or for AW_NEVER; AW_ETIMEOUT or
 * AW_ECANCELED when it is too late: cancelled by a limit, or otherwise;
 * AW_EENDED for what has ended. Call from: anywhere. */
AW_API int aw_scope_extend(aw_scope *scope, uint64_t ns);
AW_API int aw_task_extend(aw_task *task, uint64_t ns);

/* The reason of the cancel that `task` sees (borrowed, may be 0), and what
 * was cancelled. */
typedef enum aw_cancel_kind {
  AW_BY_NOTHING,
  AW_BY_TASK,     /* aw_task_cancel() */
  AW_BY_SCOPE,    /* aw_scope_cancel() */
  AW_BY_DEADLINE, /* a scope's time-out */
  AW_BY_FAILURE,  /* something in the scope failed */
  AW_BY_LOOP,     /* the loop was stopped, timed out or failed */
  AW_BY_PARENT,   /* what it belongs to was left */
  AW_BY_RACE      /* another one was first [O5] */
} aw_cancel_kind;
AW_API aw_cancel_kind aw_task_cancelled_by(const aw_task *task,
                                           aw_value *reason);

/* ---- awaitables of your own --------------------------------------------- */

/* An operation that tasks can wait for. `arm` starts it and returns 0, or a
 * negative code when it cannot start, or 1 when it is over already, with the
 * result 0; it must not call aw_wait_complete() itself. After 0, exactly once,
 * the owner calls aw_wait_complete(task, result). `disarm` aborts it at once,
 * after which aw_wait_complete() must not be called [I2]; NULL means that it
 * cannot be aborted [C10]. Then `abandon` may be there: the task is killed
 * [C9], forget it, and dispose of what comes. One that has neither must be
 * `external`, and end by itself: a loop waits for it; else AW_EINVAL.
 *
 * What it ends with, as a message taken, is the task's value: give it by
 * aw_task_set_value() right before aw_wait_complete(), or before `arm` returns
 * 1. It is delivered, or dropped with a task that is killed [C6].
 *
 * In a race, a completed wait decides: other operations of the race are
 * disarmed before aw_wait_complete() returns [H3]. */
struct aw_operation {
  const char *label; /* what D1 shows, as "recv" */
  int (*arm)(aw_task *task, void *data);
  void (*disarm)(aw_task *task, void *data);
  void (*abandon)(aw_task *task, void *data);
  bool external; /* something outside the engine ends it [L4] */
  /* It waits for the end of an object that is being closed: background tasks
   * that waited for the same object learn of the close when it is over. */
  bool closes;
  /* Write what is waited for, as "5", for people; or NULL. */
  void (*describe)(const void *data, char *out, size_t size);
  /* The time that aw_alarm_arm() was given has come: end the wait, or set
   * another one. Runs nothing. Or NULL: it has no alarms. */
  void (*due)(aw_task *task, void *data);
};

/* For the functions of an operation with `due`: have that called at `at` on the
 * engine's clock; virtual time jumps there as to the end of a sleep. One for
 * each task. It is to be disarmed when the wait ends before, by `disarm` too;
 * disarming twice is fine. Returns 0 or AW_ENOMEM. */
AW_API int aw_alarm_arm(aw_task *task, uint64_t at);
AW_API void aw_alarm_disarm(aw_task *task);

/* Wait for `operation`, and end as it did: a negative result is an error.
 *
 *   operation  borrowed for ever (a constant)
 *   data       handed to its functions; borrowed while the wire lives
 */
AW_API aw_wire *aw_wait_for(const aw_operation *operation, void *data);

/* End the wait of `task`, which becomes ready; runs nothing [I2].
 *
 *   result  0, or a negative code: what aw_task_result() and RESUME tell, and
 *           what a wire fails with. AW_ECLOSED says that the object was closed:
 *           a task that is cancelled before its turn, other than by a failure,
 *           gets AW_ECANCELED instead [C2]. Background tasks learn of it when
 *           no wait for the end of a close is under way and no other task is
 *           ready, so that they end with a loop whose main task closes the
 *           object as it ends [T2]
 *
 * Call from: anywhere on the engine's thread, callbacks of libuv included, but
 * not from `arm`.
 */
AW_API void aw_wait_complete(aw_task *task, int result);

/* Are both operands of one race that is not decided? Then at most one of them
 * may be completed: a send and a receive in one choice do not meet. */
AW_API bool aw_task_rivals(const aw_task *a, const aw_task *b);

/* End the wait of `task` before its time, as a cancel does, but with `result`,
 * and with nothing cancelled. False, and nothing done, when `task` does not
 * wait (it may have been woken), or for what cannot be aborted. */
AW_API bool aw_wait_interrupt(aw_task *task, int result);

/* ---- descriptors [Q3] ---------------------------------------------------- */

enum { AW_READABLE = 1, AW_WRITABLE = 2 }; /* or both: whichever comes first */

/* Finish when a read of `fd` would not block: there is data, its end, or an
 * error that the read then tells. The same for a write.
 *
 *   fd      an open descriptor; checked whenever the wire runs
 *   events  AW_READABLE, AW_WRITABLE or both; other values give NULL
 *
 * Fails with libuv's UV_EBADF when `fd` is closed, UV_EEXIST when it belongs to
 * a libuv handle of this engine, UV_EMFILE and others when it cannot be
 * watched. Regular files, and what else cannot be polled, are always ready.
 * Any number of tasks may wait for one descriptor: all of a direction are
 * woken, and the news may be stale for the later ones. The flags of `fd` stay
 * as they are.
 *
 * To close a descriptor that is waited for is an error: call
 * aw_poller_forget() first. Otherwise the wait may never end. A descriptor
 * that nobody waits for may be closed at any time, also while a duplicate or
 * a child keeps its file open: the watcher of a wait leaves the kernel's set
 * before the task goes on, however the wait ends.
 */
AW_API aw_wire *aw_when_ready(int fd, int events);
AW_API aw_wire *aw_readable(int fd);
AW_API aw_wire *aw_writable(int fd);

/* What these wires wait for, for aw_await_operation() and the like; its data
 * is `(void *)(intptr_t)fd`. NULL for other events. */
AW_API const aw_operation *aw_ready_operation(int events);

/* End all waits for `fd` with AW_ECLOSED, and done with its keepers, before it
 * is closed. */
AW_API void aw_poller_forget(aw_engine *engine, int fd);

/* For operations of your own that wait for a descriptor and know something
 * besides, as a buffer: call these from its `arm` and `disarm`, which return
 * what they return. */
AW_API int aw_ready_arm(aw_task *task, int fd, int events);
AW_API void aw_ready_disarm(aw_task *task, int fd);

/* An owner that waits for one descriptor again and again, and keeps its watcher
 * in the kernel's set between the waits: that saves three system calls for each
 * wait. Private; zero it before its first use. */
typedef struct aw_keeper {
  struct aw_watch *watch;
  struct aw_keeper *next;
} aw_keeper;

/* As aw_ready_arm(), which is for single waits, and keep the watcher when the
 * wait has ended; disarm by aw_ready_disarm().
 *
 *   keeper  keeps until aw_ready_done(), or until its engine is freed; it has
 *           one descriptor, that of the last call. NULL: as aw_ready_arm()
 */
AW_API int aw_ready_arm_kept(aw_task *task, int fd, int events,
                             aw_keeper *keeper);

/* Give the watcher up: call this before the descriptor is closed, or before the
 * memory of `keeper` is freed. Twice is fine, and so is a keeper that
 * never kept anything. Call from: anywhere on the engine's thread, a `disarm`
 * included. */
AW_API void aw_ready_done(aw_keeper *keeper);

/* ---- ZeroMQ [Q4] --------------------------------------------------------- */

/* A message of libzmq: its zmq_msg_t. */
typedef union aw_zmq_message {
  unsigned char bytes[64];
  void *align;
} aw_zmq_message;

/* libzmq's functions, by the names of its manual without "zmq_". */
typedef struct aw_zmq_calls {
  void *(*ctx_new)(void);
  int (*ctx_term)(void *context);
  int (*ctx_shutdown)(void *context);
  int (*ctx_set)(void *context, int option, int value);
  int (*ctx_get)(void *context, int option);
  void *(*socket)(void *context, int type);
  int (*close)(void *socket);
  int (*setsockopt)(void *socket, int option, const void *value, size_t size);
  int (*getsockopt)(void *socket, int option, void *value, size_t *size);
  int (*bind)(void *socket, const char *address);
  int (*connect)(void *socket, const char *address);
  int (*unbind)(void *socket, const char *address);
  int (*disconnect)(void *socket, const char *address);
  int (*msg_init)(aw_zmq_message *message);
  int (*msg_init_size)(aw_zmq_message *message, size_t size);
  int (*msg_close)(aw_zmq_message *message);
  void *(*msg_data)(aw_zmq_message *message);
  size_t (*msg_size)(const aw_zmq_message *message);
  int (*msg_more)(const aw_zmq_message *message);
  int (*msg_send)(aw_zmq_message *message, void *socket, int flags);
  int (*msg_recv)(aw_zmq_message *message, void *socket, int flags);
  int (*has)(const char *capability);
  int (*last_error)(void); /* zmq_errno */
  void (*version)(int *major, int *minor, int *patch);
} aw_zmq_calls;

/* Open libzmq, which this library is not linked with: so a program that uses no
 * sockets does not pay for it. It stays open. Call from: any thread.
 *
 *   out  borrowed for ever
 *
 * Returns 0, AW_ENOZMQ when there is none, or one older than 4.3.3, or another
 * code when it could not be opened now.
 */
AW_API int aw_zmq_open(const aw_zmq_calls **out);

/* When a socket of libzmq's is ready. Its descriptor tells only that something
 * has changed, once, and any call with the socket may use that news up: so
 * after each, say aw_zmq_touch(), and the engine looks at ZMQ_EVENTS once more
 * before it blocks. No socket is looked at but those. It is in the engine of
 * the task that waited last; a change of the engine needs that nobody waits. */
typedef struct aw_zmq aw_zmq;

/* Take what `task` waits for out of the socket, or put it in; `data` is that
 * of its operation. Called by the engine, between steps: the task that has
 * waited longest first. Returns 1 when done (with aw_task_set_value() if it has
 * a value), 0 when it must wait on, or a negative code for it to end with. It
 * may not call into the library otherwise, but for aw_zmq_*(). */
typedef int (*aw_zmq_take)(aw_task *task, void *data);

/* What a binding knows of its socket, all optional. */
typedef struct aw_zmq_config {
  aw_zmq_take receive, send; /* for aw_zmq_arm_receive(), aw_zmq_arm_send() */
  bool many; /* a message that cannot go now does not hold up others: ROUTER */
  /* Does the binding hold a message itself? Then the socket is readable. When
   * one comes back to it, say aw_zmq_touch(). */
  bool (*holds)(const void *owner);
  /* Hold the next message, if there is one: that tells whether there is without
   * the system calls that ZMQ_EVENTS costs. Called from where `receive` is, and
   * when a task begins to wait for input. Returns 1, 0 when there is none, with
   * aw_zmq_found_empty(), or negative: look at ZMQ_EVENTS instead. */
  int (*read_ahead)(void *owner);
  /* Read ahead whenever there is something, also while nobody waits: for one
   * that keeps only the newest. May be set at any time. */
  bool eager;
  void *owner; /* handed to both */
} aw_zmq_config;

/* Make the readiness of `socket`.
 *
 *   socket  borrowed until aw_zmq_close(), to be called before zmq_close()
 *   config  borrowed as long; NULL: nothing of it
 *   out     gives
 *
 * Returns 0, AW_ENOMEM, AW_ENOZMQ, or what getting its ZMQ_FD returned.
 */
AW_API int aw_zmq_new(void *socket, const aw_zmq_config *config, aw_zmq **out);

/* End all waits for it with AW_ECLOSED, and free it. NULL is fine: a socket
 * that is closed. So it is for those below that ask or wait: nobody waits for
 * it, and to look at it or to wait for it gives AW_ECLOSED. */
AW_API void aw_zmq_close(aw_zmq *zmq);

/* Let `engine` look after an eager socket from now on, not only when somebody
 * waits for it there. Returns 0, or what keeps it from that, as below. */
AW_API int aw_zmq_attend(aw_zmq *zmq, aw_engine *engine);

/* Something was done with the socket. */
AW_API void aw_zmq_touch(aw_zmq *zmq);

/* What was done last is a receive, and it found nothing: no need to look. */
AW_API void aw_zmq_found_empty(aw_zmq *zmq);

/* Its ZMQ_FD, for people: to wait for it alone loses messages. -1: closed. */
AW_API int aw_zmq_fd(const aw_zmq *zmq);

/* ZMQ_EVENTS as AW_READABLE, AW_WRITABLE; or a negative code. */
AW_API int aw_zmq_events(aw_zmq *zmq);

/* Does a task wait in aw_zmq_arm_receive(), in aw_zmq_arm_send()? Who comes
 * later may not go first.
 *
 *   match  asked whether the data of a task that waits is like `what`; NULL: it
 *          always is
 */
AW_API bool aw_zmq_receiving(const aw_zmq *zmq);
AW_API bool aw_zmq_sending(const aw_zmq *zmq,
                           bool (*match)(const void *data, const void *what),
                           const void *what);

/* For operations of your own, as aw_ready_arm() and aw_ready_disarm(): until
 * the socket is ready, or until `receive` or `send` has done it. A message that
 * cannot be sent though the socket is writable, since the peer that it is for
 * is full, is tried again after 1, 2, 4 … 50 ms. Return 0, 1 when it need not
 * wait, AW_ENOMEM, AW_ECLOSED, AW_EFORKED, or AW_EBUSY: waited for in another
 * engine. */
AW_API int aw_zmq_arm(aw_task *task, aw_zmq *zmq, int events);
AW_API int aw_zmq_arm_receive(aw_task *task, aw_zmq *zmq);
AW_API int aw_zmq_arm_send(aw_task *task, aw_zmq *zmq);
AW_API void aw_zmq_disarm(aw_task *task, aw_zmq *zmq);

/* What waits until a socket is ready; its data is the `aw_zmq *`. NULL for
 * other events than AW_READABLE, AW_WRITABLE, or both. */
AW_API const aw_operation *aw_zmq_operation(int events);

/* Finish when the socket is ready; borrows `zmq` while the wire lives. */
AW_API aw_wire *aw_zmq_when_ready(aw_zmq *zmq, int events);

/* How often this process was forked off since the first aw_zmq_open(): what was
 * made under another number is a parent's, and calls with it fail with
 * AW_EFORKED, or do nothing. Call from: any thread. */
AW_API unsigned aw_zmq_forks(void);

/* ---- channels, events, semaphores [H1] ----------------------------------- */

/* Three places where tasks wait for one another, first come, first served
 * [F5]. Each has a count of references, `..._keep()` and `..._release()`; a
 * wire, and a task that waits, keep theirs. Each belongs to the engine whose
 * task waits there first, until that is freed: a wait of a task of another one
 * fails with AW_EINVAL [S6]. Names are for people, copied, and may be NULL.
 * What does not wait may be called from outside tasks as well. */

/* A channel hands values from task to task.
 *
 * A value is with its sender until it is sent, and with its receiver, as what
 * that wait ends with, once it is received: a wait that is cancelled, or a
 * race that is lost, has sent or received nothing; one that has committed is
 * delivered, whatever comes [C6]. Operands of one race do not meet. */
typedef struct aw_channel_config {
  size_t capacity;  /* values that it holds; 0: a sender waits for a receiver;
                       SIZE_MAX: as many as there is memory for */
  const char *name; /* or NULL */
  void *host;       /* handed to these, which may be NULL */
  /* As in aw_engine_config, of the engine that it will belong to. */
  void (*drop)(void *host, aw_value value);
  aw_value (*keep)(void *host, aw_value value);
  /* `value` is now what a wire ends with, in `task`; who receives by an await
   * gets it at hand. May not call the library, but to look at the task. */
  void (*deliver)(void *host, aw_value value, aw_task *task);
  /* Takes; what a receive ends with once it is closed and empty. 0 is fine,
   * if 0 is never sent. */
  aw_value end;
} aw_channel_config;

/* Make a channel; `config` borrowed. Gives. Returns 0 or AW_ENOMEM. */
AW_API int aw_channel_new(const aw_channel_config *config, aw_channel **out);
AW_API aw_channel *aw_channel_keep(aw_channel *channel);
/* NULL is fine. With the last reference, drops the values left in it. */
AW_API void aw_channel_release(aw_channel *channel);

/* Send without waiting. Takes `value` if it returns 0, and only then.
 * Returns 0, AW_EAGAIN, AW_ECLOSED or AW_ENOMEM. */
AW_API int aw_channel_try_send(aw_channel *channel, aw_value value);
/* Receive without waiting: gives `*out` with 0. Returns 0, AW_EAGAIN, or
 * AW_ECLOSED when it is closed and empty. */
AW_API int aw_channel_try_recv(aw_channel *channel, aw_value *out);

/* The task that gets what is sent next, if its host code waits for that: for a
 * host that hands it over itself, and then sends a token. Borrowed, or NULL. */
AW_API aw_task *aw_channel_receiver(const aw_channel *channel);

/* Nothing can be sent any more, and who waits to fails with AW_ECLOSED;
 * receivers get what is left, and then `end`. Again is fine. */
AW_API void aw_channel_close(aw_channel *channel);

/* Send, which fails with AW_ECLOSED when the channel is closed, and receive,
 * as wires and as awaits.
 *
 *   channel  keeps
 *   value    takes; the wire sends it, kept once more, each time it runs
 */
AW_API aw_wire *aw_send(aw_channel *channel, aw_value value);
AW_API aw_wire *aw_recv(aw_channel *channel);
AW_API int aw_await_send(aw_task *task, aw_channel *channel, aw_value value);
AW_API int aw_await_recv(aw_task *task, aw_channel *channel);

/* Would a message be taken at once, or is it closed? And wait until that is so:
 * for one who sends to several channels, which nobody else sends to, all or
 * none. A channel that holds none never has room. */
AW_API bool aw_channel_has_room(const aw_channel *channel);
AW_API int aw_await_room(aw_task *task, aw_channel *channel);

/* For operations of your own: call these from its `arm`, `disarm` and
 * `describe`, which return what they return. aw_send_arm() takes `value`. */
AW_API int aw_send_arm(aw_task *task, aw_channel *channel, aw_value value);
AW_API void aw_send_disarm(aw_task *task, aw_channel *channel);
AW_API int aw_recv_arm(aw_task *task, aw_channel *channel);
AW_API void aw_recv_disarm(aw_task *task, aw_channel *channel);
AW_API void aw_channel_describe(const aw_channel *channel, char *out,
                                size_t size);

typedef struct aw_channel_view {
  const char *name; /* borrowed, or NULL */
  size_t capacity, count;
  size_t senders, receivers; /* that wait */
  bool closed;
} aw_channel_view;
AW_API void aw_channel_look(const aw_channel *channel, aw_channel_view *out);
/* May tasks of `engine` wait on it? */
AW_API bool aw_channel_open_to(const aw_channel *channel,
                               const aw_engine *engine);

/* An event is set or not; tasks wait until it is. Gives. 0 or AW_ENOMEM. */
AW_API int aw_event_new(const char *name, aw_event **out);
AW_API aw_event *aw_event_keep(aw_event *event);
AW_API void aw_event_release(aw_event *event); /* NULL is fine */
/* All who wait go on, also when it is cleared before their turn comes. */
AW_API void aw_event_set(aw_event *event);
AW_API void aw_event_clear(aw_event *event);
AW_API bool aw_event_is_set(const aw_event *event);
AW_API aw_wire *aw_when_set(aw_event *event); /* keeps */
AW_API int aw_await_event(aw_task *task, aw_event *event);
AW_API size_t aw_event_waiting(const aw_event *event);   /* tasks */
AW_API const char *aw_event_name(const aw_event *event); /* or NULL */
AW_API bool aw_event_open_to(const aw_event *event, const aw_engine *engine);

/* A semaphore has `count` permits, which tasks acquire and give back.
 *
 *   most  it never has more; UINT64_MAX: no bound. AW_EINVAL below `count`
 *
 * Gives. Returns 0, AW_EINVAL or AW_ENOMEM. */
AW_API int aw_semaphore_new(uint64_t count, uint64_t most, const char *name,
                            aw_semaphore **out);
AW_API aw_semaphore *aw_semaphore_keep(aw_semaphore *semaphore);
AW_API void aw_semaphore_release(aw_semaphore *semaphore); /* NULL is fine */
/* Acquire without waiting. Returns 0 or AW_EAGAIN. */
AW_API int aw_semaphore_try_acquire(aw_semaphore *semaphore);
/* Give a permit back, to who waits first. Returns 0, or AW_EINVAL when it has
 * as many as it may have. */
AW_API int aw_semaphore_give_back(aw_semaphore *semaphore);
AW_API aw_wire *aw_acquire(aw_semaphore *semaphore); /* keeps */
AW_API int aw_await_acquire(aw_task *task, aw_semaphore *semaphore);
/* For operations of your own, as aw_recv_arm() and those beside it. */
AW_API int aw_acquire_arm(aw_task *task, aw_semaphore *semaphore);
AW_API void aw_acquire_disarm(aw_task *task, aw_semaphore *semaphore);
AW_API void aw_semaphore_describe(const aw_semaphore *semaphore, char *out,
                                  size_t size);
AW_API uint64_t aw_semaphore_count(const aw_semaphore *semaphore);
AW_API size_t aw_semaphore_waiting(const aw_semaphore *semaphore); /* tasks */
AW_API const char *
aw_semaphore_name(const aw_semaphore *semaphore); /* or NULL */
AW_API bool aw_semaphore_open_to(const aw_semaphore *semaphore,
                                 const aw_engine *engine);

/* A rate lets tasks acquire at most `most` units in any span of `per` ns: what
 * was acquired at `t` counts until t + per. First come, first served: who asks
 * for many units is not passed by those who ask for few. There is nothing to
 * give back. A cancelled wait has acquired nothing.
 *
 * It belongs to the engine that asks first, by whose clock it counts, until no
 * loop of that runs; then to the next one that asks, and begins anew.
 *
 * Gives. Returns 0, AW_EINVAL for a zero and for AW_NEVER, or AW_ENOMEM. */
AW_API int aw_rate_new(uint64_t most, uint64_t per, const char *name,
                       aw_rate **out);
AW_API aw_rate *aw_rate_keep(aw_rate *rate);
AW_API void aw_rate_release(aw_rate *rate); /* NULL is fine */
/* Acquire without waiting. Returns 0; AW_EAGAIN; AW_EINVAL for more units than
 * there can be, and when it belongs to another engine; or AW_ENOMEM. */
AW_API int aw_rate_try_acquire(aw_rate *rate, aw_engine *engine,
                               uint64_t units);
/* Acquire, as a wire (keeps the rate) and as an await. AW_EINVAL as above. */
AW_API aw_wire *aw_acquire_rate(aw_rate *rate, uint64_t units);
AW_API int aw_await_rate(aw_task *task, aw_rate *rate, uint64_t units);

typedef struct aw_rate_view {
  const char *name; /* borrowed, or NULL */
  uint64_t most, per;
  uint64_t used;  /* units that count now */
  size_t waiting; /* tasks */
} aw_rate_view;
AW_API void aw_rate_look(const aw_rate *rate, aw_rate_view *out);

/* ---- errors -------------------------------------------------------------- */

/* Make an error for a task to end with.
 *
 *   code   negative; AW_EHOST when `value` says it all
 *   value  takes; 0 for none
 *
 * Gives an error. Never NULL: out of memory it is the engine's own
 * "out of memory" error, and `value` is dropped.
 */
AW_API aw_error *aw_error_new(aw_engine *engine, int code, aw_value value);

AW_API int aw_error_code(const aw_error *error);
AW_API aw_value aw_error_value(const aw_error *error); /* borrowed, or 0 */
/* Give an error that has none a value; takes, and drops it if there is one, or
 * if it is the engine's "out of memory". */
AW_API void aw_error_set_value(aw_error *error, aw_value value);

/* How often was tried what failed with it [O10]; 0 if it was no retry. */
AW_API uint32_t aw_error_attempts(const aw_error *error);

/* Of AW_ETIMEOUT: the wire whose time was over, and its time in ns; of a wire
 * that waited and failed: that wire. `holder` is the host's wire that it was a
 * part of, if any. Borrowed; NULL for none. */
AW_API const aw_wire *aw_error_wire(const aw_error *error,
                                    const aw_wire **holder, uint64_t *ns);

/* Of AW_ETIMEOUT: what it cut short; borrowed, or NULL. */
AW_API const aw_cut *aw_error_cut(const aw_error *error);

/* What was tried, as "readable", and the descriptor that it was about: of a
 * wait that failed, or as set with aw_error_set_about().
 *
 *   call  borrowed for ever; NULL for none
 *   fd    -1 for none
 */
AW_API const char *aw_error_call(const aw_error *error);
AW_API int aw_error_fd(const aw_error *error);
AW_API void aw_error_set_about(aw_error *error, const char *call, int fd);

/* The object that the error is about, in words, if it is no descriptor; or NULL.
 * Setting it copies `subject`; out of memory the error stays without. */
AW_API const char *aw_error_subject(const aw_error *error); /* borrowed */
AW_API void aw_error_set_subject(aw_error *error, const char *subject);

/* The error that came after the first one and was set aside for it [E3].
 *
 *   index  0 is the oldest
 *
 * Borrowed; NULL past the last.
 */
AW_API aw_error *aw_error_suppressed(const aw_error *error, size_t index);
/* The same one by one: the one after `*at`, which it moves on; that is NULL at
 * first. NULL: there are no more. Borrowed. One that is suppressed meanwhile
 * comes as well. */
AW_API aw_error *aw_error_next_suppressed(const aw_error *error,
                                          const void **at);

/* Set `later` aside in `error`: it came second [E3]. Takes `later`. */
AW_API void aw_error_suppress(aw_error *error, aw_error *later);

AW_API aw_error *aw_error_keep(aw_error *error);
/* NULL is fine. */
AW_API void aw_error_release(aw_error *error);

/* ---- what a time-out cut short, for people [E2] -------------------------- */

/* The first wait that a time-out aborted, or, where none was under way, the
 * first one that could not begin any more. There is no record when there is no
 * memory for it.
 *
 * The host may add where in its code that wait stands: when it goes on with the
 * result AW_ECANCELED, as long as the stack of the wait is there. The record of
 * that wait; borrowed, until the task is reported or waits again. NULL for all
 * other waits, and the second time.
 */
AW_API aw_cut *aw_task_take_cut(aw_task *task);
AW_API void aw_cut_set_value(aw_cut *cut, aw_value value); /* takes */

/* The same where the host itself gives Cancelled to `task`, which it cut short
 * in something that is no wait of the engine's.
 *
 *   text  names that something, as "resume"; copied
 */
AW_API aw_cut *aw_task_cut_outside(aw_task *task, const char *text);
AW_API aw_value aw_cut_value(const aw_cut *cut); /* borrowed, or 0 */

/* The text of the wait, as "sleep 5 s"; borrowed. */
AW_API const char *aw_cut_text(const aw_cut *cut);
/* The id of the task that waited. `where` it was started, or NULL. */
AW_API uint64_t aw_cut_task(const aw_cut *cut, const char **where);
/* Is that the task which reports the time-out, and no other one below it? */
AW_API bool aw_cut_own(const aw_cut *cut);
AW_API aw_cut *aw_cut_keep(aw_cut *cut); /* gives `cut`; NULL is fine */
AW_API void aw_cut_release(aw_cut *cut); /* takes; NULL is fine */

/* ---- looking inside ------------------------------------------------------ */

/* The tree of scopes and tasks below `scope`: the next one after `at` in the
 * order of the tree, NULL at its end; start with `at` = `scope`. Borrowed until
 * anything runs.
 *
 *   depth  how far below `scope` it is: 0 at the start, kept up to date
 */
AW_API aw_scope *aw_scope_walk(const aw_scope *scope, const aw_scope *at,
                               size_t *depth);
/* The task whose own scope this is, or NULL. */
AW_API aw_task *aw_scope_task(const aw_scope *scope);
AW_API bool aw_scope_cancelled(const aw_scope *scope);
AW_API bool aw_scope_overdue(const aw_scope *scope); /* as aw_task_overdue() */
AW_API bool aw_scope_shields(const aw_scope *scope);
/* What it is, for people: "join", "race", "any", "select" of operands; "shield"
 * while it is one; else "scope". */
AW_API const char *aw_scope_label(const aw_scope *scope);

/* ---- memory ------------------------------------------------------------ */

/* Resize `memory` (NULL: none yet) to `size` bytes and return it, moved or
 * not; NULL, with `memory` as it was, when there is not enough. With a `size`
 * of 0 free `memory`, which is not NULL then, and return NULL. */
typedef void *(*aw_allocator)(void *context, void *memory, size_t size);

/* Bring your own allocator, for all memory of this library (libuv has its
 * own, see uv_replace_allocator()).
 *
 *   allocate  NULL: the C library's again
 *   context   handed to it
 *
 * It is the process's, since wires belong to no engine: it must be safe for
 * all threads that use the library. Call from: before the first use of the
 * library, or when all that it has made is freed.
 */
AW_API void aw_set_allocator(aw_allocator allocate, void *context);

/* What that allocator does, or realloc(): for memory of a binding. `memory`
 * may be NULL. */
AW_API void *aw_reallocate(void *memory, size_t size);
/* From the same: zeroed, or NULL when there is not enough; and freed. */
AW_API void *aw_allocate(size_t size);
AW_API void aw_free(void *memory); /* NULL is fine */

#ifdef __cplusplus
}
#endif
#endif
