/* aiowire.h - concurrent programs as immutable values, run by one engine
 *
 * A *wire* describes work; it is an immutable expression tree.
 * A *task* is one run of a wire.
 * A *scope* owns tasks. It ends after all of them, and its cancel reaches all
 * of them.
 * A *loop* is the root scope of a tree of tasks on an engine.
 * An *engine* schedules tasks: it has the ready queue, the clock, the deadlines
 * and one libuv loop.
 *
 *     aw_engine *engine;  aw_loop *loop;  aw_task *task;
 *     aw_engine_new(NULL, &engine);
 *     aw_loop_new(engine, NULL, &loop);
 *     aw_loop_start(loop, aw_then(aw_sleep(AW_SECOND), aw_call(beep, NULL)),
 *                   NULL, &task);
 *     aw_task_release(task);
 *     aw_loop_run(loop, AW_NEVER);
 *     aw_loop_free(loop);
 *     aw_engine_free(engine);
 *
 * Contents
 *
 *     Basics              types, time, values of the host
 *     Error codes
 *     Wires               steps, sequences, repetition
 *     Combining wires     joins, races, limits, clean-up, retries
 *     Wires as data       references, inspection
 *     Engines             their clock, their libuv loop, waking them
 *     Loops
 *     Tasks               starting, cancelling, looking at them
 *     Pulling             for a host that runs steps of its own
 *     Driving             for a host that has an event loop of its own
 *     Waiting             inside a step
 *     Scopes in steps
 *     Operations          things to wait for, of your own
 *     Tickets             completing a wait from another thread
 *     Descriptors
 *     Channels, events, semaphores, rates
 *     Errors              of tasks, in detail
 *     Cuts                what a time-out cut short
 *     The tree of scopes
 *     Instruments         for tracers and monitors
 *     Memory
 *     C++                 steps that may throw
 *
 * How one event travels
 *
 *     waiting   a step arms one wait, and its task is parked
 *                   |
 *     firing    libuv calls back, or a deadline expires: aw_wait_complete()
 *               stores the result and puts the task into the ready queue;
 *               nothing runs yet
 *                   |
 *     running   aw_next() takes the task from the queue and interprets its wire
 *               until it meets a step. It calls a C step (aw_call()); it
 *               returns a host step (aw_host_call()), which the host runs and
 *               reports, by aw_step_done() for example
 *                   |
 *               the step waits again, or ends
 *
 * The core never pushes work to its host: the host pulls steps out of
 * aw_next(). Besides C steps, the core calls only the functions that a program
 * hands in. They may call these functions of this library:
 *
 *   C steps, `pull` and     all. aw_next() and aw_loop_run() return AW_EBUSY in
 *   `ended` of engines      a C step; aw_next() is what `pull` is for
 *   `closed` of engines     all, but its engine is gone
 *   aw_loop_end             `run`: as `pull`, but aw_next(); `ends`: those that
 *                           only look at the loop
 *   callbacks of handles    all but those that wait or run tasks. (The handles
 *   in the libuv loop       are those of the program, see aw_engine_uv().)
 *   operations              those that "operations" lists below
 *   `release` of wires      `..._release()`, and those for memory
 *   `drop`, `keep`,         those for memory
 *   `gather`, `settle`
 *   `deliver` of channels   those, and those that only look at the task
 *   aw_closer               those for memory
 *   aw_slot, aw_instrument  see there
 *
 * The library never prints, exits or aborts, blocks but in aw_next() and
 * aw_loop_run(), or changes signals, the locale or limits. A build with asserts
 * stops at some of the wrong calls, see "Misuse".
 *
 * Conventions
 *
 *   Return values  A function that can fail returns 0, or a negative code that
 *                  aw_strerror() knows. On failure it leaves its `out`
 *                  parameters alone, unless its comment says otherwise.
 *   Time           uint64_t, in nanoseconds. A point in time is on the engine's
 *                  clock.
 *   NULL           A pointer may be NULL only where its comment says so. Every
 *                  `..._release()` and `..._free()` accepts NULL.
 *   Ownership      A function *takes* (the callee owns the argument from now
 *                  on, also on failure), *borrows* (for the call), *keeps*
 *                  (adds a reference of its own) or *gives* (the caller must
 *                  release). Arguments without one of these words are borrowed.
 *                  `..._keep()` adds a reference and gives its argument back.
 *                  So after a failure there is nothing to free: what the
 *                  function takes is released, and it gives nothing.
 *   Strings        Returned strings are borrowed from their object.
 *   Sizes          `size` of a struct that a program fills is `sizeof` that
 *                  struct, or 0, which stands for the members down to `size`:
 *                  set it to use a member behind it. A later version adds
 *                  members at the end. Members that the library does not know
 *                  must be zero: else AW_EINVAL.
 *   Growth         A version with the same major number changes no member and
 *                  no number of an enumeration. It may add functions,
 *                  enumerators at the end (answer a step of an unknown kind as
 *                  a notification), members of structs with a `size`, and a
 *                  meaning for members named `spare`, which a program neither
 *                  sets nor reads: initializers make them zero. Structs that
 *                  only the library makes, grow at their end. No other struct
 *                  grows.
 *   Misuse         A wrong call does nothing, and releases what it takes. A
 *                  function with a code returns AW_EINVAL, one that makes
 *                  something returns NULL. Checked, in every build: NULL
 *                  where a function with a code or a constructor takes a
 *                  pointer; waits, scopes and reports at a wrong time, as
 *                  outside of a step, twice, or for a task that has ended;
 *                  loops, tasks and objects of another engine; enumerators,
 *                  events, sizes and numbers.
 *
 *                  Not checked: pointers to what was freed; another thread than
 *                  the engine's; NULL for functions without a code; the
 *                  arguments of aw_next(); calls from functions that may not
 *                  make them (see above); `..._arm()`, `..._disarm()` and
 *                  `..._describe()` outside of an operation; aw_begin_yield()
 *                  and the setters of a task whose step is not under way;
 *                  aw_step_become() where aw_step_can_become() says no; an
 *                  exception or longjmp() that leaves a function which this
 *                  library has called.
 *   Call from      The thread of the engine, in any place but the functions
 *                  that the core calls (see above; C steps are no such place).
 *                  Comments name the exceptions. Only aw_next() and
 *                  aw_loop_run() block or run tasks.
 *   Threads        Several engines may run in several threads. They share no
 *                  objects and no wires, also no parts of wires: a wire may be
 *                  made in one thread and run in another, but once it has run,
 *                  it belongs to that thread. Debug builds assert this.
 *   Marks          [C6] names a rule in docs/semantics.md, [ZQ1] a measured
 *                  trap in docs/pitfalls.md.
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

/* ---- basics -------------------------------------------------------------- */

#define AW_VERSION_MAJOR  0
#define AW_VERSION_MINOR  1
#define AW_VERSION_PATCH  0
#define AW_VERSION_STRING "0.1.0"

/* Return the version of the library that runs, as in AW_VERSION_STRING.
 * Call from: anywhere. */
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
typedef struct aw_ticket aw_ticket;
typedef struct aw_step aw_step;

#define AW_SECOND  UINT64_C(1000000000)
#define AW_NEVER   UINT64_MAX /* a time that never comes */
#define AW_FOREVER UINT64_MAX /* a repetition that never ends */
/* As a grace: that of the enclosing scope, or of its task, or of its loop; the
 * first of them that has one counts. */
#define AW_DEFAULT (UINT64_MAX - 1)

/* A value of the host that the core carries but never reads, such as the
 * results of a task or the Lua value of an error. 0 means "no value". For each
 * value that a function *takes*, the core calls the host's `drop` once, unless
 * it gives the value back. */
typedef uint64_t aw_value;

/* ---- error codes --------------------------------------------------------- */

/* All codes share one space of numbers:
 *
 *   AW_EINVAL … AW_ECANCELED  those of this library, with Linux's numbers. On
 *                             Linux they equal UV_EINVAL and so on; elsewhere
 *                             the system and libuv may have other numbers for
 *                             them, or other meanings for these numbers
 *   others, down to -4095     libuv's, which are -errno of the system, or
 *                             UV_EAI_..., UV_EOF and the like
 *   -20001 … -20999           those of this library alone, on every system
 *   below -156384712          libzmq's own, such as -EFSM of its zmq.h
 */
enum {
  AW_EINVAL = -22,       /* wrong argument, or called at a wrong time */
  AW_ENOMEM = -12,       /* out of memory */
  AW_EBUSY = -16,        /* it is already running, or in use elsewhere */
  AW_EAGAIN = -11,       /* impossible without waiting */
  AW_ECANCELED = -125,   /* Cancelled: the operation did not happen [C2] */
  AW_EHOST = -20001,     /* an error of the host: its value says which */
  AW_ETIMEOUT = -20002,  /* a time-out cut it short [O8] */
  AW_EENDED = -20003,    /* the loop, the scope or the task has ended */
  AW_ESTRAY = -20004,    /* a task ended with Cancelled without a cancel [E5] */
  AW_EDEADLOCK = -20005, /* all tasks wait, and nothing can wake one [L4] */
  AW_ECLOSED = -20006,   /* the object was closed */
  AW_ESELF = -20007,     /* a task waits for itself or for its ancestor [T5] */
  AW_ETASKCANCELLED = -20008, /* the awaited task was cancelled [T5] */
  AW_EFORKED = -20009,        /* the parent of this process opened it */
  AW_ENOZMQ = -20010,         /* libzmq 4.3.3 or later is not installed */
  AW_EDEPTH = -20011,         /* more than AW_MOST_FRAMES frames in a task */
  AW_EVERSION = -20012 /* the host's libuv is another version than ours */
};

/* The most frames that a task can have. Each composite wire under way, such as
 * a sequence or a time-out, takes one or two frames; the task fails with
 * AW_EDEPTH when there is no room for them. An operand of a join or a race is a
 * task of its own, so joins and races nest without a limit. */
enum { AW_MOST_FRAMES = 32768 };

/* Return what `code` means, in a few words: a constant that nobody frees, also
 * for an unknown code; never NULL. Call from: anywhere. */
AW_API const char *aw_strerror(int code);
/* Return the name of `code`, such as "ECONNREFUSED"; never NULL.
 * Call from: anywhere. */
AW_API const char *aw_error_name(int code);

/* ---- wires ---------------------------------------------------------------
 *
 * Each constructor gives a new wire, or NULL when out of memory. It takes its
 * operands, and a NULL operand gives NULL. So a nested expression needs one
 * check, at its end, and cannot leak: whatever the reason for a NULL, what the
 * constructor takes has been released, by calling `release` with the `data` for
 * aw_host_call() and aw_hold().
 *
 * A *chain* is a wire and the wires that its steps return, one after the other.
 * A task runs a whole chain; in the middle of a sequence or a repeat, a
 * returned wire is spun off instead: it runs as a child task [N5]. Any number
 * of tasks may run the same wire, also at the same time [V1]. Wires belong to
 * no engine. But a wire of an object, such as aw_recv() of a channel, runs only
 * in the object's engine. */

/* How a C step ended.
 *
 * A step fails with AW_EINVAL if what it has set does not go with what it
 * returns: AW_NEXT without a next wire, AW_DONE with a next wire or an error,
 * AW_WAIT without a wait. If it has armed a wait and does not return AW_WAIT,
 * the wait is aborted, and the step fails with AW_EINVAL, or with the error
 * that it has set. A wait that cannot be aborted goes on. */
typedef enum aw_turn {
  AW_DONE, /* with the value that was given to aw_task_set_value(), or none */
  AW_WAIT, /* with exactly one wait armed. The step is called again when that
              wait has ended */
  AW_NEXT, /* the task goes on with the wire that was given to
              aw_task_set_next() [N2] */
  AW_FAIL, /* with the error that was given to aw_task_set_error(). Without an
              error the step passes Cancelled on */
  AW_INTO, /* the wire that was given to aw_task_set_next() runs in place of
              the step, without a boundary. The task does not keep that wire:
              it must live as long as the step's own wire */
  AW_BREAK /* as AW_DONE, and the innermost aw_repeat() around it ends, too */
} aw_turn;

/* A C step. aw_next() calls it, so it must return soon.
 *
 * After AW_WAIT it is called again: aw_task_came_back() is true then, and
 * aw_task_result() tells how the wait ended. If that is a negative code, the
 * step should clean up and return aw_task_fail() of it; for AW_ECANCELED that
 * passes Cancelled on.
 *
 * An exception of C++ must not leave it: the behaviour is undefined, and a
 * library built with asserts aborts with a sentence. aw_guard() catches
 * exceptions. */
typedef aw_turn (*aw_step_fn)(aw_task *task, void *data);

/* Make a wire that calls a C step.
 *
 *   fn    NULL gives NULL
 *   data  handed to `fn`; borrowed while the wire lives. aw_hold() ties its
 *         life to a wire
 */
AW_API aw_wire *aw_call(aw_step_fn fn, void *data);

/* Make a wire that the host runs: aw_next() returns it as AW_STEP_CALL.
 *
 *   data     takes; AW_STEP_CALL hands it to the host
 *   release  called with `data` when the wire is freed, or when it could not be
 *            made; NULL: nothing to do
 *   name     borrowed for ever, since tasks remember it [D3]; may be NULL
 */
AW_API aw_wire *aw_host_call(void *data, void (*release)(void *data),
                             const char *name);

/* Make a wire that runs `wire` and owns `data`.
 *
 *   data     takes
 *   release  called with `data` when the new wire is freed, or when it could
 *            not be made, for a NULL `wire` too. A NULL `release` gives NULL
 */
AW_API aw_wire *aw_hold(aw_wire *wire, void *data, void (*release)(void *));

/* Run `first`, then `second` [O1]. The result is flat: a sequence in it adds
 * its items [V4]. */
AW_API aw_wire *aw_then(aw_wire *first, aw_wire *second);

/* Run `count` wires one after the other; takes each of them. With a `count` of
 * 0 the wire finishes at once.
 *
 * Appending is cheap. A wire that begins with another one of the same operator
 * shares its array of items, so `w = aw_then(w, x)` costs the same whatever the
 * length of `w`. Only one wire can extend another in place: a second one, or a
 * wire that is put in front, copies one reference for each item. The same is
 * true of aw_both(), aw_either() and aw_or_else(). */
AW_API aw_wire *aw_sequence(aw_wire *const *wires, size_t count);

/* Repeat `wire`, one run after the other [O2].
 *
 *   times   0 finishes at once; AW_FOREVER never ends
 */
AW_API aw_wire *aw_repeat(aw_wire *wire, uint64_t times);

/* Finish `ns` after the wire begins to run; AW_NEVER never finishes. */
AW_API aw_wire *aw_sleep(uint64_t ns);

/* Finish when the engine's clock has reached `at`; AW_NEVER never finishes. */
AW_API aw_wire *aw_sleep_until(uint64_t at);

/* Run the whole chain of `wire`: when its last step returns a next wire, that
 * wire is part of it [O12]. */
AW_API aw_wire *aw_whole(aw_wire *wire);

/* Run `wire` under a name that tracebacks and dumps show.
 *
 *   name  copied; NULL gives `wire` itself
 */
AW_API aw_wire *aw_named(aw_wire *wire, const char *name);

/* ---- combining wires [O4-O11] --------------------------------------------
 *
 * "The whole of `wire`" means its whole chain, as in aw_whole(). */

/* Join: run all `wires` at the same time, in a scope of their own [O4].
 *
 * The operands begin in their order, and the join finishes when the last of
 * them has ended. The first failure cancels the others; when they have ended,
 * the join fails with it. The value is what the engine's `gather` makes of the
 * values of the operands.
 *
 *   wires   takes each of them; none: finishes at once
 *   limit   how many run at the same time; 0: all [O6]
 */
AW_API aw_wire *aw_all(aw_wire *const *wires, size_t count, uint32_t limit);

/* `a & b`: join two wires. A join of joins is one join [V4]. */
AW_API aw_wire *aw_both(aw_wire *a, aw_wire *b);

/* Race: run all `wires` at the same time, in a scope of their own; the first to
 * finish decides, whether with a value or an error [O5].
 *
 * The race cancels the losers, waits for their ends, and ends as the winner. An
 * operand that is an event (see aw_wire_is_event()) decides already when it
 * commits; the losing events are disarmed at that moment, so that exactly one
 * of them takes effect [H3]. Operands begin from left to right. If an event is
 * ready when it begins, it wins at once and the operands to its right do not
 * begin.
 *
 * The value is the winner's, with its number: see `gather` of the engine [O6].
 *
 *   wires   takes each of them; none: gives NULL
 */
AW_API aw_wire *aw_race(aw_wire *const *wires, size_t count);

/* `a | b`: race two wires, for the value of the winner alone. A race of races
 * is one race [V4]. */
AW_API aw_wire *aw_either(aw_wire *a, aw_wire *b);

/* Race for the first *value*, as aw_race(), and end with that value alone [O6].
 *
 * When all operands fail, it fails with the last error; the other errors are
 * suppressed in that one. An event under aw_bind() may still fail after its
 * commit, so such an operand decides when it ends.
 *
 *   wires   takes each of them; none: gives NULL
 */
AW_API aw_wire *aw_any(aw_wire *const *wires, size_t count);

/* Race events only, and begin them in a random order [H4]. The value is the
 * number of the winner, then its value: see `gather` of the engine.
 *
 *   wires   takes each of them; none, or a wire that is no event: gives NULL
 */
AW_API aw_wire *aw_select(aw_wire *const *wires, size_t count);

/* Tell whether `wire` is an event: one operation with a single commit, perhaps
 * named or under aw_bind() [V3]. Call from: anywhere. */
AW_API bool aw_wire_is_event(const aw_wire *wire);

/* `a // b`: run the whole of `a`; if it fails, run `b` instead [O7]. Cancelled
 * is no failure. */
AW_API aw_wire *aw_or_else(aw_wire *a, aw_wire *b);

/* Run the whole of `wire`, for at most `ns` [O8]. When the time is over, the
 * wire is cancelled. If that cuts it short, the result is AW_ETIMEOUT, after
 * its clean-up.
 *
 *   grace   ns for that clean-up, or AW_DEFAULT
 */
AW_API aw_wire *aw_timeout(aw_wire *wire, uint64_t ns, uint64_t grace);

/* Run the whole of `wire` in a shield: cancels from outside are hidden from it
 * while they are soft, for at most `grace` ns from its begin [C7, O13].
 *
 *   grace   ns; AW_DEFAULT: the grace of the loop
 */
AW_API aw_wire *aw_shielded(aw_wire *wire, uint64_t grace);

/* Run the whole of `wire`, then `then`, which may use the value of `wire`: its
 * first step gets it by aw_task_take_value() [O11]. There is no boundary
 * between the two [N4].
 *
 * That step may stand at the begin of a larger wire, such as a sequence or a
 * time-out. It gets the value in its first run alone, and if it does not take
 * the value, the value is dropped. If `then` begins with a wait, a join or a
 * race, nobody gets the value. */
AW_API aw_wire *aw_bind(aw_wire *wire, aw_wire *then);

/* Run the whole of `wire`; if it fails, run `then`, whose first step gets the
 * error by aw_task_take_error() [O9], as in aw_bind(). Cancelled is no
 * failure. */
AW_API aw_wire *aw_catch(aw_wire *wire, aw_wire *then);

/* Run the whole of `wire`, then the whole of `then`, however `wire` ended [O9].
 *
 * `then` runs in a shield, as in aw_shielded(). The result is that of `wire`.
 * If `then` fails, the result is its error, and an error of `wire` is
 * suppressed in that.
 *
 *   grace   ns for `then`, or AW_DEFAULT: the grace of the loop
 */
AW_API aw_wire *aw_finally(aw_wire *wire, aw_wire *then, uint64_t grace);

/* When and how often aw_retry() tries again [O10]. Times are in ns. */
typedef struct aw_retry_rule {
  uint64_t times;  /* tries in all, at least 1; AW_FOREVER: no limit */
  uint64_t delay;  /* before the second try */
  double factor;   /* each further delay is longer by this factor; 0: as 1 */
  uint64_t most;   /* upper bound of a delay; 0 or AW_NEVER: none */
  uint64_t within; /* limit for all tries together; 0 or AW_NEVER: none */
  bool jitter;     /* wait only a random part of each delay */
  /* ns. A failed try that lasted this long counts as the first one: the number
   * of tries and the delay start anew. 0: never. */
  uint64_t reset_after;
  size_t size; /* see "Sizes" above */
} aw_retry_rule;

/* Run the whole of `wire`; when it fails, try it again as `rule` says [O10].
 *
 * It fails with the error of the last try; aw_error_attempts() has the number
 * of tries. When `within` is over before the first try has failed, it fails
 * with AW_ETIMEOUT. Cancelled is not tried again.
 *
 * `(aw_retry_rule){.times = 3}` tries three times without a pause.
 *
 *   rule   copied. NULL, 0 `times`, a `factor` that is negative or no number,
 *          and a `size` that does not fit give NULL
 *   when   takes; decides after each failure. Its first step gets the error by
 *          aw_task_take_error(). The wire is tried again if `when` ends with a
 *          value. If `when` fails, its error is the result, and the error of
 *          the try is suppressed in it. NULL: try again after every failure
 */
AW_API aw_wire *aw_retry(aw_wire *wire, const aw_retry_rule *rule,
                         aw_wire *when);

/* What aw_every() does with a tick that is late [K4]. */
typedef enum aw_missed {
  AW_MISSED_SKIP,  /* drop it, and wait for the next multiple of the period */
  AW_MISSED_BURST, /* run it at once, and all others that were missed */
  AW_MISSED_DELAY  /* run it at once, and count the period from it */
} aw_missed;

/* Run the whole of `wire` at t0, t0 + period, t0 + 2 * period and so on, where
 * t0 is the time at which it begins. Runs never overlap. Only a failure or a
 * cancel ends it.
 *
 *   period   ns; 0 gives NULL
 */
AW_API aw_wire *aw_every(uint64_t period, aw_wire *wire, aw_missed missed);

/* A kind of state for C steps, such as the state of a protocol: each run of a
 * wire gets a slot of its own. Constant, and borrowed for ever; its address is
 * its name. */
typedef struct aw_slot {
  size_t size; /* of the slot, in bytes */

  /* A run begins: set up its slot, which is zeroed. Returns 0, or a negative
   * code: then the wire fails with that code, and `leave` is not called. The
   * slots that aw_task_slot() finds are those around this one. May call what
   * functions of operations may call. NULL: nothing to do. */
  int (*enter)(aw_task *task, void *slot, void *data);

  /* The run has ended, by whatever cause; its slot is freed after this. May
   * call only functions that release, and those for memory. NULL: nothing to
   * do. */
  void (*leave)(void *slot, void *data);

  void *spare[2]; /* see "Growth" above */
} aw_slot;

/* Run the whole of `wire` with a slot. Before its first step the run enters the
 * slot, and leaves it once at its end: after a value, an error, a cancel or a
 * kill. A run that never began enters nothing. Each turn of a repeat and each
 * try of a retry is a run, and so is each task that runs the same wire.
 *
 *   slot  NULL gives NULL
 *   data  handed to the functions of `slot`; borrowed while the wire lives
 *
 * The wire is no event. Child tasks that its steps start, and wires that are
 * spun off, may outlive the slot, and do not see it.
 */
AW_API aw_wire *aw_with_slot(aw_wire *wire, const aw_slot *slot, void *data);

/* Return the innermost slot of this kind around the step that `task` runs, also
 * if `task` is an operand of a join or a race in the run of the slot. NULL:
 * there is none. The slot is aligned for any type, and valid until it is
 * left. */
AW_API void *aw_task_slot(const aw_task *task, const aw_slot *slot);

/* Finish when `task` has ended, with its value [T5].
 *
 *   task   keeps
 *
 * Fails with the task's error, with AW_ETASKCANCELLED if it was cancelled, with
 * AW_ESELF if it is the waiting task itself or one of its ancestors, or with
 * AW_EINVAL if it belongs to another engine and has not ended.
 */
AW_API aw_wire *aw_when_done(aw_task *task);

/* ---- wires as data ------------------------------------------------------- */

AW_API aw_wire *aw_wire_keep(aw_wire *wire); /* NULL gives NULL */
AW_API void aw_wire_release(aw_wire *wire);  /* takes; NULL is fine */

/* Return how many bytes are freed with the last reference to `wire`, without
 * those of its parts. Returns 0 while there are other references. A host can
 * tell its garbage collector of this memory. */
AW_API size_t aw_wire_bytes(const aw_wire *wire);

/* Return the name of a wire of aw_named() or aw_host_call(), or NULL. Looks
 * through aw_hold(). */
AW_API const char *aw_wire_name(const aw_wire *wire);

/* Return the `data` of a wire that aw_hold() or aw_host_call() made with this
 * `release`, or NULL. */
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
  AW_WIRE_EVERY,
  AW_WIRE_SLOT
} aw_wire_kind;

/* A wire, taken apart. Each field names the kinds that set it; in other wires
 * it is 0. All pointers are borrowed from the wire. */
typedef struct aw_wire_view {
  aw_wire_kind kind;
  const char *name; /* NAMED, HOST; WAIT: its operation's label; or NULL */
  /* ns of SLEEP, UNTIL, SHIELD, TIMEOUT, EVERY (the period) and FINALLY (the
   * grace); times of REPEAT; limit of ALL */
  uint64_t number;
  uint64_t grace; /* TIMEOUT */
  /* ALL, RACE, ANY, SELECT: made from an array of wires, as by aw_all(), and
   * not by aw_both() or aw_either() */
  bool table;
  aw_missed missed;          /* EVERY */
  const aw_retry_rule *rule; /* RETRY */
  /* How many parts it has. The second part of BIND, CATCH and FINALLY is
   * `then`, that of RETRY is `when`. */
  size_t count;
  const aw_wire *parts;          /* for aw_wire_part() */
  void *data;                    /* HOST, CALL, WAIT, SLOT */
  const aw_operation *operation; /* WAIT */
  aw_task *task;                 /* DONE */
  const aw_slot *slot;           /* SLOT */

  uint64_t spare[2]; /* see "Growth" above */
} aw_wire_view;

/* Look at `wire`, or at the wire inside it if aw_hold() made it. */
AW_API void aw_wire_look(const aw_wire *wire, aw_wire_view *out);
/* Return part `index` of a wire, borrowed; NULL if `count` is not more. */
AW_API const aw_wire *aw_wire_part(const aw_wire_view *view, size_t index);

/* ---- engines ------------------------------------------------------------- */

typedef enum aw_clock {
  AW_CLOCK_REAL,   /* monotonic */
  AW_CLOCK_VIRTUAL /* starts at 0, and jumps to the next deadline [K6] */
} aw_clock;

/* How `gather` makes one value of several. */
typedef enum aw_shape {
  AW_SHAPE_LIST,       /* the first result of each value */
  AW_SHAPE_INDEX_LAST, /* the results of the only value, then `index` */
  AW_SHAPE_INDEX_FIRST /* `index`, then the results of the only value */
} aw_shape;

typedef struct aw_engine_config {
  aw_clock clock;
  /* Seed of the random generators. If it is not 0, each round of ready tasks is
   * shuffled with it, which shows hidden assumptions about their order [F6]. */
  uint64_t seed;
  void *host; /* handed to the functions below */
  /* Release a value. NULL: values need no release. May not call the library. */
  void (*drop)(void *host, aw_value value);
  /* Return a second reference to `value`; each of the two is dropped once. It
   * cannot fail. NULL: the value itself serves. May not call the library. */
  aw_value (*keep)(void *host, aw_value value);
  /* Make one value out of `values`, for aw_all(), aw_both(), aw_race() and
   * aw_select(); returns 0 or AW_ENOMEM. NULL: their value is 0.
   *
   *   values  takes each of the `count`, also on failure
   *   index   the number of the winning operand, from 1
   *
   * May call no function of the library but those for memory. */
  int (*gather)(void *host, aw_shape shape, const aw_value *values,
                size_t count, size_t index, aw_value *out);
  /* Let aw_next() return AW_STEP_DEADLOCK instead of blocking for ever [L4].
   * Set it if nothing outside the engine's own waits can make a task ready.
   * Nothing is reported on an engine that a host drives. */
  bool deadlocks;
  /* The three members that follow are for "driving", below. The functions get
   * `host`. */
  void *uv; /* the host's `uv_loop_t`; NULL: the engine makes its own */
  /* sizeof(uv_loop_t) where the host was compiled, to be compared; or 0 */
  size_t uv_size;
  void (*pull)(void *host, aw_engine *engine);
  void (*ended)(void *host, aw_loop *loop);
  size_t size; /* see "Sizes" above */
} aw_engine_config;

/* Make an engine. It opens no descriptor before something in it waits.
 *
 *   config  copied; NULL: a real clock, and no values of the host
 *   out     gives
 *
 * Returns 0, AW_EINVAL or AW_ENOMEM. With `uv` also a code of libuv, or
 * AW_EVERSION.
 */
AW_API int aw_engine_new(const aw_engine_config *config, aw_engine **out);

/* Free an engine, after all its loops. NULL is fine. In the libuv loop of a
 * host, this is aw_engine_close() without a callback.
 *
 * Tasks and errors of the engine that are still referenced stay valid, but the
 * engine does not call `drop` for their values any more.
 *
 * Returns 0; or AW_EBUSY, with nothing freed, while it has loops, or when
 * called from inside aw_next() or a callback of libuv in the engine's own loop.
 */
AW_API int aw_engine_free(aw_engine *engine);

/* Return the configuration with which the engine was made; borrowed while the
 * engine lives. */
AW_API const aw_engine_config *aw_engine_config_of(const aw_engine *engine);
/* Replace `host` of that configuration, for a binding whose data is made later
 * than the engine. */
AW_API void aw_engine_set_host(aw_engine *engine, void *host);

/* Return the current time on the engine's clock. */
AW_API uint64_t aw_engine_now(aw_engine *engine);
/* Tell whether the engine's clock is virtual. */
AW_API bool aw_engine_virtual(const aw_engine *engine);

/* Return the engine's libuv loop, for handles of your own operations. The first
 * call opens it.
 *
 *   out  receives a `uv_loop_t *`, borrowed while the engine lives; NULL on
 *        failure
 *
 * Callbacks of your handles may call all functions but those that wait or run
 * tasks; most call aw_wait_complete(). An operation with a handle must be
 * `external`. Handles must be closed before the engine is
 * freed, or by an aw_closer. Call this function again before you open each
 * handle or accept each connection: it also closes idle watchers, which could
 * still use the same descriptor number. After the first call the libuv loop
 * gets its turn at least every 0.2 ms, however busy the tasks are [F2].
 *
 * Returns 0 or a code of libuv.
 */
AW_API int aw_engine_uv(aw_engine *engine, void **out);

/* An owner of handles in an engine's libuv loop. */
typedef struct aw_closer {
  /* Close the handles; called once, by aw_engine_free() or aw_engine_close().
   * It may call uv_close() and free memory that no handle uses. The close
   * callbacks come before aw_engine_free() returns; in the libuv loop of a
   * host, when the host runs that loop. They may not use the engine. */
  void (*close)(struct aw_closer *closer);
  struct aw_closer *next; /* private */
  /* `loop` has ended its run: release what was used for it. May do the same as
   * `close`. NULL: not needed. */
  void (*ended)(struct aw_closer *closer, aw_loop *loop);

  void *spare[2]; /* see "Growth" above */
} aw_closer;

/* Register `closer` with the engine; borrowed until its `close` is called. Does
 * nothing if it is registered already. */
AW_API void aw_engine_add_closer(aw_engine *engine, aw_closer *closer);

/* Return the registered closer with this `close` function, or NULL. */
AW_API aw_closer *aw_engine_find_closer(const aw_engine *engine,
                                        void (*close)(aw_closer *closer));

/* Prepare an engine for aw_engine_wake(). Returns 0 or a code of libuv. */
AW_API int aw_engine_wakeable(aw_engine *engine);

/* Make aw_next() of this engine return AW_STEP_WOKEN soon. Call from: any
 * thread, or a signal handler, after aw_engine_wakeable() has returned 0. */
AW_API void aw_engine_wake(aw_engine *engine);

/* Return a number that differs between a process and one that it has forked.
 * The threads of the parent do not exist in the child: what they may have
 * locked, or were to complete, is lost there. So remember the number with such
 * an object, and leave the object alone under another number.
 *
 * Counting begins with the first call. Call from: any thread. */
AW_API unsigned aw_forks(void);

/* Make aw_next() of this engine return AW_STEP_WOKEN once, at a given time,
 * even while it blocks or while tasks are busy. A further call replaces the
 * time.
 *
 *   at  monotonic real time, as of uv_hrtime(), also if the engine's clock is
 *       virtual; AW_NEVER: not at all
 */
AW_API void aw_engine_wake_at(aw_engine *engine, uint64_t at);

/* Apply deadlines that have passed, without running any task. For a host whose
 * step takes long because it drives another engine meanwhile.
 *
 * Returns the time of the next deadline. Returns AW_NEVER if there is none, and
 * always on a virtual clock, on which the call does nothing.
 */
AW_API uint64_t aw_engine_tick(aw_engine *engine);

/* What an engine contains now. */
typedef struct aw_stats {
  size_t loops, tasks, scopes, deadlines, errors;
  size_t handles; /* open and referenced in the libuv loop, without those of the
                     engine itself. In the libuv loop of a host: those that
                     watch a descriptor for a task */
  size_t bytes;   /* of memory for tasks, scopes, errors and queues, without
                     free blocks that the engine keeps, 2.5 MB at most */
  uint64_t steps; /* C steps and host steps since the engine was made */

  uint64_t spare[4]; /* see "Growth" above */
} aw_stats;
/* Fill `out` with the figures of the engine. */
AW_API void aw_engine_stats(const aw_engine *engine, aw_stats *out);

/* ---- loops --------------------------------------------------------------- */

typedef struct aw_loop_config {
  /* ns, for cancels without a grace of their own [C8]. AW_NEVER: such cancels
   * never turn hard. */
  uint64_t grace;
  aw_value host; /* takes; aw_loop_host() returns it */
  size_t size;   /* see "Sizes" above */
} aw_loop_config;

typedef enum aw_loop_state {
  AW_LOOP_IDLE,    /* not run yet, or done; it may run again [S7] */
  AW_LOOP_RUNNING, /* between aw_loop_begin() and the end of the run */
  AW_LOOP_TIMEOUT, /* ended by its time-out */
  AW_LOOP_STOPPED, /* ended by aw_loop_stop() */
  AW_LOOP_FAILED,  /* ended by an error: aw_loop_error() has it */
  AW_LOOP_CLOSED   /* ended by aw_loop_close() */
} aw_loop_state;

/* Make a loop on `engine`.
 *
 *   config  copied; NULL: a grace of 5 s. Its `host` is taken, also on failure
 *   out     gives
 *
 * Returns 0, AW_EINVAL or AW_ENOMEM.
 */
AW_API int aw_loop_new(aw_engine *engine, const aw_loop_config *config,
                       aw_loop **out);

/* Free a loop that is not running; NULL is fine. Tasks that were started but
 * never ran end as cancelled [T3].
 *
 * Returns 0, or AW_EBUSY, with nothing freed, while it is running.
 */
AW_API int aw_loop_free(aw_loop *loop);

/* Begin a run, or continue one after aw_loop_pause(). Then call aw_next() until
 * it returns 0.
 *
 *   timeout  ns for this run; AW_NEVER: no limit
 *
 * Returns 0; AW_EBUSY while somebody drives the loop; AW_EENDED if it has ended
 * other than by running out of tasks; AW_ENOMEM.
 */
AW_API int aw_loop_begin(aw_loop *loop, uint64_t timeout);

/* Run a loop to its end, in a program without host steps: aw_loop_begin(), then
 * aw_next() until it returns 0. A host step fails with AW_EINVAL here. The
 * failure of a task without a handler ends the loop.
 *
 *   timeout  as in aw_loop_begin()
 *
 * Returns 0 if the run is done, timed out or was stopped: aw_loop_state_of()
 * says which. Else returns the code of the error that ended it, AW_EBUSY when
 * called inside a step, or an error of aw_loop_begin() or aw_next().
 */
AW_API int aw_loop_run(aw_loop *loop, uint64_t timeout);

/* Cancel all tasks of a running loop, with the loop's grace; the run ends after
 * their clean-up [L2]. Does nothing if the loop is not running.
 *
 *   hard  end the grace at once, also of an earlier stop
 */
AW_API void aw_loop_stop(aw_loop *loop, bool hard);

/* Stop `loop` if `task` is cancelled, as aw_await_loop() does [S7]: soft while
 * that cancel is soft, else hard. For a task whose step drives a loop of
 * another engine. */
AW_API void aw_loop_follow(aw_loop *loop, const aw_task *task);

/* Stop driving a running loop and leave it as it is; aw_loop_begin() continues
 * the run. Do not pull the loop in between. On an engine that a host drives its
 * tasks go on nevertheless. */
AW_API void aw_loop_pause(aw_loop *loop);

/* End a loop that is not running. Tasks that were started but never ran end as
 * cancelled [T3], and the loop accepts no more.
 *
 * Returns 0, or AW_EBUSY while it is running.
 */
AW_API int aw_loop_close(aw_loop *loop);

/* How aw_engine_end_loops() ends loops. */
typedef struct aw_loop_end {
  void *data; /* handed to the functions below */
  /* Is `loop` one of those to end? */
  bool (*ends)(void *data, const aw_loop *loop);
  /* Answer a step of the host in a task of such a loop: CALL by
   * aw_step_cancelled(); RESUME and KILL by aw_step_killed(), after the parked
   * code was closed; FAILED by aw_step_handled(). */
  void (*run)(void *data, const aw_step *step);

  void *spare[2]; /* see "Growth" above */
} aw_loop_end;

/* End running loops before it returns: stop them hard, and run the steps of
 * their tasks, without a turn for the other tasks of the engine. For a host
 * that is about to free what the tasks use.
 *
 * Returns 0; AW_EBUSY if one of the loops still runs, since a task of it waits
 * for what can neither be aborted nor abandoned, or if the call comes from a
 * step of such a task. */
AW_API int aw_engine_end_loops(aw_engine *engine, const aw_loop_end *how);

/* Record `error` in the loop and, if it is running, cancel its tasks; the run
 * then ends as failed [E8]. A later error is suppressed in the first one.
 *
 *   error  takes; aw_loop_error() returns it. NULL stands for AW_EINVAL
 */
AW_API void aw_loop_fail(aw_loop *loop, aw_error *error);

/* Return the state of the loop. */
AW_API aw_loop_state aw_loop_state_of(const aw_loop *loop);
/* Tell whether the run has ended on a driven engine, and `ended` has not been
 * called for it: then aw_loop_begin() returns AW_EBUSY. */
AW_API bool aw_loop_untold(const aw_loop *loop);
AW_API aw_error *aw_loop_error(const aw_loop *loop); /* borrowed, or NULL */
/* Return the cut of the loop's time-out (see "cuts"); borrowed, or NULL. */
AW_API const aw_cut *aw_loop_cut(const aw_loop *loop);
AW_API aw_value aw_loop_host(const aw_loop *loop); /* borrowed, or 0 */
AW_API aw_engine *aw_loop_engine(const aw_loop *loop);
AW_API aw_scope *aw_loop_scope(aw_loop *loop); /* the root scope; borrowed */
/* Return the grace of the loop's configuration, in ns. */
AW_API uint64_t aw_loop_grace(const aw_loop *loop);
/* Return the time-out of the latest run, in ns, including extensions. */
AW_API uint64_t aw_loop_timeout(const aw_loop *loop);

/* ---- tasks --------------------------------------------------------------- */

typedef struct aw_task_config {
  const char *name;  /* copied; NULL: that of its wire, if it has one */
  const char *where; /* "file:line" of the start; borrowed until the engine is
                        freed; or NULL */
  aw_value handler;  /* takes. If it is not 0, the host handles a failure, by
                        AW_STEP_FAILED, and the parent scope does not fail
                        [E7] */
  bool background;   /* it keeps no loop running; nor do its children [T2] */
  uint64_t grace;    /* ns for its cancels; 0: the loop's */
  aw_value locals;   /* takes; 0: those of the task whose step starts it. See
                        aw_task_set_locals() */
  size_t size;       /* see "Sizes" above */
} aw_task_config;

typedef enum aw_task_state {
  AW_TASK_READY,
  AW_TASK_RUNNING,
  AW_TASK_WAITING,
  AW_TASK_DONE, /* this one and those below are terminal [T1] */
  AW_TASK_FAILED,
  AW_TASK_CANCELLED
} aw_task_state;

/* Start `wire` as a task at the root of `loop`. Nothing runs yet [T2].
 *
 *   wire    takes; NULL gives AW_ENOMEM
 *   config  NULL: no name, no handler. Its values are taken, also on failure
 *   out     gives; may be NULL
 *
 * Returns 0, AW_EINVAL, AW_ENOMEM, or AW_EENDED if the loop has ended.
 */
AW_API int aw_loop_start(aw_loop *loop, aw_wire *wire,
                         const aw_task_config *config, aw_task **out);

/* Start `wire` as a child task of `scope`; as aw_loop_start() otherwise [S1].
 *
 * Any task may start a child in any open scope. While the scope waits for its
 * children, new ones are accepted and waited for, too. AW_EENDED: the scope is
 * closed; that is the case as soon as its task goes on after the join. */
AW_API int aw_scope_start(aw_scope *scope, aw_wire *wire,
                          const aw_task_config *config, aw_task **out);

/* Add a reference to the task, and return it. */
AW_API aw_task *aw_task_keep(aw_task *task);
AW_API void aw_task_release(aw_task *task); /* takes; NULL is fine */

/* Cancel `task` and everything below it. Returns at once, and nothing runs
 * [T4, C3]. Does nothing to a terminal task.
 *
 *   reason  takes; 0 for none
 *   grace   ns until the cancel turns hard [C8]; 0: at once; AW_DEFAULT: the
 *           task's. A second cancel counts only if its grace is 0
 */
AW_API void aw_task_cancel(aw_task *task, aw_value reason, uint64_t grace);

/* Return the state of the task. */
AW_API aw_task_state aw_task_state_of(const aw_task *task);
AW_API uint64_t aw_task_id(const aw_task *task); /* from 1, in each engine */
/* Return the name of the task, or that of its wire, or NULL; borrowed until the
 * task runs again. */
AW_API const char *aw_task_name(const aw_task *task);
AW_API const char *aw_task_where(const aw_task *task); /* or NULL */
/* Return when it was started, on the engine's clock. */
AW_API uint64_t aw_task_started(const aw_task *task);
AW_API uint32_t aw_task_steps(const aw_task *task); /* steps so far */
AW_API bool aw_task_background(const aw_task *task);
AW_API aw_loop *aw_task_loop(const aw_task *task); /* NULL once it has ended */
AW_API aw_engine *aw_task_engine(const aw_task *task);
/* Return the task of which this one is a child. NULL: it is at the root of a
 * loop, or it has ended. */
AW_API aw_task *aw_task_parent(const aw_task *task);
/* Return the task whose wire `task` runs a part of, if `task` is an operand of
 * a join or a race; else return `task`. Borrowed. */
AW_API aw_task *aw_task_whole(aw_task *task);

/* Return the results of a task that is done, or the error of one that failed;
 * borrowed. Else 0, or NULL. */
AW_API aw_value aw_task_value(const aw_task *task);
AW_API aw_error *aw_task_error(const aw_task *task);

/* Return the handler with which the task was started; borrowed. 0: none, or the
 * task has ended. */
AW_API aw_value aw_task_handler(const aw_task *task);
/* Replace the handler of a task that has one. Does nothing to other tasks.
 *
 *   handler  takes; 0: the failure goes to the parent scope after all, even if
 *            AW_STEP_FAILED has already been returned for it
 */
AW_API void aw_task_set_handler(aw_task *task, aw_value handler);

/* Attach a value of the host to `task`, such as the number of the request that
 * it works for. Tasks that its steps start later inherit the value, and so do
 * its operands and spin-offs.
 *
 *   locals  takes; 0: none
 *
 * Returns 0, AW_ENOMEM, or AW_EENDED if the task has ended.
 */
AW_API int aw_task_set_locals(aw_task *task, aw_value locals);
AW_API aw_value aw_task_locals(const aw_task *task); /* borrowed, or 0 */

/* Tell whether the task has caught Cancelled and waited again, see
 * AW_STEP_SWALLOWED; false once it has left the scope that was cancelled. */
AW_API bool aw_task_swallowed(const aw_task *task);

/* Tell whether somebody has waited for the end of `task` [T5], or whether
 * aw_task_mark_waited() was called. */
AW_API bool aw_task_waited(const aw_task *task);
/* Record that somebody knows the end of `task` without having waited for it. */
AW_API void aw_task_mark_waited(aw_task *task);

/* Let aw_next() return AW_STEP_WOKEN when `task` has ended. For a host that
 * drives a loop only until then. */
AW_API void aw_task_watch(aw_task *task);

/* Return the wire at which the outermost or the innermost chain of the task is;
 * borrowed. NULL once the task's own wire has ended. */
AW_API const aw_wire *aw_task_wire(const aw_task *task);
AW_API const aw_wire *aw_task_innermost(const aw_task *task);

/* Return the name of a wire in the task's chain [D3]. The chain remembers the
 * last 8 wires, without immediate repetitions.
 *
 *   index  0 is the latest wire that the task has left
 *   times  receives how often that wire came in a row; may be NULL
 *
 * Returns a name, or "wire" for a wire without one; borrowed until the task
 * runs again. NULL: no more.
 */
AW_API const char *aw_task_chain(const aw_task *task, size_t index,
                                 uint32_t *times);

/* What a parked task waits for. */
typedef struct aw_waiting {
  const char *label; /* "sleep", "join task", "children", "loop", "idle", or the
                        label of an operation */
  uint64_t until;    /* when a sleep, an idle wait or the alarm of an operation
                        is due, on the engine's clock; else AW_NEVER */
  uint64_t span;     /* of a sleep: its whole duration, ns; else 0 */
  aw_task *task;     /* of "join task", else NULL */
  size_t children;   /* of "children": how many; else 0 */
  void *data;        /* of an operation */
  const aw_operation *operation;

  uint64_t spare[2]; /* see "Growth" above */
} aw_waiting;
/* Look at the wait of a task. Returns false if it does not wait. */
AW_API bool aw_task_waiting(const aw_task *task, aw_waiting *out);

/* Tell whether the task sees a cancel: of its innermost scope, or of a scope
 * around that, as far as no shield hides it. */
AW_API bool aw_task_cancelled(const aw_task *task);
/* Tell whether the task sees a hard cancel. Such a task is killed where it
 * waits [C9]. A host without memory may skip its steps: report a CALL by
 * aw_step_cancelled(); for a RESUME, close the parked code and report
 * aw_step_killed(). */
AW_API bool aw_task_overdue(const aw_task *task);

/* What caused a cancel. */
typedef enum aw_cancel_kind {
  AW_BY_NOTHING,  /* there is no cancel */
  AW_BY_TASK,     /* aw_task_cancel() */
  AW_BY_SCOPE,    /* aw_scope_cancel() */
  AW_BY_DEADLINE, /* the time-out of a scope */
  AW_BY_FAILURE,  /* a failure in the scope */
  AW_BY_LOOP,     /* the loop was stopped, timed out or failed */
  AW_BY_PARENT,   /* the scope ended, and cancelled what was left in it */
  AW_BY_RACE      /* another operand of the race won [O5] */
} aw_cancel_kind;

/* Tell what caused the cancel that `task` sees.
 *
 *   reason  receives the reason of that cancel, borrowed, or 0; may be NULL
 */
AW_API aw_cancel_kind aw_task_cancelled_by(const aw_task *task,
                                           aw_value *reason);

/* Return when the nearest limit that applies to `task` expires, on the engine's
 * clock.
 *
 * Limits are the deadlines of the scopes around the task, those of aw_timeout()
 * and of `within` in a retry, also those of its parent tasks, and the time-out
 * of its loop. A shield hides the limits outside of it as long as it hides
 * cancels; its own time is no limit [C7].
 *
 * Returns the current time for a cancelled task, and AW_NEVER if no limit
 * applies or if the task has ended.
 */
AW_API uint64_t aw_task_deadline(const aw_task *task);

/* Move a limit, so that it expires `ns` from now, whether that is later or
 * sooner than before: the innermost limit that applies to `task`, or that of an
 * open `scope`. A later AW_ETIMEOUT shows the total time.
 *
 * Returns 0; AW_EINVAL if there is no limit, or for AW_NEVER; AW_ETIMEOUT if a
 * limit has already cancelled it, AW_ECANCELED if something else has; AW_EENDED
 * if the task or scope has ended.
 */
AW_API int aw_task_extend(aw_task *task, uint64_t ns);
AW_API int aw_scope_extend(aw_scope *scope, uint64_t ns);

/* Return the error that the clean-up of `task` holds back: that of the first
 * part of the innermost aw_finally() whose second part is under way [O9].
 * Borrowed, or NULL. */
AW_API aw_error *aw_task_held_error(const aw_task *task);

/* Note that a host step of `task` has failed and that its clean-up waits before
 * it can report the failure. If that lasts 1 s, aw_next() returns
 * AW_STEP_HOLDING.
 *
 * Calls after the first do nothing until that step is returned or
 * aw_task_let_out() is called. A cancelled task is not reported so: see
 * AW_STEP_LATE. */
AW_API void aw_task_hold_back(aw_task *task);
/* Note that this clean-up is over. */
AW_API void aw_task_let_out(aw_task *task);

/* Tell whether `error`, which a step of `task` has taken, was raised in
 * clean-up after a cancel of the scope around the task. Then nobody needs the
 * result of the task any more, but this error must not get lost. */
AW_API bool aw_task_failed_late(const aw_task *task, const aw_error *error);

/* ---- pulling -------------------------------------------------------------
 *
 * A host with steps of its own drives a loop like this:
 *
 *     aw_loop_begin(loop, AW_NEVER);
 *     while ((rc = aw_next(engine, loop, &step)) == 1)
 *       run and report `step`;
 */

typedef enum aw_step_kind {
  AW_STEP_CALL,     /* run host code, the `data` of aw_host_call(); report it by
                       aw_step_done() or one of its siblings */
  AW_STEP_RESUME,   /* continue the parked host code `data`; its wait ended with
                       `result`. Report it when that code has ended */
  AW_STEP_KILL,     /* close the parked host code `data`, then report
                       aw_step_killed() */
  AW_STEP_FAILED,   /* `task` has failed. It has a handler, or it stands at the
                       root of `loop`. Report aw_step_handled() */
  AW_STEP_DEADLOCK, /* `loop` cannot go on [L4]: call aw_loop_fail() */

  /* The others are notifications, which need no report. */

  /* Tasks ran for `ns`, more than 0.1 s, without a look at the clock: in the
   * step of the task with this `id`, or in a step shortly before it [F4]. */
  AW_STEP_SLOW,
  /* The clean-up after a cancel took `ns`, more than 1 s, in a scope of the
   * task with this `id`; 0: in the root scope of a loop. `error` is the
   * scope's, or NULL [D4]. */
  AW_STEP_LATE,
  /* The task with this `id` caught Cancelled, and was given it again because it
   * waited again [D4]. */
  AW_STEP_SWALLOWED,
  /* See aw_engine_wake(), aw_engine_wake_at() and aw_task_watch(). */
  AW_STEP_WOKEN,
  /* The clean-up of `task` has held back an error for 1 s [D4]: `error`, as of
   * aw_task_held_error(). NULL: an error of the host, see
   * aw_task_hold_back(). */
  AW_STEP_HOLDING
} aw_step_kind;

struct aw_step {
  aw_step_kind what;
  int result;      /* RESUME: how the wait ended, 0 or a negative code */
  aw_task *task;   /* CALL, RESUME, KILL, FAILED: borrowed until the report.
                      HOLDING: borrowed until the next aw_next(). Else NULL */
  aw_loop *loop;   /* FAILED, DEADLOCK: borrowed */
  void *data;      /* CALL, RESUME, KILL */
  uint64_t ns;     /* SLOW, LATE, HOLDING */
  uint64_t id;     /* SLOW, LATE, SWALLOWED, HOLDING: of a task */
  aw_error *error; /* LATE, HOLDING: borrowed until the next aw_next(), or
                      NULL */

  uint64_t spare[2]; /* see "Growth" above */
};

/* Interpret wires until a task needs its host, or until the run of `loop` has
 * ended. Blocks while no task is ready.
 *
 *   loop  has been begun by aw_loop_begin(). Other loops of the engine that are
 *         running make progress, too. NULL in `pull`, see "driving"
 *   out   receives the step
 *
 * Before each further call, the host step must have been reported, or its code
 * parked by aw_task_park() with a wait armed.
 *
 * Returns 1 with a step; 0 when the run has ended, or in `pull` when the engine
 * rests; AW_EBUSY when called from inside itself [I6] or before the last host
 * step was reported or parked; AW_EINVAL for `loop` on an engine that a host
 * drives, and for NULL anywhere but in `pull`; or a code of libuv.
 */
AW_API int aw_next(aw_engine *engine, aw_loop *loop, aw_step *out);

/* Tell whether the step of a CALL was made by aw_host_call() with this
 * `release`: the parts of a host know their own steps by it. Call from: before
 * the step is reported or parked. */
AW_API bool aw_step_is_of(const aw_task *task, void (*release)(void *data));

/* Report the end of a CALL, or of a RESUME whose host code has ended. Once: a
 * further report does nothing but release what it takes.
 *
 * aw_step_done():       with a value
 * aw_step_next():       with a next wire. NULL, out of memory, fails with
 *                       AW_ENOMEM
 * aw_step_fail():       with an error. NULL stands for an error that nobody
 *                       uses, see aw_step_wants_error()
 * aw_step_cancelled():  by passing Cancelled on
 */
AW_API void aw_step_done(aw_task *task, aw_value value);  /* takes */
AW_API void aw_step_next(aw_task *task, aw_wire *next);   /* takes */
AW_API void aw_step_fail(aw_task *task, aw_error *error); /* takes */
AW_API void aw_step_cancelled(aw_task *task);
/* Report a KILL, or that the parked code of a RESUME was closed because the
 * task is overdue (see aw_task_overdue()). */
AW_API void aw_step_killed(aw_task *task);
/* Report a FAILED, after its handler was called. For a task without a handler,
 * call aw_loop_fail() first. */
AW_API void aw_step_handled(aw_task *task);

/* Run the same CALL once more, without a return to aw_next(): for the step of a
 * repeat whose value nobody needs, after its host code has ended.
 *
 * If the repeat has another turn and nothing else is due, the step is under way
 * again. Then it returns how many turns are left, this one included; AW_FOREVER
 * if there is no end. Otherwise it does nothing and returns 0: report the end
 * of the step.
 */
AW_API uint64_t aw_step_again(aw_task *task);

/* The same for a step that goes on with the wire that it runs in, which is the
 * one of aw_task_innermost(). Returns true if that wire is nothing but the
 * step, and nothing else is due: the task has gone on to the wire [N2], and the
 * step is under way again. Otherwise it does nothing and returns false: report
 * the wire by aw_step_next(). */
AW_API bool aw_step_itself(aw_task *task);

/* Begin the next part of aw_or_else(), without a return to aw_next(): for a
 * CALL that is a part of it, after its host code has failed with an error, not
 * with Cancelled.
 *
 * Returns the data of the next part, whose CALL is under way. Returns NULL, and
 * does nothing, if there is no such part or if that part is no host step:
 * report the error. */
AW_API void *aw_step_else(aw_task *task);

/* Report that the step goes on with another wire, as aw_step_next() does, but
 * turn the wire of aw_task_innermost() into that wire: a machine of states
 * makes no wire for each transition.
 *
 * aw_step_can_become() says whether that is possible. That wire is nothing but
 * the step, it was made by aw_host_call() or aw_hold(), nobody but the task
 * refers to it, and the task is not cancelled.
 *
 *   inside   takes; the wire becomes aw_hold(inside, …) with the `data` that it
 *            has. NULL: it becomes aw_host_call() with that `data`, and …
 *   name     … this name
 *   at_once  the host is able to run the next step without aw_next()
 *
 * Returns the data of the next step, which is under way; only if `at_once`.
 * Otherwise returns NULL, and aw_next() goes on [N3].
 */
AW_API bool aw_step_can_become(const aw_task *task);
AW_API void *aw_step_become(aw_task *task, aw_wire *inside, const char *name,
                            bool at_once);

/* Tell whether anybody uses a value that aw_step_done() would give to `task`.
 * If not, the host need not make it. */
AW_API bool aw_step_wants_value(const aw_task *task);

/* Tell whether anybody uses an error that aw_step_fail() would give to `task`.
 * Nobody does if another operand of aw_or_else() runs in place of the failed
 * one, and no clean-up comes before that. Then NULL will do. */
AW_API bool aw_step_wants_error(const aw_task *task);

/* Answer a step for which the host has no code, as aw_loop_run() does: a CALL
 * fails with AW_EINVAL; a FAILED without a handler and a DEADLOCK end the loop;
 * notifications need no answer. */
AW_API void aw_step_answer(aw_engine *engine, const aw_step *step);

/* ---- driving -------------------------------------------------------------
 *
 * An engine has a libuv loop of its own, in which aw_next() blocks. If the host
 * has an event loop already, the host *drives* the engine instead, and the
 * engine gets *turns*. There are two ways.
 *
 * A host with a libuv loop hands it over and runs it:
 *
 *     aw_engine_config config = {.uv = uv, .ended = loop_has_ended};
 *     aw_engine_new(&config, &engine);
 *     aw_loop_new(engine, NULL, &loop);
 *     aw_loop_start(loop, wire, NULL, NULL);
 *     aw_loop_begin(loop, AW_NEVER);
 *     uv_run(uv, UV_RUN_DEFAULT);
 *
 * The engine puts a few handles into that loop, and touches no others. It never
 * runs, stops or closes the loop. uv_run() stays alive while a loop of the
 * engine runs, and not because of the engine otherwise. Several engines may
 * share the libuv loop. A turn comes after each poll, if something is due.
 *
 * A host with another event loop polls a descriptor:
 *
 *     int fd = aw_engine_fd(engine);
 *     for (;;) {
 *       wait until `fd` is readable, at most aw_engine_timeout(engine) ns;
 *       aw_engine_turn(engine);
 *     }
 *
 * In a turn the engine runs what is ready, but never blocks: it looks up after
 * each ms, between two steps, and leaves the rest to the next turn. A turn
 * calls two functions of aw_engine_config:
 *
 *   pull   runs the host steps: it calls aw_next(engine, NULL, &step) until
 *          that returns 0, and reports each step before it returns. If it
 *          returns earlier, the next turn is due at once; while a step is
 *          neither reported nor parked, there are no turns. NULL:
 *          aw_step_answer() answers each step
 *   ended  a loop that aw_loop_begin() has begun has ended. Called outside of
 *          all steps, once for each run, not for a loop that has been freed
 *          before. It may ask aw_loop_state_of() and aw_loop_error(), free the
 *          loop, begin another one, and close the engine. Until then
 *          aw_loop_begin() returns AW_EBUSY for the loop. NULL: nobody is told
 *
 * Between turns, in any callback of the host, the host may call all functions
 * of this library but aw_next() and aw_loop_run(). What makes a task ready also
 * makes a turn due: then the loop of libuv does not block, or `fd` is readable
 * and aw_engine_timeout() returns 0.
 *
 * On an engine that a host drives, aw_loop_run(), and aw_next() with a loop or
 * outside of `pull`, return AW_EINVAL.
 *
 * A turn opens no descriptors of the engine. They are opened by aw_engine_new()
 * with `uv`, and by the first aw_engine_fd() or aw_engine_turn(), whose codes
 * tell of a failure. A wait that lacks a descriptor fails in its task.
 *
 * On the libuv loop of a host
 *
 *   libuv      Host and library must use the same libuv. aw_engine_new()
 *              returns AW_EVERSION if the structs of the libuv that runs
 *              differ in size from those that this library was compiled with,
 *              or uv_loop_t from `uv_size`.
 *   watchers   libuv has one watcher for each descriptor. A wait for one that a
 *              handle of the host watches, or for which a task of another
 *              engine in the same libuv loop waits, fails with EEXIST. Before
 *              you open a handle for a descriptor that tasks have used, call
 *              aw_engine_uv(): it closes watchers that are not in use.
 *   epoll      If a task closes a descriptor too early, while others have its
 *              file open, the engine replaces the kernel's epoll set behind
 *              uv_backend_fd(), with all its entries; the host's handles do not
 *              notice. But an epoll set of the host that contains
 *              uv_backend_fd() must add it again.
 *   uv_walk    shows the engine's handles, too. Close none of them: close the
 *              engine, and run the loop until that is done.
 *   fork       A child process that goes on to use the libuv loop, or that
 *              closes the engine, calls uv_loop_fork() before, as libuv says.
 *              The library never calls it for the loop of a host. On other
 *              loops, a child cannot use the engine of its parent.
 */

/* Tell whether a host drives the engine: it was made with `uv`, or
 * aw_engine_fd() or aw_engine_turn() was called. */
AW_API bool aw_engine_driven(const aw_engine *engine);

/* Return a descriptor that is readable when a turn is due because of I/O,
 * another thread, or a task that has become ready between turns. From now on
 * the host drives the engine. The descriptor is the same each time; it belongs
 * to the engine and is only for polling.
 *
 * Returns AW_EINVAL if the engine was made with `uv`, AW_EBUSY inside a step of
 * aw_loop_run() or aw_next(), AW_ENOMEM, or a code of libuv or the system. */
AW_API int aw_engine_fd(aw_engine *engine);

/* Return how many ns from now the next turn is due; 0: at once; AW_NEVER: not
 * before the descriptor is readable. Ask right before you block. Round up when
 * you need ms. In a callback of the engine's own libuv loop, this tells of
 * tasks and deadlines only: that loop knows how long it may block. */
AW_API uint64_t aw_engine_timeout(aw_engine *engine);

/* Give the engine a turn. A turn that comes too early does no harm.
 *
 * Returns 1 if more is ready; 0 if not; AW_EBUSY when called in a turn, inside
 * a step, or while a host step is neither reported nor parked; AW_EINVAL if the
 * engine was made with `uv`; or as aw_engine_fd() fails. */
AW_API int aw_engine_turn(aw_engine *engine);

/* Free an engine, after all its loops. On the libuv loop of a host that takes
 * some turns of that loop: the host must go on to run it, and uv_run() stays
 * alive until it is done. The host's handles stay as they are. The engine may
 * not be used after the call.
 *
 *   closed  called with `data` when the last handle of the engine has been
 *           closed; NULL: nobody. Handles that an aw_closer has closed by then
 *           have been closed, too, if libuv closes their kind within a turn:
 *           all but a uv_signal_t with a signal under way, and a uv_fs_poll_t.
 *           With a libuv loop of its own: called before the function returns
 *
 * Returns 0; or AW_EBUSY, as aw_engine_free(). Call from: also `ended`.
 */
AW_API int aw_engine_close(aw_engine *engine, void (*closed)(void *data),
                           void *data);

/* ---- waiting -------------------------------------------------------------
 *
 * Inside a step. A C step arms one wait and returns AW_WAIT. A host step parks
 * its code by aw_task_park(), arms one wait, and goes on when aw_next() returns
 * AW_STEP_RESUME for it.
 *
 * Each aw_await_...() function arms one wait for `task`, whose step is under
 * way. If the task is cancelled, it arms nothing, and the wait ends with
 * AW_ECANCELED when the task's turn comes [C2]. It returns 0 in both cases. It
 * returns a negative code if the wait could not begin; then the step is still
 * under way. The code is AW_ENOMEM, AW_EINVAL for a wrong call, or one that the
 * function's comment names. */

/* Return the task whose step is under way, until aw_next() is called again;
 * NULL outside steps. */
AW_API aw_task *aw_current(const aw_engine *engine);

/* Return how the latest wait of `task` ended: 0 or a negative code. */
AW_API int aw_task_result(const aw_task *task);

/* Tell whether the C step that is under way was called before and has waited:
 * this call follows an AW_WAIT of the same run of the step. */
AW_API bool aw_task_came_back(const aw_task *task);

/* Set how the C step ends: its value for AW_DONE, its next wire for AW_NEXT and
 * AW_INTO, its error for AW_FAIL. Each replaces what was set before.
 *
 *   value  takes; 0: none
 *   next   takes; NULL, out of memory, makes the step fail with AW_ENOMEM
 *   error  takes
 */
AW_API void aw_task_set_value(aw_task *task, aw_value value);
AW_API void aw_task_set_next(aw_task *task, aw_wire *next);
AW_API void aw_task_set_error(aw_task *task, aw_error *error);

/* Let the C step fail with an error of `code`; AW_ECANCELED passes Cancelled
 * on. Use it as `return aw_task_fail(task, rc)`: it returns AW_FAIL.
 *
 *   code  negative, such as the result of a wait, or -errno; other codes count
 *         as AW_EINVAL
 */
AW_API aw_turn aw_task_fail(aw_task *task, int code);

/* Take the value, the next wire or the error that the step was handed. There
 * are three sources: the wire before the step (see aw_bind(), aw_catch() and
 * aw_retry()), the operation for which the step waited, and aw_await_wire().
 *
 * Gives it, or returns 0 or NULL if there is none.
 */
AW_API aw_value aw_task_take_value(aw_task *task);
AW_API aw_wire *aw_task_take_next(aw_task *task);
AW_API aw_error *aw_task_take_error(aw_task *task);

/* Park host code: remember `host`, which a RESUME or a KILL hands back.
 *
 *   host  borrowed until then; not NULL
 *
 * Call from: the host step under way, before or after it has armed its wait.
 */
AW_API void aw_task_park(aw_task *task, void *host);
/* Return parked host code of a task; NULL: there is no more. There is one level
 * of it for each aw_await_wire() under way, and one for the latest wait.
 *
 *   index  0 is the innermost level
 */
AW_API void *aw_task_host_at(const aw_task *task, size_t index);

/* Sleep for `ns`, counted from now; AW_NEVER: without an end. */
AW_API int aw_await_sleep(aw_task *task, uint64_t ns);
/* Sleep until the engine's clock has reached `at`; AW_NEVER: without an end. */
AW_API int aw_await_until(aw_task *task, uint64_t at);
/* Let the other ready tasks have a turn. */
AW_API int aw_await_yield(aw_task *task);
/* As aw_await_yield(), but returns 1 if no other task is ready, nothing else is
 * due and the task is not cancelled: then there is no wait, and the step goes
 * on [F3]. It has had its turn all the same. */
AW_API int aw_begin_yield(aw_task *task);
/* Wait, on a virtual clock, until nothing else can run before `at` [K6]; on a
 * real clock, as aw_await_until(). */
AW_API int aw_await_idle(aw_task *task, uint64_t at);
/* Wait until `other` has ended; keeps it. AW_ESELF: it is the task itself or an
 * ancestor of it. AW_EINVAL: it belongs to another engine. */
AW_API int aw_await_task(aw_task *task, aw_task *other);
/* Wait for an operation; see aw_wait_for().
 *
 *   data  handed to its functions; borrowed until the wait has ended
 *
 * AW_EINVAL: nothing can end the operation (see aw_operation). Returns errors
 * of `arm` as they are. */
AW_API int aw_await_operation(aw_task *task, const aw_operation *operation,
                              void *data);
/* As aw_await_operation(), but returns 1 if the operation completes at once,
 * and the task is not cancelled: then there is no wait, and the step goes on
 * [F3]. For steps that come back to a boundary, as the element of a
 * repetition. */
AW_API int aw_begin_operation(aw_task *task, const aw_operation *operation,
                              void *data);
/* Wait for a descriptor, as the wires aw_when_ready(), aw_readable() and
 * aw_writable(). Return the errors that those fail with; AW_EINVAL for other
 * `events`. */
AW_API int aw_await_ready(aw_task *task, int fd, int events);
AW_API int aw_await_readable(aw_task *task, int fd);
AW_API int aw_await_writable(aw_task *task, int fd);
/* Begin a run of `loop`, of the same engine, and wait until it has ended [S6].
 * A cancel of the task stops the loop, and the wait goes on until the loop has
 * ended [S7]. `timeout` and errors are those of aw_loop_begin(). */
AW_API int aw_await_loop(aw_task *task, aw_loop *loop, uint64_t timeout);

/* Run `wire` inside the task, and wait for its end [N6]. In host steps only.
 *
 *   wire   takes; NULL gives AW_ENOMEM
 *   whole  true: run its whole chain. False: run one step of it;
 *          aw_task_take_next() then has the next wire, if there is one
 *
 * The RESUME that follows has one of these results:
 *
 *   0             aw_task_take_value() has the value of the wire
 *   AW_ECANCELED  the wire passed Cancelled on
 *   other codes   aw_task_take_error() has the error of the wire
 *
 * AW_EINVAL: called in a C step, which should return AW_NEXT instead.
 * AW_EDEPTH: the task has no room for more frames.
 */
AW_API int aw_await_wire(aw_task *task, aw_wire *wire, bool whole);

/* ---- scopes in steps -----------------------------------------------------
 *
 * A step can open a scope, go on and even wait in it, and close it later:
 *
 *     aw_scope_open(task, &config, &scope);
 *     ...                                       aw_scope_start() and so on
 *     if (aw_scope_leave(task, error, cancelled) == 1)
 *       park, and go on after RESUME;
 *     aw_scope_close(task, &end);
 */

typedef struct aw_scope_config {
  uint64_t deadline; /* on the engine's clock; AW_NEVER: none */
  uint64_t grace;    /* ns, for its cancels; AW_DEFAULT: the task's */
  bool shield;       /* hide soft cancels from outside until `deadline` [C7] */
  size_t size;       /* see "Sizes" above */
} aw_scope_config;

/* Open a scope in `task`, whose step is under way.
 *
 *   out  receives the scope, borrowed until it is closed
 *
 * Returns 0, AW_EINVAL, AW_ENOMEM or AW_EDEPTH.
 */
AW_API int aw_scope_open(aw_task *task, const aw_scope_config *config,
                         aw_scope **out);

/* Cancel the scope and everything in it; as aw_task_cancel(). Takes
 * `reason`. */
AW_API void aw_scope_cancel(aw_scope *scope, aw_value reason, uint64_t grace);

/* Begin to leave the innermost scope of `task` [S3].
 *
 *   error      takes; the failure of the code in it, which cancels the scope;
 *              NULL: none
 *   cancelled  the code in it passes Cancelled on, which cancels the scope
 *
 * Returns 0 if the scope has no children left. It accepts no more; close it in
 * the same step.
 *
 * Returns 1 if it armed a wait for the children: park. No cancel ends that wait
 * [S2]. Close the scope in the step that the RESUME of the wait begins.
 *
 * Returns AW_EINVAL if the step that is under way has opened no scope.
 */
AW_API int aw_scope_leave(aw_task *task, aw_error *error, bool cancelled);

/* Let other tasks have a turn between leaving and closing the scope, after
 * aw_scope_leave() returned 0. They may start children in it again, and those
 * are waited for. No cancel ends this wait.
 *
 * Returns 0: park, and close the scope in the step that its RESUME begins.
 */
AW_API int aw_await_join(aw_task *task);

/* How a scope ended. */
typedef struct aw_scope_end {
  aw_error *error; /* the first failure in it; gives, or NULL */
  bool cancelled;  /* the scope itself was cancelled */
  bool cut;        /* a cancel cut short the code in it, or a child */
  bool timed_out;  /* its own deadline cancelled it */
  bool outer;      /* it sees a cancel from outside: pass Cancelled on [C5] */
  aw_value reason; /* of its own cancel; gives, or 0 */
  uint64_t moved;  /* ns by which its limit was extended; wraps around if it
                      was shortened */
  aw_cut *waited;  /* what its deadline cut short, or NULL; borrowed until the
                      next aw_next() or aw_scope_close() */

  uint64_t spare[2]; /* see "Growth" above */
} aw_scope_end;

/* Close the innermost scope of `task`, after aw_scope_leave().
 *
 *   out  receives how it ended. The caller decides what follows from that:
 *        raise `error`; else pass Cancelled on, absorb it, or report a time-out
 *        [S3]
 *
 * Returns 0, or AW_EINVAL if the scope has children, because it was not left.
 */
AW_API int aw_scope_close(aw_task *task, aw_scope_end *out);

/* ---- operations ----------------------------------------------------------
 *
 * The functions of an operation run inside the library, in the middle of a step
 * or of a cancel. They may call aw_task_set_value(), aw_alarm_arm() and
 * aw_alarm_disarm(), the parts for operations (`..._arm()`, `..._disarm()`,
 * `..._describe()`, aw_ready_done()), those for tickets, for memory, for the
 * libuv loop and for the closers of the engine, and those that only look. `due`
 * and `ready` may also call aw_wait_complete(); `arm` may do so for other
 * tasks, and start tasks. */

/* A kind of wait. Constant, and borrowed for ever. */
struct aw_operation {
  const char *label; /* names the wait for people, such as "recv" [D1] */

  /* Begin to wait. Returns 0 if the wait has begun; 1 if it is over already,
   * with the result 0; or a negative code if it cannot begin. It may not call
   * aw_wait_complete() for `task`. After 0, the owner calls
   * aw_wait_complete(task, result) exactly once, unless the wait is aborted.
   * NULL: there is nothing to begin. */
  int (*arm)(aw_task *task, void *data);

  /* Abort the wait at once. aw_wait_complete() must not be called for it any
   * more [I2]. NULL: the wait cannot be aborted [C10]. */
  void (*disarm)(aw_task *task, void *data);

  /* For a wait that cannot be aborted: the task is being killed [C9]. Forget
   * the task, and dispose of the result when it comes. NULL: such a task cannot
   * be killed, and its loop waits for it. */
  void (*abandon)(aw_task *task, void *data);

  /* Something outside the engine ends the wait, so that it is no deadlock [L4].
   * Required if both `disarm` and `abandon` are NULL: otherwise waits fail with
   * AW_EINVAL. */
  bool external;

  /* The wait is for the end of an object that is being closed. While such a
   * wait is under way, background tasks that waited for the object are not
   * woken yet: see aw_wait_complete(). */
  bool closes;

  /* Write a text for people that names the object of the wait, such as "5".
   * NULL: there is none. */
  void (*describe)(const void *data, char *out, size_t size);

  /* The alarm of aw_alarm_arm() is due: complete the wait, or set the alarm
   * again. NULL: the operation sets no alarms. */
  void (*due)(aw_task *task, void *data);

  /* Return the descriptor that the wait is about, or -1: the error of a wire
   * whose wait failed names it, see aw_error_fd(). NULL: it is about none. */
  int (*fd)(const void *data);

  /* The data of a wait is a number and no pointer, so `describe` may be called
   * after the wait, too. */
  bool by_number;

  /* The descriptor that `arm` gave to aw_ready_arm() is ready, or a ticket says
   * AW_READY: try the operation itself, such as accept(2), in the place of a
   * wait that ends when somebody may try. So the descriptor is still ready when
   * the wait ends, and a race is won by what has happened. Called like a
   * callback of libuv.
   *
   * Returns 1 or a negative code, and the wait ends as if `arm` had returned
   * it; 0: the wait goes on; AW_MOVED. NULL: readiness ends the wait. */
  int (*ready)(aw_task *task, void *data);

  /* Say whether the wait may be aborted now. A cancel asks, or a lost race,
   * right before it would call `disarm`. For work that may be under way, in
   * another thread for example, and that has an effect [C10].
   *
   * false: the wait goes on, as if `disarm` were NULL, until it is completed.
   * The owner has noted that the task does not want the work any more. If the
   * work can still be undone, complete the wait with AW_ECANCELED: "it did not
   * happen" [C2]. If it was done, deliver its result [C6]. The loser of a race
   * is joined, and its result is dropped. `abortable` may be asked again.
   *
   * A task that is killed [C9] is forgotten by `abandon`, without asking; if
   * that is NULL, the kill asks, too, and after false the loop waits for the
   * task. aw_wait_interrupt() does not abort such a wait.
   *
   * NULL: the wait may be aborted at any time. Else `disarm` and `external` are
   * required. */
  bool (*abortable)(aw_task *task, void *data);

  void *spare[3]; /* see "Growth" above */
};

/* Returned by `ready`: the task waits for its descriptor no longer, but for the
 * alarm that the function has set. `disarm` must not call aw_ready_disarm() for
 * it then. */
enum { AW_MOVED = 2 };

/* Make a wire that waits for an operation. The wire fails if the result is
 * negative. A NULL `operation` gives NULL.
 *
 * To end with a value, call aw_task_set_value() right before
 * aw_wait_complete(), or before `arm` returns 1. The task gets that value; if
 * the task is killed, the value is dropped [C6].
 *
 *   data  handed to the functions; borrowed while the wire lives
 */
AW_API aw_wire *aw_wait_for(const aw_operation *operation, void *data);

/* Complete the wait of `task`, and put the task into the ready queue. Nothing
 * runs [I2].
 *
 * In a race this decides: the waits of losing events are disarmed before it
 * returns [H3].
 *
 *   result  0 or a negative code: what aw_task_result() and RESUME tell, and
 *           what a wire fails with. AW_ECANCELED: the owner gives the task its
 *           cancel, which `abortable` has put off
 *
 * AW_ECLOSED says that the object of the wait was closed. Such a wait has taken
 * nothing. So if the task is cancelled before its turn, other than by a
 * failure, AW_ECANCELED replaces the result [C2]. A background task is woken
 * later than others: while an operation with `closes` is under way, it is not
 * woken; after that it is woken when no other task is ready, or after a number
 * of rounds. So background tasks end with a loop whose main task closes the
 * object as it ends [T2].
 *
 * It does nothing if the task does not wait.
 *
 * Call from: anywhere on the engine's thread, callbacks of libuv included; but
 * not from an `arm` for its own task. Only the owner of the operation calls it.
 * For other threads, see "tickets".
 */
AW_API void aw_wait_complete(aw_task *task, int result);

/* Tell whether two waiting tasks are operands of the same undecided race. At
 * most one of them may be completed: a send and a receive of one race do not
 * meet. For operations that let two tasks meet. */
AW_API bool aw_task_rivals(const aw_task *a, const aw_task *b);

/* Abort the wait of `task` and end it with `result`, as a cancel would, but
 * without a cancel.
 *
 * Returns false, with nothing done, if the task does not wait (it may have been
 * woken already), if the wait cannot be aborted, or if its operation has
 * `abortable`: what was started is then ended by a cancel only.
 */
AW_API bool aw_wait_interrupt(aw_task *task, int result);

/* Set the alarm of the task: at `at` on the engine's clock, the `due` function
 * of its operation is called. For operations.
 *
 * A task has one alarm, which must not be set already. A virtual clock jumps to
 * it, as to the end of a sleep. Clear the alarm if the wait ends earlier; that
 * is so in `disarm`, too.
 *
 * Returns 0, AW_EINVAL if it is set, or AW_ENOMEM.
 */
AW_API int aw_alarm_arm(aw_task *task, uint64_t at);
/* Clear the alarm of the task; does nothing if it is not set. */
AW_API void aw_alarm_disarm(aw_task *task);

/* ---- tickets --------------------------------------------------------------
 *
 * Engines, and all that belongs to them, have one thread. A ticket lets another
 * thread, such as one of a pool of workers, complete a wait:
 *
 *     static int arm(aw_task *task, void *data) {
 *       struct job *job = data;
 *       job->ticket = aw_ticket_new(task);
 *       if (!job->ticket)
 *         return AW_ENOMEM;
 *       give_to_worker(job);       the worker ends with
 *       return 0;                  aw_ticket_complete(job->ticket, 0, value)
 *     }
 *
 * When the wait ends otherwise, by a cancel for example, the library makes its
 * tickets invalid: `disarm` has nothing to do for them, and each one is still
 * completed or released, once, by whoever has it.
 *
 * Objects that tasks of several threads share, such as a queue under a mutex,
 * do not hand a message to a wait: that wait may be ending. They only tell it
 * to try, by AW_READY. On the thread of its engine, `ready` takes the message
 * or, if somebody else was faster, makes a new ticket for the same wait:
 *
 *     static int ready(aw_task *task, void *data) {
 *       struct queue *queue = data;
 *       aw_value message;
 *       pthread_mutex_lock(&queue->lock);
 *       int rc = take(queue, &message) ? 1 : wait_in(queue, task);
 *       pthread_mutex_unlock(&queue->lock);     wait_in(): aw_ticket_new(), and
 *       if (rc == 1)                            0 or AW_ENOMEM
 *         aw_task_set_value(task, message);
 *       return rc;
 *     }
 *
 * `arm` tries in the same way. `disarm` takes the ticket out of the queue and
 * releases it. If the ticket was used already, nobody else was told, so
 * `disarm` passes the notice on: it completes the ticket of the next one that
 * waits. */

/* Make a ticket for the wait that is being armed, or that is under way. The
 * operation must be `external`: else the wait fails with AW_EINVAL. A wait may
 * have several tickets; the first one that is completed ends it.
 *
 * Gives, or NULL: out of memory or descriptors, or the task is in no such wait.
 *
 * Call from: `arm`, `ready` and `due`, for the task that they are called with.
 */
AW_API aw_ticket *aw_ticket_new(aw_task *task);

/* A result for aw_ticket_complete(): the wait may be over; let its operation
 * try. */
enum { AW_READY = 1 };

/* Complete the wait of a ticket, with a value for its task. If that wait has
 * ended already, the engine drops `value` on its own thread.
 *
 *   ticket  takes
 *   result  as for aw_wait_complete(); or AW_READY: the operation's `ready`
 *           says whether the wait ends. Without `ready`, and for other positive
 *           numbers, the wait ends with AW_EINVAL
 *   value   taken only if 0 is returned; 0: none. With AW_READY it is dropped
 *
 * Many completions in a row wake the engine once. Returns 0, or AW_EENDED if
 * the engine has been freed.
 *
 * Call from: any thread, but no signal handler; also while the engine is being
 * freed. Completing a ticket twice is undefined.
 */
AW_API int aw_ticket_complete(aw_ticket *ticket, int result, aw_value value);

/* Release a ticket that nobody will complete, as when a thread could not be
 * made. It does not end the wait.
 *
 *   ticket  takes; NULL is fine
 *
 * Call from: any thread.
 */
AW_API void aw_ticket_release(aw_ticket *ticket);

/* ---- descriptors [Q3] ---------------------------------------------------- */

/* What to wait for; with both, either of the two ends the wait. */
enum { AW_READABLE = 1, AW_WRITABLE = 2 };

/* Finish when `fd` is ready: a read (or a write) would not block. That is so
 * for data, at the end of the file, and for an error, which the read then
 * returns.
 *
 *   fd      an open descriptor; checked each time the wire runs
 *   events  AW_READABLE, AW_WRITABLE or both; other values give NULL
 *
 * Fails with UV_EBADF if `fd` is closed, with UV_EEXIST if it belongs to a
 * libuv handle of this engine, or with another code of libuv, such as
 * UV_EMFILE, if it cannot be watched. Regular files, and others that cannot be
 * polled, are always ready.
 *
 * Any number of tasks may wait for the same descriptor. Readiness wakes all
 * waiters of a direction, so for the later ones it may be stale. The flags of
 * `fd` do not change.
 *
 * Closing a descriptor that has waiters is an error: their waits may never end.
 * Call aw_poller_forget() before. A descriptor without waiters may be closed at
 * any time, even if a duplicate of it, or a child process, keeps the file open:
 * the watcher leaves the kernel's set before the woken task runs.
 */
AW_API aw_wire *aw_when_ready(int fd, int events);
AW_API aw_wire *aw_readable(int fd); /* aw_when_ready(fd, AW_READABLE) */
AW_API aw_wire *aw_writable(int fd); /* aw_when_ready(fd, AW_WRITABLE) */

/* Return the operation that these wires wait for; its data is
 * `(void *)(intptr_t)fd`. NULL for other `events`. */
AW_API const aw_operation *aw_ready_operation(int events);

/* Prepare for closing `fd`: end all waits for it with AW_ECLOSED, and release
 * its keepers. Does nothing for a descriptor without a watcher. */
AW_API void aw_poller_forget(aw_engine *engine, int fd);

/* Begin and abort a wait for a descriptor. For operations of your own that also
 * look elsewhere, as at a buffer in front of the descriptor: call these from
 * `arm` and `disarm`. The first may also be called while the task waits for the
 * operation and for no descriptor, as from `due`. aw_ready_arm() returns what
 * `arm` returns.
 *
 * The task may also set its alarm, as a limit of the wait. When the wait ends
 * by its descriptor, or by an error of it, the alarm is cleared. In `due` call
 * aw_ready_disarm() before aw_wait_complete(). */
AW_API int aw_ready_arm(aw_task *task, int fd, int events);
AW_API void aw_ready_disarm(aw_task *task, int fd);

/* A keeper: an owner, such as a stream, that waits for one descriptor again and
 * again. It leaves the watcher in the kernel's set between waits, which saves
 * three system calls for each wait. Zero the fields before the first use. */
typedef struct aw_keeper {
  /* Private, but for this: not NULL while it keeps a watcher, whose engine then
   * is not freed yet. */
  struct aw_watch *watch;
  struct aw_keeper *next; /* private */
  /* The owner alone closes the descriptor, after aw_ready_done(). Then a wait
   * on the kept watcher does not look at the descriptor, which saves the last
   * system call. If somebody else closes it nevertheless, the wait may never
   * end. */
  bool owned;
} aw_keeper;

/* Begin a wait as aw_ready_arm(), and keep the watcher when the wait has ended.
 * aw_ready_disarm() aborts the wait.
 *
 *   keeper  borrowed until aw_ready_done(), or until the engine is freed. It
 *           keeps one watcher, that of the latest call. NULL: keeps nothing
 */
AW_API int aw_ready_arm_kept(aw_task *task, int fd, int events,
                             aw_keeper *keeper);

/* Release the watcher of a keeper. Call it before the descriptor is closed and
 * before the memory of `keeper` is freed. Does nothing if the keeper has none.
 * Call from: a `disarm`, too. */
AW_API void aw_ready_done(aw_keeper *keeper);

/* ---- channels, events, semaphores, rates [H1] ----------------------------
 *
 * Objects at which tasks wait for one another, first come, first served [F5].
 * They have these in common.
 *
 *   References  `..._new()` gives one. Wires keep the object, and so do waiting
 *               tasks.
 *   Engine      The object belongs to the engine whose task waits there first,
 *               until that engine is freed. Waits of tasks of another engine
 *               fail with AW_EINVAL [S6]. `..._open_to()` tells whether tasks
 *               of `engine` may wait there.
 *   Names       are for people, and copied; NULL: none.
 *   Call from   outside tasks, too, unless the function waits.
 *   Awaits      `aw_await_...()` behave as those in "waiting" and return the
 *               errors that the wire fails with.
 */

/* A channel hands values from task to task.
 *
 * A value belongs to its sender until it is sent, and to its receiver from then
 * on. A wait that is cancelled, or that loses a race, has sent or received
 * nothing. A wait that has committed is delivered in any case [C6]. A send and
 * a receive that are operands of the same race do not meet. */
typedef struct aw_channel_config {
  size_t capacity;  /* how many values it can hold. 0: a sender waits for a
                       receiver; SIZE_MAX: as many as there is memory for */
  const char *name; /* copied; or NULL */
  void *host; /* handed to the functions below, each of which may be NULL */
  /* As in aw_engine_config; for values in the channel. */
  void (*drop)(void *host, aw_value value);
  aw_value (*keep)(void *host, aw_value value);
  /* A wire in `task` receives `value`: prepare the value for it. Not called for
   * a receive by aw_await_recv(), where host code takes the value. It may look
   * at the task, and call nothing else of the library. */
  void (*deliver)(void *host, aw_value value, aw_task *task);
  /* The channel moves `value` from a waiting sender to its buffer, or hands it
   * to a receiver. The sender of aw_park_send() has not run since: the first
   * call is the last chance to take the value from that task's stack. Returns
   * true, also if there is nothing to do; false if the value is lost: then the
   * channel drops `value` and goes on with the next one. Not called for a value
   * that aw_channel_try_recv() gives from a waiting sender: its caller does the
   * same. It may call nothing of the library. */
  bool (*settle)(void *host, aw_value value);
  /* Takes. The value of a receive from a channel that is closed and empty. It
   * may be 0 if nobody sends 0. */
  aw_value end;
  size_t size; /* see "Sizes" above */
} aw_channel_config;

/* Make a channel. Returns 0, AW_EINVAL or AW_ENOMEM.
 *
 *   config  copied; its `end` is taken, also on failure. NULL: no capacity, no
 *           name and no functions
 *   out     gives
 */
AW_API int aw_channel_new(const aw_channel_config *config, aw_channel **out);
AW_API aw_channel *aw_channel_keep(aw_channel *channel);
/* Takes; NULL is fine. The last reference drops the values in the channel. */
AW_API void aw_channel_release(aw_channel *channel);

/* Send without waiting. Returns 0; AW_EAGAIN if nobody receives and there is no
 * room; AW_ECLOSED; or AW_ENOMEM.
 *
 *   value  taken only if 0 is returned
 */
AW_API int aw_channel_try_send(aw_channel *channel, aw_value value);
/* Receive without waiting. Returns 0; AW_EAGAIN if there is no value; or
 * AW_ECLOSED if it is closed and empty.
 *
 *   out  gives
 */
AW_API int aw_channel_try_recv(aw_channel *channel, aw_value *out);

/* Return the task that gets the next value, if its host code waits in
 * aw_await_recv(); else NULL. The host may hand the value over itself and send
 * a placeholder. Borrowed. */
AW_API aw_task *aw_channel_receiver(const aw_channel *channel);

/* Close the channel. Waiting and later senders fail with AW_ECLOSED. Receivers
 * get the values that are left, and then `end`. Closing again does nothing. */
AW_API void aw_channel_close(aw_channel *channel);

/* Send a value, or receive one.
 *
 *   channel  keeps
 *   value    takes. The wire sends one more claim on it, by `keep`, each time
 *            it runs
 *
 * A send fails with AW_ECLOSED if the channel is closed, and with AW_ENOMEM. A
 * receive does not fail: see `end`.
 */
AW_API aw_wire *aw_send(aw_channel *channel, aw_value value);
AW_API aw_wire *aw_recv(aw_channel *channel);
AW_API int aw_await_send(aw_task *task, aw_channel *channel, aw_value value);
AW_API int aw_await_recv(aw_task *task, aw_channel *channel);

/* Tell whether a send by host code would wait now. */
AW_API bool aw_channel_send_waits(const aw_channel *channel);
/* As aw_await_send() and aw_await_recv(), for host code that has just found out
 * that it must wait: by aw_channel_send_waits(), or because
 * aw_channel_try_recv() has returned AW_EAGAIN. The first takes `value`. They
 * return 0, or AW_EINVAL if the task need not wait. */
AW_API int aw_park_send(aw_task *task, aw_channel *channel, aw_value value);
AW_API int aw_park_recv(aw_task *task, aw_channel *channel);

/* Tell whether a send would end without waiting: the channel can hold one more
 * value, or is closed. aw_await_room() waits until that is so. A channel with a
 * capacity of 0 has no room while it is open.
 *
 * For a task that sends to several channels, to all of them or to none, and
 * that is their only sender. */
AW_API bool aw_channel_has_room(const aw_channel *channel);
AW_API int aw_await_room(aw_task *task, aw_channel *channel);

/* Parts for operations of your own: call them from `arm`, `disarm` and
 * `describe`, and return what they return. aw_send_arm() takes `value`. */
AW_API int aw_send_arm(aw_task *task, aw_channel *channel, aw_value value);
AW_API void aw_send_disarm(aw_task *task, aw_channel *channel);
AW_API int aw_recv_arm(aw_task *task, aw_channel *channel);
AW_API void aw_recv_disarm(aw_task *task, aw_channel *channel);
AW_API void aw_channel_describe(const aw_channel *channel, char *out,
                                size_t size);

typedef struct aw_channel_view {
  const char *name;          /* borrowed, or NULL */
  size_t capacity, count;    /* values: at most, now */
  size_t senders, receivers; /* waiting tasks */
  bool closed;

  uint64_t spare[2]; /* see "Growth" above */
} aw_channel_view;
/* Fill `out` with the present state of the channel. */
AW_API void aw_channel_look(const aw_channel *channel, aw_channel_view *out);
/* Return whether tasks of `engine` may use the channel: it belongs to this
 * engine, or to none yet [S6]. */
AW_API bool aw_channel_open_to(const aw_channel *channel,
                               const aw_engine *engine);

/* An event object is set or not set, and tasks wait until it is set. Make one
 * that is not set. Returns 0 or AW_ENOMEM.
 *
 *   out  gives
 */
AW_API int aw_event_new(const char *name, aw_event **out);
AW_API aw_event *aw_event_keep(aw_event *event);
AW_API void aw_event_release(aw_event *event); /* takes; NULL is fine */
/* Set it. All waiting tasks go on, even if it is cleared before their turn. */
AW_API void aw_event_set(aw_event *event);
AW_API void aw_event_clear(aw_event *event);
AW_API bool aw_event_is_set(const aw_event *event);
/* Finish when the event object is set; keeps it. */
AW_API aw_wire *aw_when_set(aw_event *event);
AW_API int aw_await_event(aw_task *task, aw_event *event);
AW_API size_t aw_event_waiting(const aw_event *event);   /* waiting tasks */
AW_API const char *aw_event_name(const aw_event *event); /* or NULL */
AW_API bool aw_event_open_to(const aw_event *event, const aw_engine *engine);

/* A semaphore has permits, which tasks acquire and give back. Make one. Returns
 * 0, AW_EINVAL if `count` is more than `most`, or AW_ENOMEM.
 *
 *   count  permits at first
 *   most   upper bound of the permits in it; UINT64_MAX: none
 *   out    gives
 */
AW_API int aw_semaphore_new(uint64_t count, uint64_t most, const char *name,
                            aw_semaphore **out);
AW_API aw_semaphore *aw_semaphore_keep(aw_semaphore *semaphore);
AW_API void aw_semaphore_release(aw_semaphore *semaphore); /* takes; or NULL */
/* Acquire a permit without waiting. Returns 0 or AW_EAGAIN. */
AW_API int aw_semaphore_try_acquire(aw_semaphore *semaphore);
/* Give a permit back; the first waiting task gets it. Returns 0, or AW_EINVAL
 * if the semaphore is full. */
AW_API int aw_semaphore_give_back(aw_semaphore *semaphore);
/* Acquire a permit; keeps the semaphore. */
AW_API aw_wire *aw_acquire(aw_semaphore *semaphore);
AW_API int aw_await_acquire(aw_task *task, aw_semaphore *semaphore);
/* Parts for operations of your own, as aw_recv_arm() and its siblings. */
AW_API int aw_acquire_arm(aw_task *task, aw_semaphore *semaphore);
AW_API void aw_acquire_disarm(aw_task *task, aw_semaphore *semaphore);
AW_API void aw_semaphore_describe(const aw_semaphore *semaphore, char *out,
                                  size_t size);
AW_API uint64_t aw_semaphore_count(const aw_semaphore *semaphore); /* permits */
AW_API size_t aw_semaphore_waiting(const aw_semaphore *semaphore); /* tasks */
AW_API const char *
aw_semaphore_name(const aw_semaphore *semaphore); /* or NULL */
AW_API bool aw_semaphore_open_to(const aw_semaphore *semaphore,
                                 const aw_engine *engine);

/* A rate lets tasks acquire at most `most` units in any span of `per` ns: units
 * acquired at `t` count until t + per. There is nothing to give back. A task
 * that waits for many units is not overtaken by one that needs few. A cancelled
 * wait has acquired nothing.
 *
 * Unlike the other objects, a rate counts on the clock of its engine and moves
 * to another engine with that engine's first request, as soon as no task waits
 * for it and no loop of its engine runs. Then it starts anew.
 *
 * Make one. Returns 0; AW_EINVAL if `most` or `per` is 0, or `per` is AW_NEVER;
 * or AW_ENOMEM.
 *
 *   out  gives
 */
AW_API int aw_rate_new(uint64_t most, uint64_t per, const char *name,
                       aw_rate **out);
AW_API aw_rate *aw_rate_keep(aw_rate *rate);
AW_API void aw_rate_release(aw_rate *rate); /* takes; NULL is fine */
/* Acquire without waiting. Returns 0; AW_EAGAIN; AW_EINVAL if `units` is more
 * than `most`, or if the rate belongs to another engine; or AW_ENOMEM. */
AW_API int aw_rate_try_acquire(aw_rate *rate, aw_engine *engine,
                               uint64_t units);
/* Acquire `units`; keeps the rate. Fails with AW_EINVAL as above, or
 * AW_ENOMEM. */
AW_API aw_wire *aw_acquire_rate(aw_rate *rate, uint64_t units);
AW_API int aw_await_rate(aw_task *task, aw_rate *rate, uint64_t units);

typedef struct aw_rate_view {
  const char *name; /* borrowed, or NULL */
  uint64_t most, per;
  uint64_t used;  /* units that count now */
  size_t waiting; /* waiting tasks */

  uint64_t spare[2]; /* see "Growth" above */
} aw_rate_view;
/* Fill `out` with the present state of the rate. */
AW_API void aw_rate_look(const aw_rate *rate, aw_rate_view *out);

/* ---- errors -------------------------------------------------------------- */

/* Make an error for a task to fail with.
 *
 *   code   negative; AW_EHOST if `value` says what happened. Other numbers
 *          stand for AW_EINVAL
 *   value  takes; 0: none
 *
 * Gives an error, never NULL. Out of memory it drops `value` and gives the
 * engine's own "out of memory" error. That one is shared: the functions below
 * that change an error do nothing to it, and drop what they take.
 */
AW_API aw_error *aw_error_new(aw_engine *engine, int code, aw_value value);
AW_API aw_error *aw_error_keep(aw_error *error);
AW_API void aw_error_release(aw_error *error); /* takes; NULL is fine */

/* Return the code of the error. */
AW_API int aw_error_code(const aw_error *error);
AW_API aw_value aw_error_value(const aw_error *error); /* borrowed, or 0 */
/* Give an error without a value one; takes `value`, and drops it if the error
 * has a value already. */
AW_API void aw_error_set_value(aw_error *error, aw_value value);

/* Return how many tries failed, for the error of an aw_retry() [O10]; else
 * 0. */
AW_API uint32_t aw_error_attempts(const aw_error *error);

/* Return the wire to which the error belongs, borrowed, or NULL: for an
 * AW_ETIMEOUT, the wire under the limit; for a wait that failed, its wire.
 *
 *   holder  receives the host's wire (of aw_hold()) in which that wire was
 *           running, borrowed, or NULL; may be NULL
 *   ns      receives the limit of an AW_ETIMEOUT; else 0; may be NULL
 */
AW_API const aw_wire *aw_error_wire(const aw_error *error,
                                    const aw_wire **holder, uint64_t *ns);

/* Return the cut of an AW_ETIMEOUT (see "cuts"); borrowed, or NULL. */
AW_API const aw_cut *aw_error_cut(const aw_error *error);

/* What failed, such as "readable", and its descriptor. A wait that fails sets
 * both.
 *
 *   call  borrowed for ever; NULL: none
 *   fd    -1: none
 */
AW_API const char *aw_error_call(const aw_error *error);
AW_API int aw_error_fd(const aw_error *error);
AW_API void aw_error_set_about(aw_error *error, const char *call, int fd);

/* The object of the error in words, if it is no descriptor; or NULL. Setting it
 * copies `subject`, which may be NULL; out of memory the error has none. */
AW_API const char *aw_error_subject(const aw_error *error); /* borrowed */
AW_API void aw_error_set_subject(aw_error *error, const char *subject);

/* Suppress `later` in `error`, because it came second [E3]; takes `later`. NULL
 * is fine. */
AW_API void aw_error_suppress(aw_error *error, aw_error *later);

/* Return a suppressed error, borrowed; NULL: no more.
 *
 *   index  0 is the oldest
 */
AW_API aw_error *aw_error_suppressed(const aw_error *error, size_t index);
/* Return the suppressed errors one after the other, borrowed; NULL: no more.
 * Errors that are suppressed in between are returned, too.
 *
 *   at  the position; `*at` is NULL before the first call
 */
AW_API aw_error *aw_error_next_suppressed(const aw_error *error,
                                          const void **at);

/* ---- cuts ----------------------------------------------------------------
 *
 * A cut records, for people, what a time-out cut short [E2]: the first wait
 * that it aborted. If no wait was under way, it is the first wait that the
 * cancel refused. Without memory there is no record. */

/* Return the cut that records the latest wait of `task`, so that the host can
 * add the place in its code. Borrowed until the step is reported or waits
 * again. NULL if that wait is not recorded, or if the cut was already taken.
 *
 * Call from: a step that goes on with the result AW_ECANCELED. */
AW_API aw_cut *aw_task_take_cut(aw_task *task);
/* Make the cut of a time-out, for a host that gives Cancelled to `task` in
 * something that is no wait of the engine. Borrowed; NULL if no time-out caused
 * that cancel, or if it has a cut already.
 *
 *   text  what was cut short, such as "resume"; copied
 */
AW_API aw_cut *aw_task_cut_outside(aw_task *task, const char *text);
/* Set the value of the host in a cut: takes. It replaces an earlier one. */
AW_API void aw_cut_set_value(aw_cut *cut, aw_value value);
AW_API aw_value aw_cut_value(const aw_cut *cut); /* borrowed, or 0 */

/* Return what was cut short, such as "sleep 5 s"; borrowed. */
AW_API const char *aw_cut_text(const aw_cut *cut);
/* Return the id of the task that waited.
 *
 *   where  receives where that task was started, or NULL; may be NULL
 */
AW_API uint64_t aw_cut_task(const aw_cut *cut, const char **where);
/* Tell whether the task that waited is the one that reports the time-out, and
 * no task below it. */
AW_API bool aw_cut_own(const aw_cut *cut);
AW_API aw_cut *aw_cut_keep(aw_cut *cut); /* NULL is fine */
AW_API void aw_cut_release(aw_cut *cut); /* takes; NULL is fine */

/* ---- the tree of scopes -------------------------------------------------- */

/* Walk through the scopes below `scope`, in the order of their creation, each
 * before those inside it.
 *
 *   at     the scope returned last; `scope` at first
 *   depth  how far below `scope` `at` is; 0 at first, and kept up to date
 *
 * Returns the next scope, or NULL at the end. Borrowed until anything runs.
 */
AW_API aw_scope *aw_scope_walk(const aw_scope *scope, const aw_scope *at,
                               size_t *depth);
/* Return the task whose own scope this is; NULL for other scopes. */
AW_API aw_task *aw_scope_task(const aw_scope *scope);
/* Tell whether the scope sees a cancel, its own or one from outside. */
AW_API bool aw_scope_cancelled(const aw_scope *scope);
/* Tell whether that cancel is hard. */
AW_API bool aw_scope_overdue(const aw_scope *scope);
/* Tell whether the scope is a shield that still hides cancels. */
AW_API bool aw_scope_shields(const aw_scope *scope);
/* Return what the scope is, for people: "join", "race", "any" or "select" for
 * the scope of operands; "shield" while it hides cancels; else "scope". */
AW_API const char *aw_scope_label(const aw_scope *scope);

/* ---- instruments ---------------------------------------------------------
 *
 * An instrument hears what the tasks of an engine do, as it happens: it is what
 * a tracer or a monitor stands on. For each task it gets these events.
 *
 *     started
 *       ( step begins   step ends  |  wait begins   wait ends )*
 *     ended
 *
 * A step is a stretch of code that runs: one call of a C step, or the time from
 * a CALL, RESUME or KILL until the host pulls again. When code begins to wait,
 * its step ends right before that wait, since code that has armed a wait only
 * returns. So steps and waits of a task follow one another and never overlap,
 * and at most one step of an engine is under way. A task that was cancelled,
 * killed, or that has lost a race ends its wait before it ends itself. Between
 * the end of a wait and the next step, the task is ready and stands in the
 * queue.
 *
 * No wait begins if the task is cancelled (it goes on with AW_ECANCELED at
 * once), or if the wait is over at once. A yield begins and ends at the same
 * moment. A turn that a task gives up between two elements of a sequence or a
 * repeat is no wait.
 *
 * Every function may be NULL. It may look at the task, by the functions that
 * take a `const aw_task *`, aw_scope_...() and aw_wire_look(), and read the
 * clock by aw_engine_now(). It may call nothing that starts, cancels, completes
 * or ends anything, and no aw_engine_instrument(): the engine is in the middle
 * of its work.
 *
 * While an engine has an instrument, each step takes the way through aw_next()
 * that the short cuts of aw_step_again(), aw_step_itself(), aw_step_become()
 * and aw_begin_yield() avoid: those return 0, false or NULL. Without an
 * instrument, hooks cost nothing that can be measured. */

typedef struct aw_instrument {
  void *data; /* handed to the functions below */

  /* `task` was started: by a host, a step, or an operator such as `&`, or it
   * was spun off. aw_task_parent(), aw_task_name() and aw_task_where() tell
   * more; the parent was started earlier. */
  void (*task_started)(void *data, const aw_task *task);
  /* `task` has ended. aw_task_state_of() says how, and aw_task_error() why.
   * Its name may be gone. A failed task ends after its handler was called.
   * Tasks whose loop was freed before they ran end as cancelled. */
  void (*task_ended)(void *data, const aw_task *task);
  /* A cancel has reached the innermost scope of `task`, or has turned hard (see
   * aw_task_overdue()), or `task` is an event that has lost its race.
   * aw_task_cancelled_by() says why. Nothing is told of a task that only joins
   * its children, and of what a task finds when it starts or leaves a shield:
   * see aw_task_cancelled(). */
  void (*task_cancelled)(void *data, const aw_task *task);

  void (*step_begins)(void *data, const aw_task *task);
  void (*step_ends)(void *data, const aw_task *task);

  /* `label` is as in aw_waiting, or "yield", for which aw_task_waiting() tells
   * nothing more. */
  void (*wait_begins)(void *data, const aw_task *task, const char *label);
  /* `result` is 0 or a negative code: AW_ECANCELED if the wait was aborted,
   * also of an event that has lost its race. */
  void (*wait_ends)(void *data, const aw_task *task, int result);

  /* The engine blocks in libuv, as no task is ready. Waits end in between. A
   * host that drives the engine by its own loop blocks by itself: it is not
   * told of that.
   *
   *   until  as of uv_hrtime(), at the latest; AW_NEVER: no limit
   */
  void (*before_blocking)(void *data, uint64_t until);
  void (*after_blocking)(void *data);

  size_t size; /* see "Sizes" above */
} aw_instrument;

/* Set the instrument of `engine`, or replace one by another with the same
 * `data`.
 *
 *   instrument  copied; NULL: none from now on, in the middle of whatever is
 *               under way
 *
 * It hears of the tasks that start from now on, and of blocking; of older tasks
 * by aw_task_tell(). One with the `data` of the last one also hears of the
 * tasks that the last one was told of, but not of what they did while the
 * engine had no instrument.
 *
 * Returns 0; AW_EINVAL for a wrong `size`; AW_EBUSY if its `data` differs from
 * that of the last instrument, while that one is still set, or while a task is
 * alive that it was told of.
 */
AW_API int aw_engine_instrument(aw_engine *engine,
                                const aw_instrument *instrument);

/* Tell the instrument of a task that is older, as of one that starts now:
 * `task_started`, and then `wait_begins` if the task waits, or `step_begins` if
 * the host runs its code. The end of a C step that is under way is not told.
 *
 * Returns true if it told the start. Returns false if the task has ended, if
 * the engine has no instrument, or if the start was told before, to this
 * instrument or to one with the same `data`. In that last case it still tells
 * `step_begins` if the host runs the task's code and nobody was told of that
 * step.
 *
 * To tell of all tasks of a loop, take them from aw_scope_walk(): a task comes
 * before the tasks that it has started. */
AW_API bool aw_task_tell(aw_task *task);

/* ---- memory -------------------------------------------------------------- */

/* An allocator, with the meaning of realloc().
 *
 *   memory  NULL: allocate
 *   size    bytes; 0: free `memory`, which is not NULL then, and return NULL
 *
 * Returns the memory, moved or not, and aligned for any type, as malloc() does
 * it; or NULL, with `memory` as it was, if there is not enough.
 */
typedef void *(*aw_allocator)(void *context, void *memory, size_t size);

/* Replace the allocator for all memory of this library; libuv has one of its
 * own, see uv_replace_allocator().
 *
 *   allocate  used by all threads of the process that use the library; NULL:
 *             the allocator of the C library
 *   context   handed to it
 *
 * Call from: before the first use of the library, or after everything that it
 * made has been freed.
 */
AW_API void aw_set_allocator(aw_allocator allocate, void *context);

/* Allocate with that allocator, for the memory of a binding: as realloc(), as
 * calloc(1, size), and as free().
 *
 *   memory  may be NULL
 *   size    more than 0
 *
 * Return NULL when out of memory. Call from: any thread. */
AW_API void *aw_reallocate(void *memory, size_t size);
AW_API void *aw_allocate(size_t size);
AW_API void aw_free(void *memory);

#ifdef __cplusplus
} /* extern "C" */
#endif

/* ---- C++ -----------------------------------------------------------------
 *
 * A C step whose C++ code may throw. An exception fails the task: with
 * AW_ENOMEM for std::bad_alloc, else with AW_EHOST, and aw_error_subject() has
 * the text of the exception. A wait that the step has armed is aborted.
 *
 *     aw_turn serve(aw_task *task, void *data);       it may throw
 *     aw_call(aw_guard<serve>, &connection)
 */
#if defined(__cplusplus) && (defined(__cpp_exceptions) || defined(__EXCEPTIONS))
#include <exception>
#include <new>

inline aw_turn aw_guard_failed(aw_task *task, int code, const char *subject);

#ifndef AW_GUARD_BY_TABLE /* see aiowire_module.h */
inline aw_turn aw_guard_failed(aw_task *task, int code, const char *subject) {
  aw_error *error = aw_error_new(aw_task_engine(task), code, 0);
  aw_error_set_subject(error, subject);
  aw_task_set_error(task, error);
  return AW_FAIL;
}
#endif

template <aw_turn (*step)(aw_task *task, void *data)>
aw_turn aw_guard(aw_task *task, void *data) noexcept {
  try {
    return step(task, data);
  } catch (const std::bad_alloc &) {
    return aw_guard_failed(task, AW_ENOMEM, nullptr);
  } catch (const std::exception &thrown) {
    return aw_guard_failed(task, AW_EHOST, thrown.what());
  } catch (...) {
    return aw_guard_failed(task, AW_EHOST, nullptr);
  }
}
#endif
#endif
