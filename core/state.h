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
 * Layers: engine → loop → step → poller, zmq → wait → scope → task → deadline,
 * ready, wire, error, memory. A file calls into its own layer and below.
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
#define AW_WIRE_HOLD ((aw_wire_kind)(AW_WIRE_NAMED + 1))

struct aw_wire {
  uint32_t refs;
  uint8_t kind;
  uint32_t count; /* SEQUENCE: how many items */
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
    uint64_t ns;
    aw_task *task;
    aw_wire *items[1]; /* SEQUENCE: `count` of them */
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
  const char *call; /* what failed, or NULL … */
  int fd;           /* … and on which descriptor, or -1 */
  aw_engine *engine;
  aw_second *suppressed; /* oldest first */
};

/* ---- deadlines ---- */

/* One node, in a task (its sleep) or a scope (time-out, shield, grace). */
typedef struct aw_alarm {
  uint32_t place : 31;   /* in the heap, from 1; 0: not armed */
  uint32_t of_scope : 1; /* what it is embedded in */
  uint32_t seq;          /* order of arming; wraps */
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
  unsigned own : 2;      /* its own cancel: a level */
  unsigned eff : 2;      /* what it sees (I8) */
  unsigned by : 3;       /* aw_cancel_kind of `own` */
  unsigned shield : 1;   /* it is a shield … */
  unsigned hides : 1;    /* … and its grace has not run out */
};

/* One that is opened in a task, by a wire or by host code. */
typedef struct aw_opened {
  aw_scope scope;
  uint64_t grace; /* for its cancels, or AW_DEFAULT */
} aw_opened;

/* ---- tasks ---- */

typedef enum aw_frame_kind {
  AW_FRAME_CHAIN,    /* `wire` (kept) and what it becomes [N2] */
  AW_FRAME_STEP,     /* `wire` (kept), one step of it [N6] */
  AW_FRAME_SEQUENCE, /* item `n` of `wire` is under way */
  AW_FRAME_REPEAT,   /* `n` iterations to go, this one included */
  AW_FRAME_SCOPE,    /* `scope` opened by a wire or by host code */
  AW_FRAME_AWAIT     /* host code `host` waits for the frames above */
} aw_frame_kind;

typedef struct aw_frame {
  aw_wire *wire;
  union {
    uint64_t n;
    aw_scope *scope;
    void *host;
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
  const char *where;
  uint64_t id, started;
  uint32_t refs, steps;
  int result; /* how the last wait ended */
  uint16_t depth, capacity;
  uint16_t cancels; /* times Cancelled was given [C9] */
  uint8_t state, go, outcome;
  bool background : 1;
  bool hopped : 1; /* one transition while cancelled, no await since [N3] */
  bool killed : 1;
  bool watched : 1; /* its end wakes the host */
};

/* Memory for tasks, see task.c. */
typedef struct aw_slab {
  struct aw_slab *next;
  uint32_t count;
  aw_task tasks[];
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

struct aw_engine {
  aw_task *current; /* whose step is under way */
  aw_ready ready;
  int32_t credit; /* steps until the next look at the clock [F2] */
  int32_t credit_size;
  aw_deadlines deadlines;
  aw_poller poller;
  aw__zmq_pass *zmq; /* its sockets; NULL: none was ever waited for */
  uint64_t now;      /* last look; the time itself when virtual */
  uint64_t polled;   /* `now` when libuv last had its turn */
  uint64_t slow;     /* ns without a look, if too long; 0: none to report */
  uint64_t last_id;  /* of the task whose turn came last */
  aw_link reports;   /* failed tasks whose host must be told */
  aw_link running;   /* loops, outermost first */
  aw_link idle;      /* tasks in aw_await_idle() */
  size_t external;   /* waits that something outside ends */
  size_t loops, tasks, scopes, errors, bytes;
  size_t hardened; /* scopes that are hard: look for tasks to kill */
  uint64_t steps, turns, ids, random;
  aw_engine_config config;
  aw_slab *slabs;      /* the newest first */
  aw_task *free_tasks; /* a list */
  uint32_t fresh;      /* of the newest slab: how many were ever used */
  aw_error *no_memory; /* made ahead of need */
  uint32_t refs;
  bool inside; /* in aw_next() (I6) */
  bool has_uv;
  volatile int woken;
  uv_loop_t uv;
  uv_timer_t timer; /* the earliest deadline, while blocked */
  uv_async_t async; /* aw_engine_wake() */
  aw_closer *closers;
};

/* ---- memory.c ---- */
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

/* ---- task.c ---- */
aw_task *aw__task_new(aw_engine *engine, aw_wire *wire,
                      const aw_task_config *config);
int aw__task_push(aw_task *task, aw_frame_kind kind, aw_wire *wire);
void aw__task_pop(aw_task *task);
void aw__task_end_root(aw_task *task); /* the outermost chain is over */
void aw__task_outcome(aw_task *task, aw_outcome outcome);
void aw__task_drop_outcome(aw_task *task);
void aw__task_fail_code(aw_task *task, int code);
void aw__task_remember(aw_task *task, const aw_wire *left);
bool aw__task_handled(const aw_task *task);    /* its failures have a handler */
void aw__task_queue(aw_task *task);            /* running → ready */
void aw__task_wake(aw_task *task, int result); /* parked → ready (I2) */
void aw__wake_list(aw_link *waiters, int result); /* all, by their `link` */
void aw__task_abort(aw_task *task);  /* parked → ready, Cancelled */
void aw__task_refuse(aw_task *task); /* running → ready, Cancelled */

/* ---- scope.c ---- */
void aw__scope_init(aw_scope *scope, aw_scope *parent, aw_task *task);
void aw__scope_cancel(aw_scope *scope, aw_cancel_kind by, aw_value reason,
                      uint64_t grace);
void aw__scope_alarm(aw_scope *scope); /* its alarm went off */
void aw__scope_harden(aw_scope *scope);
void aw__scope_fail(aw_scope *scope, aw_error *error); /* takes */
void aw__scope_unlink(aw_scope *scope);
/* `from` + `ns`, or AW_NEVER past the end of time. */
uint64_t aw__later(uint64_t from, uint64_t ns);
aw_engine *aw__scope_engine(const aw_scope *scope);
aw_loop *aw__scope_loop(const aw_scope *scope);
int aw__scope_level_outside(const aw_scope *scope);
void aw__scope_end(aw_scope *scope, aw_scope_end *end);

/* ---- wait.c ---- */
extern const aw_operation aw__wait_sleep, aw__wait_task, aw__wait_children,
    aw__wait_loop, aw__wait_idle;
/* Arm `operation`. Returns 0: the task is parked; 1: it is over already; or a
 * negative code. */
int aw__wait_begin(aw_task *task, const aw_operation *operation, void *data);
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
/* Before libuv blocks: hear no more of sockets that nobody waits for. True:
 * some want to be looked at, so do not block. */
bool aw__zmq_settle(aw_engine *engine);

/* ---- step.c ---- */
/* Go on with the running task. True: `*out` is a step for the host. */
bool aw__step_run(aw_task *task, aw_step *out);
bool aw__step_with_host(const aw_task *task); /* and not reported yet */
void aw__step_settle(aw_task *task); /* an ended task leaves the tree */
bool aw__step_kill_one(aw_engine *engine);

/* ---- loop.c ---- */
void aw__loop_settled(aw_loop *loop, aw_task *task);
void aw__loop_timed_out(aw_loop *loop);
aw_loop *aw__loop_innermost_blocked(aw_engine *engine);

/* ---- engine.c ---- */
bool aw__engine_must_queue(aw_engine *engine);
int aw__engine_open_uv(aw_engine *engine);

#endif
