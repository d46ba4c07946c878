/* state.h - the private structs of the core, and what holds between them
 *
 *     engine ── ready queue ── tasks that are queued
 *       │  └─── deadlines ──── {at, seq} → the alarm of a task or a scope
 *       └ loop ─ root scope ─┬ task's own scope ─┬ scope opened in it ─ …
 *                            │                   └ own scope of a child task
 *                            └ task's own scope …
 *
 * Invariants (asserted where they could break):
 *   I1  a task is in exactly one place: running (engine.current), queued
 *       (`link` is in the ready queue or a loop's pending list), or parked on
 *       one wait (`wait` set); or it has ended
 *   I2  a wait ends exactly once; `wait` is emptied before anyone is told
 *   I3  the engine blocks iff the ready queue is empty
 *   I4  memory that libuv holds is in the engine, never in a task
 *   I5  the core calls only C steps, arm, disarm, drop, keep and release
 *   I6  aw_next() is not entered from inside itself
 *   I7  one OS watcher for each descriptor, closed before it; see poller.c
 *   I8  cancel is state of a scope; `eff` is what a scope sees of its own
 *       cancel and of those above it, through shields, kept up to date by
 *       scope.c alone; an await reads that one field
 *   I9  a scope's `children` counts the child tasks that have not been
 *       settled; a scope is closed only when it is 0
 *   I10 `inner` is the scope of the topmost frame that has one, or the task's
 *       own
 *
 * Layers: engine → step, report → guard, group → frame, end, loop → poller, zmq,
 * channel, sync → meeting → wait → scope → task → deadline, ready, wire, error,
 * memory. A file calls into its own layer and below; but for three words up: a
 * wake that decides a race, the end of an operand, and who is a rival in a
 * race, are between group.c and those who wake.
 */
#ifndef AW_STATE_H
#define AW_STATE_H

#include <aiowire.h>

#include "list.h"

#include <uv.h>

/* ---- wires ---- */

/* The text of a named wire, shared with the tasks that remember it. */
typedef struct aw_name {
  uint32_t refs;
  char text[];
} aw_name;

/* The kinds of aw_wire_kind, and one that nobody else sees: transparent, it
 * holds something for a host. */
#define AW_WIRE_HOLD ((aw_wire_kind)(AW_WIRE_EVERY + 1))

struct aw_wire {
  uint32_t refs;
  uint8_t kind;
  uint8_t table;  /* ALL, RACE: not made by an operator; EVERY: aw_missed */
  uint32_t count; /* how many items; 0: it has none */
  uint32_t limit; /* ALL */
  union {
    struct {
      aw_step_fn fn;
      void *data;
    } call;
    struct {
      void *data;
      void (*release)(void *data);
      const char *name;
    } host;
    struct {
      const aw_operation *operation;
      void *data;
    } wait;
    struct {
      aw_wire *child;
      uint64_t number; /* REPEAT: times; SHIELD: grace */
    } unary;
    struct {
      aw_wire *child;
      void *data;
      void (*release)(void *data);
    } hold;
    struct {
      aw_wire *child;
      aw_name *name;
    } named;
    struct {
      aw_wire *child;
      uint64_t ns, grace;
    } timeout;
    struct { /* BIND, CATCH, FINALLY, RETRY; parts are items, too */
      aw_wire *child, *then;
      union {
        uint64_t grace;
        aw_retry_rule *rule;
      } more;
    } pair;
    uint64_t ns;
    aw_task *task;
    aw_wire *items[1]; /* SEQUENCE, ELSE, ALL, RACE, ANY, SELECT: `count` */
  } u;
};

/* ---- errors ---- */

typedef struct aw_second { /* one that came second to an error */
  aw_error *error;
  struct aw_second *next;
} aw_second;

struct aw_error {
  uint32_t refs;
  int code;
  aw_value value;
  const char *call;  /* what failed, or NULL … */
  int fd;            /* … and on which descriptor, or -1 */
  uint32_t attempts; /* of a retry; 0: none */
  bool unclean;      /* raised by what had been given Cancelled … */
  bool late;         /* … of its task, or from above that */
  aw_wire *wire;     /* whose time was over (kept), or NULL … */
  aw_wire *holder;   /* … and what it is a part of (kept) */
  uint64_t ns;       /* that time */
  aw_engine *engine;
  aw_second *suppressed; /* oldest first */
};

/* ---- deadlines ---- */

/* One node, in a task (its sleep) or a scope (time-out, shield, grace). Its
 * `place` changes as others come and go, when the rest of a task is far from
 * the processor's caches: it is written without reading what is beside it. */
typedef struct aw_alarm {
  uint32_t place;        /* in the heap, from 1; 0: not armed */
  uint32_t seq : 31;     /* order of arming; wraps */
  uint32_t of_scope : 1; /* what it is embedded in */
} aw_alarm;

typedef struct aw_due {
  uint64_t at;
  aw_alarm *alarm;
} aw_due;

typedef struct aw_deadlines {
  aw_due *heap; /* 4-ary, heap[0] first in order (at, seq) */
  uint32_t count, capacity;
  uint32_t seq;
} aw_deadlines;

/* ---- scopes ---- */

enum { AW_LEVEL_NONE, AW_LEVEL_SOFT, AW_LEVEL_HARD };

struct aw_scope {
  aw_scope *parent;      /* NULL: a loop's root */
  aw_scope *first;       /* the oldest scope inside */
  aw_scope *next, *prev; /* siblings; prev of the first is the last */
  aw_task *task;         /* it is open in; NULL: a loop's root */
  aw_error *error;       /* first failure in it; later ones suppressed */
  aw_value reason;       /* of its own cancel */
  aw_alarm alarm;        /* time-out or shield's end; once cancelled: grace */
  uint32_t children;     /* child tasks not settled */
  uint32_t since;        /* of its own cancel: the clock in ms; wraps */
  unsigned own : 2;      /* its own cancel: a level */
  unsigned eff : 2;      /* what it sees (I8) */
  unsigned by : 3;       /* aw_cancel_kind of `own` */
  unsigned shield : 1;   /* it is a shield … */
  unsigned hides : 1;    /* … and its grace has not run out */
  unsigned group : 1;    /* it is that of an aw_group */
  unsigned cut : 1;      /* Cancelled has left it, or ended a child of it */
};

/* One that is opened in a task, by a wire or by host code. */
typedef struct aw_opened {
  aw_scope scope;
  uint64_t grace; /* for its cancels, or AW_DEFAULT */
  uint64_t until; /* a shield: when it stops hiding … */
  uint64_t hard; /* … and when its own cancel turns hard, once there is one */
} aw_opened;

/* ---- wires that run several ---- */

/* A join or a race under way [O4-O6]; see group.c. */
typedef struct aw_group {
  aw_opened opened; /* the scope of its operands, which are tasks */
  aw_wire *wire;
  uint32_t begun;  /* operands that were, in their order */
  uint32_t first;  /* SELECT: the one to begin with */
  uint32_t winner; /* its number, once `decided` */
  uint32_t failed; /* ANY: how many have */
  aw_error *error; /* RACE: of the winner */
  aw_error *late;  /* of the clean-up of losers */
  bool decided;
  bool won;          /* the winner has ended, with a value or `error` */
  bool cut;          /* an operand was cut short by a cancel from outside */
  aw_value values[]; /* ALL: of each; RACE: of the winner; ANY: see group.c */
} aw_group;

/* What a frame needs that runs a wire under protection; see guard.c. */
typedef struct aw_guard {
  aw_opened *shield; /* FINALLY: made ahead of need */
  aw_error *error;   /* RETRY: the last one */
  uint64_t from;     /* EVERY: t0 … */
  uint64_t count;    /* … and its tick; RETRY: tries begun */
  uint64_t delay;    /* RETRY: the next */
  union {
    aw_value value;
    aw_error *error;
  } out;           /* FINALLY: how the wire ended … */
  uint8_t outcome; /* … as that of a task */
  uint8_t stage;   /* see guard.c */
} aw_guard;

/* ---- tasks ---- */

typedef enum aw_frame_kind {
  AW_FRAME_CHAIN,    /* `wire` (kept) and what it becomes [N2] */
  AW_FRAME_STEP,     /* `wire` (kept), one step of it [N6] */
  AW_FRAME_SEQUENCE, /* item `n` of `wire` is under way */
  AW_FRAME_REPEAT,   /* `n` iterations to go, this one included */
  AW_FRAME_SCOPE,    /* `scope` opened by host code, or by `wire` if that fails
                        when its time is over */
  AW_FRAME_AWAIT,    /* host code `host` waits for the frames above */
  AW_FRAME_GROUP,    /* `scope` of an aw_group: its operands are under way */
  AW_FRAME_ELSE,     /* item `n` of `wire` is under way */
  AW_FRAME_BIND,     /* the first part of `wire` is under way … */
  AW_FRAME_CATCH,    /* … in a scope of its own */
  AW_FRAME_FINALLY,  /* the same, with a `guard` */
  AW_FRAME_RETRY,
  AW_FRAME_EVERY
} aw_frame_kind;

typedef struct aw_frame {
  aw_wire *wire;
  union {
    uint64_t n;
    aw_scope *scope;
    void *host;
    aw_guard *guard;
  } u;
  uint8_t kind;
} aw_frame;

/* What a task does when its turn comes. */
typedef enum aw_go {
  AW_GO_DESCEND,  /* begin the wire `at` */
  AW_GO_BOUNDARY, /* between the elements of the top frame [N4] */
  AW_GO_ASCEND,   /* the outcome goes to the top frame */
  AW_GO_LEAF,     /* a wait of the wire `at` has ended */
  AW_GO_CALL,     /* call the C step `at` again */
  AW_GO_RESUME,   /* a wait of host code has ended */
  AW_GO_HOST,     /* host code has it */
  AW_GO_LEFT,     /* the top frame's scope has been joined */
  AW_GO_GROUP,    /* so has the group of the top frame */
  AW_GO_GUARD,    /* the guard of the top frame has waited */
  AW_GO_CONCLUDE, /* its own scope has been joined */
  AW_GO_KILL      /* close its host code [C9] */
} aw_go;

typedef enum aw_outcome {
  AW_OUT_VALUE,
  AW_OUT_NEXT,
  AW_OUT_ERROR,
  AW_OUT_CANCEL
} aw_outcome;

#define AW_CHAIN_LENGTH 8
typedef struct aw_chain {
  const char *names[AW_CHAIN_LENGTH]; /* a ring, newest at `newest` */
  aw_name *kept[AW_CHAIN_LENGTH];     /* those that went with their wire */
  uint32_t times[AW_CHAIN_LENGTH];
  uint32_t newest, count;
} aw_chain;

/* What only some tasks have, so that a sleeping wire costs 256 bytes. */
typedef struct aw_task_more {
  const char *name;
  aw_name *kept; /* that `name` is of, or NULL */
  aw_value handler;
  uint64_t grace;
  aw_chain chain; /* states it has left, and is at [D3] */
} aw_task_more;

struct aw_task {
  aw_scope scope;  /* its own; its place in the tree */
  aw_scope *inner; /* innermost open scope (I10) */
  aw_engine *engine;
  aw_loop *loop; /* NULL once settled */
  aw_link link;  /* ready, pending, reports, or the waiters of a task */
  const aw_operation *wait; /* what it is parked on, or NULL (I1) */
  void *on;                 /* the data of that */
  aw_alarm alarm;           /* its sleep */
  aw_wire *root;    /* its outermost chain is at (kept); NULL: it has ended */
  aw_frame *frames; /* above the root; NULL: none yet */
  aw_wire *at;      /* wire to begin, or leaf under way; borrowed from those */
  union {
    aw_value value;
    aw_wire *next;
    aw_error *error;
  } out;
  void *host;         /* parked host code */
  aw_link waiters;    /* tasks that wait for its end */
  aw_task_more *more; /* or NULL */
  union {
    const char *name; /* where it was started */
    size_t place;     /* an operand: its number in its group */
  } where;
  uint64_t id, started;
  uint32_t refs, steps;
  int result; /* how the last wait ended */
  uint16_t depth, capacity;
  uint16_t cancels; /* times Cancelled was given [C9] */
  uint8_t state, go, outcome;
  bool background : 1;
  bool hopped : 1; /* one transition while cancelled, no await since [N3] */
  bool killed : 1;
  bool watched : 1;   /* its end wakes the host */
  bool operand : 1;   /* of a group; its scope's parent is that one's */
  bool contender : 1; /* an event in a race: its end decides [H3] */
  bool unwinding : 1; /* it was given Cancelled of its own, or from above */
  bool input : 1;     /* `out` is for the step that comes next */
  bool given : 1;     /* it was given Cancelled, by a cancel that goes on … */
  bool warned : 1;    /* … and again, and that was told [D4] */
};

/* Memory for tasks, see memory.c. */
typedef struct aw_slab {
  struct aw_slab *next;
  aw_task *tasks; /* `count`, behind this, each on cache lines of its own */
  uint32_t count;
} aw_slab;

/* ---- loops and the engine ---- */

struct aw_loop {
  aw_scope root;
  aw_engine *engine;
  aw_link pending;         /* tasks started while it does not run [S7] */
  aw_link running;         /* in engine.running, while it does */
  aw_task *runner;         /* the task that waits for its end, or NULL */
  size_t live, foreground; /* tasks not settled */
  aw_error *error;
  aw_value host;
  uint64_t grace;
  uint8_t state;
  uint8_t ending; /* state to end in, or AW_LOOP_IDLE */
  bool driven;    /* somebody pulls it, or waits for its end */
};

typedef struct aw_ready {
  aw_link tasks;
  size_t count;
  size_t round;      /* of `count`: still belong to this round [F2] */
  aw_task **scratch; /* to shuffle a round [F6] */
  size_t scratch_size;
} aw_ready;

typedef struct aw_watch aw_watch; /* see poller.c */
typedef struct aw_poller {
  aw_watch **watches; /* by descriptor */
  size_t size;        /* of that table */
  aw_link changed;    /* watches to look at before libuv polls */
  aw_link idle;       /* watches that are armed, and nobody waits */
  dev_t pipes;        /* the device of pipes without a name */
} aw_poller;

typedef struct aw__zmq_pass aw__zmq_pass; /* see zmq.c */

/* Something that the host is to be told of once, by a step. */
typedef struct aw_notice {
  uint64_t ns, id;
  aw_error *error; /* or NULL; kept until it has been told */
  bool due;
} aw_notice;

struct aw_engine {
  aw_task *current; /* whose step is under way */
  aw_ready ready;
  int32_t credit; /* steps until the next look at the clock [F2] */
  int32_t credit_size;
  aw_deadlines deadlines;
  aw_poller poller;
  aw__zmq_pass *zmq;   /* its sockets; NULL: none was ever waited for */
  uint64_t now;        /* last look; the time itself when virtual */
  uint64_t polled;     /* `now` when libuv last had its turn */
  uint64_t last_id;    /* of the task whose turn came last */
  aw_notice slow;      /* no look at the clock for too long */
  aw_notice late;      /* a clean-up took too long */
  aw_notice swallowed; /* a task was given Cancelled twice */
  aw_link reports;     /* failed tasks whose host must be told */
  aw_link running;     /* loops, outermost first */
  aw_link idle;        /* tasks in aw_await_idle() */
  size_t external;     /* waits that something outside ends */
  size_t loops, tasks, scopes, errors, bytes;
  size_t hardened; /* scopes that are hard: look for tasks to kill */
  uint64_t steps, turns, ids, random;
  uint64_t selects; /* choices begun: where the next one looks first [H4] */
  aw_engine_config config;
  aw_slab *slabs;      /* the newest first */
  aw_task *free_tasks; /* a list */
  uint32_t fresh;      /* of the newest slab: how many were ever used */
  aw_error *no_memory; /* made ahead of need */
  uint32_t refs;
  bool inside; /* in aw_next() (I6) */
  bool has_uv;
  bool freed; /* others only keep its memory */
  volatile int woken;
  uv_loop_t uv;
  uv_timer_t timer;     /* the earliest deadline, while blocked */
  uv_prepare_t prepare; /* see before_poll() */
  uv_async_t async;     /* aw_engine_wake() */
  aw_closer *closers;
};

/* ---- memory.c ---- */

enum { AW_CACHE_LINE = 64 };

/* Ask for the cache line at `place`: it will be used soon. */
static inline void aw__prefetch(const void *place) {
#ifdef __GNUC__
  __builtin_prefetch(place, 1);
#else
  (void)place;
#endif
}

void *aw__alloc(aw_engine *engine, size_t size); /* zeroed, or NULL */
void aw__free(aw_engine *engine, void *memory, size_t size);
void *aw__resize(aw_engine *engine, void *memory, size_t old, size_t size);
aw_task *aw__task_take(aw_engine *engine); /* zeroed, or NULL */
void aw__task_put_back(aw_engine *engine, aw_task *task);
void aw__engine_keep(aw_engine *engine);
void aw__engine_release(aw_engine *engine);
void aw__drop(aw_engine *engine, aw_value value);
aw_value aw__keep_value(aw_engine *engine, aw_value value);

/* ---- error.c ---- */
/* As aw_error_new(), but NULL when out of memory; takes nothing then. */
aw_error *aw__error_make(aw_engine *engine, int code, aw_value value);
void aw__error_set_attempts(aw_error *error, uint32_t attempts);
/* Keeps `wire` and `holder`, which may be NULL. */
void aw__error_set_wire(aw_error *error, aw_wire *wire, aw_wire *holder,
                        uint64_t ns);

/* ---- wire.c ---- */
aw_wire *aw__wire_inside(const aw_wire *wire); /* looks through HOLD, NAMED */
/* The name that aw_wire_name() is the text of: gives; NULL if it is not of a
 * named wire. */
aw_name *aw__wire_keep_name(const aw_wire *wire);
void aw__name_release(aw_name *name); /* NULL is fine */

/* ---- deadline.c ---- */
int aw__alarm_set(aw_engine *engine, aw_alarm *alarm, uint64_t at);
void aw__alarm_clear(aw_engine *engine, aw_alarm *alarm);
uint64_t aw__alarm_at(const aw_engine *engine, const aw_alarm *alarm);
/* The first alarm due at `now`, taken off; NULL when there is none. */
aw_alarm *aw__alarm_due(aw_engine *engine, uint64_t now);
uint64_t aw__alarm_next(const aw_engine *engine); /* AW_NEVER: none */

/* ---- ready.c ---- */
void aw__ready_push(aw_engine *engine, aw_task *task);
aw_task *aw__ready_pop(aw_engine *engine); /* NULL: the round is over */
void aw__ready_round(aw_engine *engine);   /* begin the next one */
uint64_t aw__random(aw_engine *engine);    /* the engine's source */

/* ---- task.c ---- */
aw_task *aw__task_new(aw_engine *engine, aw_wire *wire,
                      const aw_task_config *config);
int aw__task_push(aw_task *task, aw_frame_kind kind, aw_wire *wire);
void aw__task_pop(aw_task *task);
void aw__task_end_root(aw_task *task); /* the outermost chain is over */
void aw__task_outcome(aw_task *task, aw_outcome outcome);
void aw__task_drop_outcome(aw_task *task);
void aw__task_end_value(aw_task *task, aw_value value);
void aw__task_end_code(aw_task *task, int code);         /* also AW_ECANCELED */
void aw__task_end_error(aw_task *task, aw_error *error); /* takes */
void aw__task_raise(aw_task *task,
                    aw_error *error); /* the same, where it is new */
void aw__task_remember(aw_task *task, const aw_wire *left);
bool aw__task_handled(const aw_task *task);    /* its failures have a handler */
void aw__task_queue(aw_task *task);            /* running → ready */
void aw__task_wake(aw_task *task, int result); /* parked → ready (I2) */
void aw__wake_list(aw_link *waiters, int result); /* all, by their `link` */
void aw__task_abort(aw_task *task);  /* parked → ready, Cancelled */
void aw__task_refuse(aw_task *task); /* running → ready, Cancelled */
void aw__task_turn(aw_task *task);   /* running → ready, cancelled or not */

/* ---- scope.c ---- */
void aw__scope_init(aw_scope *scope, aw_scope *parent, aw_task *task);
void aw__scope_cancel(aw_scope *scope, aw_cancel_kind by, aw_value reason,
                      uint64_t grace);
void aw__scope_alarm(aw_scope *scope); /* its alarm went off */
void aw__scope_harden(aw_scope *scope);
void aw__scope_expose(aw_scope *scope); /* a shield hides nothing any more */
void aw__scope_fail(aw_scope *scope, aw_error *error); /* takes */
void aw__scope_unlink(aw_scope *scope);
/* `from` + `ns`, or AW_NEVER past the end of time. */
uint64_t aw__later(uint64_t from, uint64_t ns);
aw_engine *aw__scope_engine(const aw_scope *scope);
aw_loop *aw__scope_loop(const aw_scope *scope);
int aw__scope_level_outside(const aw_scope *scope);
/* It has been left, or its run has ended: was that long after its cancel? */
void aw__scope_note_late(aw_scope *scope, aw_error *error); /* borrows */
void aw__scope_end(aw_scope *scope, aw_scope_end *end);

/* ---- wait.c ---- */
extern const aw_operation aw__wait_sleep, aw__wait_task, aw__wait_children,
    aw__wait_loop, aw__wait_idle;
/* Arm `operation`. Returns 0: the task is parked; 1: it is over already; or a
 * negative code. */
int aw__wait_begin(aw_task *task, const aw_operation *operation, void *data);
/* Arming gave `rc`, as the above: park, or be over, through the queue. Returns
 * what an await returns. */
int aw__wait_armed(aw_task *task, int rc, const aw_operation *operation,
                   void *data);
/* Before a wait is armed: `go` follows it. True: cancelled, it is queued. */
bool aw__wait_refused(aw_task *task, aw_go go);
int aw__wait_until(aw_task *task, uint64_t at);
int aw__wait_for_task(aw_task *task, aw_task *other, aw_go go);
bool aw__wait_for_children(aw_task *task, aw_scope *scope);

/* ---- poller.c ---- */
/* Before libuv polls: watch what is waited for. */
void aw__poller_settle(aw_engine *engine);
/* Close the watchers that nobody waits for. */
void aw__poller_close_idle(aw_engine *engine);
/* How many watchers there are that nobody waits for. */
size_t aw__poller_idle(const aw_engine *engine);
void aw__poller_free(aw_engine *engine);
int aw__poller_fd(const aw_wire *wire); /* that it waits for, or -1 */

/* ---- zmq.c ---- */
/* Look at the sockets that something was done with, and wake tasks. */
void aw__zmq_look(aw_engine *engine);
/* Before libuv blocks: hear no more of sockets that nobody waits for. */
void aw__zmq_settle(aw_engine *engine);
/* Do some want to be looked at? Then do not block. */
bool aw__zmq_is_dirty(const aw_engine *engine);

/* ---- end.c ---- */
/* The outermost chain has ended. True: parked, to join the task's children. */
bool aw__task_finish(aw_task *task);
void aw__task_conclude(aw_task *task); /* they have been joined */
void aw__task_settle(aw_task *task);   /* an ended task leaves the tree */
/* End a task that runs no code any more, not even to clean up. */
void aw__task_end_cancelled(aw_task *task);
void aw__task_lose(aw_task *task); /* the same of an event in a race */
/* True: `*out` is a step for the host, that closes its code. */
bool aw__task_kill(aw_task *task, aw_step *out);
bool aw__task_kill_one(aw_engine *engine);

/* ---- frame.c ---- */
/* Push the frame of a chain: `wire`, kept, is what the task does next. */
int aw__frame_chain(aw_task *task, aw_wire *wire);
/* Open a scope in a frame of its own; see AW_FRAME_SCOPE for `wire`. */
int aw__frame_scope(aw_task *task, const aw_scope_config *config,
                    aw_wire *wire);
/* When a shield that is entered now stops hiding; AW_DEFAULT: the loop's. */
uint64_t aw__frame_shield_end(const aw_task *task, uint64_t grace);
/* The same in steps, for scopes that are part of something larger: memory,
 * and, with the frame pushed, the scope itself. */
aw_opened *aw__opened_new(aw_engine *engine, size_t size);
void aw__opened_free(aw_engine *engine, aw_opened *opened, size_t size);
enum { AW_NO_SHIELD = 0 };
void aw__frame_enter(aw_task *task, aw_opened *opened, uint64_t grace,
                     uint64_t shield); /* its end, or AW_NO_SHIELD */
void aw__frame_exit(aw_task *task, aw_scope_end *end);
/* An outcome has reached the top frame, a scope's. True: parked. */
bool aw__frame_leave(aw_task *task);
void aw__frame_close(aw_task *task); /* its children have ended */
/* The error that the task ends with came of `wire`, which had `ns`. */
void aw__frame_set_wire(aw_task *task, aw_wire *wire, uint64_t ns);

/* ---- group.c ---- */
aw_group *aw__group_open(aw_task *task, aw_wire *wire); /* or NULL */
/* The next operand that may begin, not scheduled yet; NULL: none for now. */
aw_task *aw__group_next(aw_group *group);
bool aw__group_is_event(const aw_group *group, const aw_task *operand);
void aw__group_commit(aw_task *contender); /* its wait was completed */
void aw__group_armed(aw_task *contender);  /* its wait has begun */
void aw__group_ended(aw_scope *scope, aw_task *operand);
void aw__group_close(aw_task *task); /* all operands have ended */

/* ---- guard.c ---- */
typedef enum aw_after {
  AW_AFTER_PASS, /* the outcome goes on down: pop the frame */
  AW_AFTER_ON,   /* go on with `task->go` */
  AW_AFTER_OFF   /* the task is queued or parked */
} aw_after;
/* Push what `wire` needs; `task->at` is what it begins with. */
int aw__guard_enter(aw_task *task, aw_wire *wire);
/* An outcome has reached the top frame, that of a guard. */
aw_after aw__guard_after(aw_task *task);
void aw__guard_resume(aw_task *task);       /* a wait of its own has ended */
int aw__guard_wants(const aw_guard *guard); /* see aw_step_wants_value() */
void aw__guard_free(aw_engine *engine, aw_guard *guard);

/* ---- step.c ---- */
/* Go on with the running task. True: `*out` is a step for the host. */
bool aw__step_run(aw_task *task, aw_step *out);

/* ---- report.c ---- */
bool aw__step_with_host(const aw_task *task); /* and not reported yet */

/* ---- loop.c ---- */
/* A new task in `scope`, as aw_scope_start(), but not scheduled: borrowed. */
int aw__loop_adopt(aw_scope *scope, aw_wire *wire, const aw_task_config *config,
                   aw_task **out);
void aw__loop_schedule(aw_task *task);
void aw__loop_settled(aw_loop *loop, aw_task *task);
void aw__loop_timed_out(aw_loop *loop);
aw_loop *aw__loop_innermost_blocked(aw_engine *engine);

/* ---- engine.c ---- */
bool aw__engine_must_queue(aw_engine *engine);
int aw__engine_open_uv(aw_engine *engine);

#endif
