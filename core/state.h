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
 *       (`link` is in the ready queue, engine.closed or a loop's pending list),
 *       or parked on one wait (`wait` set); or it has ended
 *   I2  a wait ends exactly once; `wait` is emptied before anyone is told
 *   I3  the engine blocks iff the ready queue and engine.closed are empty
 *   I4  memory that libuv holds is in the engine, never in a task
 *   I5  the core calls only C steps, and functions that a host hands over as
 *       the public headers say; none of them may run Lua code
 *   I6  aw_next() is not entered from inside itself
 *   I7  one OS watcher for each descriptor, disarmed before the task goes on
 *       whose wait was its last, or when its keepers are done; see poller.c
 *   I8  cancel is state of a scope; `eff` is what a scope sees of its own
 *       cancel and of those above it, through shields, kept up to date by
 *       cancel.c alone; an await reads that one field. The scope that was
 *       cancelled is remembered (`above`, `origin`), not searched
 *   I9  a scope's `children` counts the child tasks that have not been
 *       settled; a scope is closed only when it is 0, looked at in the turn
 *       that closes it: what was started since the join was woken is joined
 *   I10 `inner` is the scope of the topmost frame that has one, or the task's
 *       own
 *
 * The files stand in rooms, and each room builds on those before it:
 *
 *   base/     memory, error values, the clock, deadlines, the ready queue
 *   wire/     wires as data
 *   run/      what running means: tasks, scopes, frames, waits, loops, steps;
 *             groups/ and kinds/ have a file for each combinator
 *   sources/  what a task can wait for: descriptors, channels, zmq sockets
 *   drive/    what runs next, and when the engine blocks or gets its turn
 *   engine.c  the life of an engine; no file includes it
 *
 * Each x.c has an x.h that declares what other files of the core may call. No
 * file includes or calls one that stands on its own level or above:
 * spec/tree/layers_spec.lua lists the levels. Where a file must tell a higher
 * one something, the struct between them has a pointer to a function.
 *
 * Marks such as [C6] name rules of docs/semantics.md, [I2] an invariant above,
 * and marks with two letters, such as [ZQ7], traps in docs/pitfalls.md.
 */
#ifndef AW_STATE_H
#define AW_STATE_H

#include <aiowire.h>

#include "base/list.h"

#include <uv.h>

#include <stdatomic.h>

/* A rare part of a function that often runs: inlined, it would cost registers
 * that its caller needs. */
#ifdef __GNUC__
#define AW_APART __attribute__((noinline))
#else
#define AW_APART
#endif

/* ---- wires ---- */

/* The text of a named wire, shared with the tasks that remember it. */
typedef struct aw_name {
  uint32_t refs;
  char text[];
} aw_name;

struct aw_wire {
  uint32_t refs;
  uint8_t kind;  /* an aw_kind; its row in wire/kinds.h has the layout of `u` */
  uint16_t home; /* debug builds: the thread that it runs in, see home.h */
  uint32_t count; /* parts; 0: a leaf, or a list without parts */
  uint32_t limit; /* ALL: operands that run at once; 0: all */
  union {
    /* leaves */
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
    uint64_t ns; /* SLEEP: a span; UNTIL: a time */
    struct {     /* DONE */
      aw_task *task;
      void (*release_task)(aw_task *task);
    };
    /* wires with one or two parts */
    struct {
      aw_wire *first; /* the first part */
      union {
        struct {
          uint64_t number; /* what aw_wire_view.number says of the kind */
          uint64_t grace;  /* TIMEOUT */
        } one;
        struct {
          uint64_t period;
          aw_missed missed;
        } every;
        struct {
          aw_wire *then; /* the second part; RETRY: `when`, or NULL */
          union {
            uint64_t number;
            aw_retry_rule *rule; /* RETRY; owned */
          };
        } pair;
        struct {
          void *data;
          void (*release)(void *data);
        } hold;
        struct {
          const aw_slot *type;
          void *data;
        } slot;
        aw_name *name; /* NAMED */
      };
    };
    /* wires with any number of parts, see build.c */
    struct {
      aw_wire **items; /* `count`, in an array of this wire or of another */
      aw_wire *base;   /* the wire that this one extends (kept), or NULL */
      uint32_t room;   /* free places of the array behind those items */
      bool extended;   /* another wire extends this one */
      bool table;      /* made by a table form: operators do not flatten it */
    } list;
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
  char *subject;     /* what it was about, for people; its own, or NULL */
  uint32_t attempts; /* of a retry; 0: none */
  bool fixed;        /* made ahead of need: nobody changes it */
  bool unclean;      /* raised by what had been given Cancelled … */
  bool late;         /* … of its task, or from above that */
  aw_wire *wire;     /* that failed, or ran out of time (kept); or NULL */
  aw_wire *holder;   /* the host's wire around `wire` (kept), or NULL */
  uint64_t ns;       /* the time that `wire` had */
  aw_cut *cut;       /* the wait that the time-out cut short, or NULL */
  void (*forget)(aw_error *error); /* releases `wire` and `holder`, or NULL */
  aw_engine *engine;
  aw_second *suppressed; /* a ring, here its newest; or NULL */
};

/* ---- deadlines ---- */

/* One node, in a task (its sleep, or `due` of its operation) or in a scope
 * (time-out, shield, grace). Its `place` changes as others come and go, when
 * the rest of a task is far from the processor's caches: it is written without
 * reading what is beside it. */
typedef struct aw_alarm {
  uint32_t place;        /* in aw_deadlines, from 1; 0: not armed */
  uint32_t seq : 31;     /* order of arming; wraps */
  uint32_t of_scope : 1; /* what it is embedded in */
} aw_alarm;

typedef struct aw_due {
  uint64_t at;
  aw_alarm *alarm;
} aw_due;

typedef struct aw_deadlines {
  /* First `near` alarms, a 4-ary heap by (at, seq): heap[0] is the first. From
   * `later` up to `end` those after `horizon`, in no order. */
  aw_due *heap;
  uint32_t near, later, end, capacity;
  uint32_t seq;
  uint64_t horizon;
} aw_deadlines;

/* ---- scopes ---- */

enum { AW_LEVEL_NONE, AW_LEVEL_SOFT, AW_LEVEL_HARD };

struct aw_scope {
  aw_scope *parent;      /* NULL: a loop's root */
  aw_scope *first;       /* the oldest scope inside */
  aw_scope *next, *prev; /* siblings; prev of the first is the last */
  aw_task *task;         /* it is open in; NULL: a loop's root */
  aw_error *error;       /* first failure in it; later ones suppressed */
  union {
    aw_value reason;  /* of its own cancel, unless `above` */
    aw_scope *origin; /* `above`: one on the way up to the cancel that it sees,
                         see aw__scope_origin() */
  };
  aw_alarm alarm;      /* time-out or shield's end; once cancelled: grace */
  uint32_t children;   /* child tasks not settled */
  uint32_t since;      /* of its own cancel: the clock in ms; wraps */
  uint16_t depth;      /* in its task, whose own scope has 1 */
  unsigned own : 2;    /* its own cancel: a level */
  unsigned eff : 2;    /* what it sees [I8] */
  unsigned by : 3;     /* aw_cancel_kind of `own` */
  unsigned shield : 1; /* it is a shield … */
  unsigned hides : 1;  /* … and its grace has not run out */
  unsigned group : 1;  /* it is that of an aw_group */
  unsigned cut : 1;    /* Cancelled has left it, or ended a child of it */
  unsigned closed : 1; /* joined for good: takes no children, no cancel */
  unsigned above : 1;  /* it sees a cancel from above: its own counts no more */
};

/* A scope that a wire or host code opens in a task. */
typedef struct aw_opened {
  aw_scope scope;
  uint64_t grace; /* of its cancels, or AW_DEFAULT */
  uint64_t until; /* shield: the time at which it stops hiding cancels */
  uint64_t hard;  /* shield: the time at which its own cancel turns hard */
  /* The ns by which the limit was extended; wraps. If a wire set the limit: the
   * limit, with that extension. */
  uint64_t moved;
  aw_cut *cut; /* the wait that its time-out cut short, or NULL; cut_record.c */
} aw_opened;

/* ---- groups: wires whose parts run as tasks ---- */

/* Notifications of operands to their group. Tasks stand below groups, so they
 * call the functions of group.c by this table. */
typedef struct aw_group_hooks {
  void (*commit)(aw_task *contender); /* its wait was completed [H3] */
  void (*ended)(aw_scope *scope, aw_task *operand);
} aw_group_hooks;

/* A group under way [O4-O6]; see run/groups/group.c. */
typedef struct aw_group {
  aw_opened opened; /* the scope of its operands, which are tasks */
  const aw_group_hooks *hooks;
  aw_wire *wire;
  const struct aw_group_kind *kind; /* see run/groups/group.h */
  /* aw_step_wants_value(), which stands above group.c */
  bool (*wants_value)(const aw_task *task);
  const char *where; /* `where` of the task, and of all operands */
  aw_wire *holder;   /* valid if `held`: see holder_of() in frame.c; or NULL */
  uint32_t begun;    /* number of operands that have begun */
  uint32_t winner;   /* valid if `decided`: the number of the winner */
  uint32_t failed;   /* ANY: number of errors in `values` */
  aw_error *error;   /* races: the error of the winner */
  aw_error *late;    /* errors of the clean-up of losers */
  bool decided;
  uint8_t fate; /* of its value, an aw_fate; AW_FATE_PASSED: not known yet */
  bool held;    /* `holder` is valid */
  bool won;     /* the winner has ended, with a value or `error` */
  bool cut;     /* a cancel from outside cut an operand short */
  aw_value values[]; /* owned. ALL: the value of each operand. Others: that of
                        the winner; ANY and SELECT keep more behind it, see
                        run/groups */
} aw_group;

static inline aw_group *aw__group_of(const aw_scope *scope) {
  return AW_CONTAINER(aw_group, opened.scope, (uintptr_t)scope);
}

/* ---- tasks ---- */

/* A frame is one entry of a task's stack: a composite wire under way, or what
 * host code has opened in the task. */
typedef enum aw_frame_kind {
  AW_FRAME_CHAIN,    /* `wire` (kept) and the wires that it becomes [N2] */
  AW_FRAME_STEP,     /* `wire` (kept), one step of it [N6] */
  AW_FRAME_SEQUENCE, /* part `n` of `wire` is under way */
  AW_FRAME_REPEAT,   /* `n` iterations to go, this one included */
  AW_FRAME_SCOPE,    /* `scope` is open. `wire`: the TIMEOUT or RETRY that fails
                        when the time limit of the scope passes, or NULL */
  AW_FRAME_AWAIT,    /* host code `host` waits for the frames above */
  AW_FRAME_GROUP,    /* `scope` of an aw_group: its operands are under way */
  AW_FRAME_COLD      /* a part of `wire` is under way, see run/kinds/cold.h */
} aw_frame_kind;

typedef struct aw_frame {
  aw_wire *wire;
  union {
    uint64_t n;
    aw_scope *scope;
    void *host;
    void *state; /* COLD: state of the kind (owned), unless it uses `n` */
  } u;
  uint8_t kind;
} aw_frame;

/* What a task does at its next turn. */
typedef enum aw_go {
  AW_GO_DESCEND,  /* begin the wire `at` */
  AW_GO_BOUNDARY, /* begin the next element of the top frame [N4] */
  AW_GO_ASCEND,   /* pass the outcome to the top frame */
  AW_GO_LEAF,     /* the wait of the leaf `at` has ended: make its outcome */
  AW_GO_CALL,     /* call the C step `at` again */
  AW_GO_RESUME,   /* the wait of a host step has ended: resume the step */
  AW_GO_JOINED,   /* a step has left the innermost scope: join it */
  AW_GO_STEP,     /* nothing: a step of the task is under way */
  AW_GO_LEFT,     /* join and close the scope of the top frame */
  AW_GO_GROUP,    /* join and close the group of the top frame */
  AW_GO_COLD,     /* the wait of the top frame, a COLD one, has ended */
  AW_GO_CONCLUDE, /* join the task's own scope, and end */
  AW_GO_KILL      /* close the host code of the task [C9] */
} aw_go;

typedef enum aw_outcome {
  AW_OUT_VALUE,
  AW_OUT_NEXT,
  AW_OUT_ERROR,
  AW_OUT_CANCEL
} aw_outcome;

/* The names of the last wires of a task's outermost chain [D3]. */
#define AW_CHAIN_LENGTH 8
typedef struct aw_chain {
  const char *names[AW_CHAIN_LENGTH]; /* a ring, the newest at `newest` */
  aw_name *kept[AW_CHAIN_LENGTH];     /* names that outlive their wires, kept */
  uint32_t times[AW_CHAIN_LENGTH];
  uint32_t newest, count;
} aw_chain;

/* Rarely used task state, allocated on demand to keep a sleeping task at 248
 * bytes. */
typedef struct aw_task_more {
  const char *name;
  aw_name *kept; /* the owner of the text of `name`, or NULL */
  aw_value handler;
  aw_value locals; /* see aw_task_set_locals() */
  aw_wire *failed; /* what a failed task ran, until it settles; or NULL */
  uint64_t grace;
  aw_chain chain;
} aw_task_more;

struct aw_task {
  aw_scope scope;  /* the task's own scope, which is its place in the tree */
  aw_scope *inner; /* the innermost open scope [I10] */
  aw_engine *engine;
  aw_loop *loop; /* NULL once settled */
  aw_link link;  /* ready, pending, reports, or the waiters of a task */
  const aw_operation *wait; /* the operation it is parked on, or NULL [I1] */
  void *on;         /* data of `wait`; after the wait: see cut_record.c */
  aw_alarm alarm;   /* ends a sleep, or calls `wait->due` */
  aw_wire *root;    /* wire of the outermost chain (kept); NULL: it has ended */
  aw_frame *frames; /* above the root; NULL: none yet */
  aw_wire *at;      /* wire to begin, or leaf under way; part of a kept wire */
  union {
    aw_value value;
    aw_wire *next;
    aw_error *error;
  } out;
  void *host;         /* the host's data of a parked step */
  aw_link *waiters;   /* a ring of tasks that wait for this one; or NULL */
  aw_task_more *more; /* or NULL */
  union {
    const char *name; /* the place in the code that started it, or NULL */
    size_t place;     /* operand: its number in the group */
  } where;
  uint64_t id, started;
  uint32_t refs, steps;
  int result; /* how the last wait ended; of a wait with a ticket under way: its
                 number, see ticket.c */
  uint16_t depth, capacity;
  unsigned cancels : 10; /* times Cancelled was given; 1,000 at most [C9] */
  unsigned closed : 1;   /* its wait ended because the object was closed, or its
                            owner ended it as cancelled, and the task has not
                            run since; a cancel replaces the result [C2] */
  unsigned waited : 1;   /* another task has waited for this one [T5] */
  unsigned came_back : 1; /* its C step is being called after a wait */
  unsigned warned : 1;    /* the host was told that Cancelled was given again
                          [D4] */
  uint8_t state, go, outcome;
  bool background : 1;
  bool hopped : 1; /* has gone on to a next wire while cancelled, and has not
                      awaited since [N3] */
  bool killed : 1;
  bool watched : 1; /* its end wakes the host */
  bool operand : 1; /* of a group, whose scope is the parent of its own one */
  /* An event in an undecided race: its commit decides [H3]. Or one that was
   * parked when another operand won. */
  bool contender : 1;
  bool input : 1; /* the next step may take `out` */
  bool told : 1;  /* an instrument hears of the task; see instrument.c */
  /* The depth of the scope whose Cancelled the task was given: of the outermost
   * one, if there are several. 1: the task's own scope, or one above. 0: the
   * task is in no such scope. */
  uint16_t given;
};

/* Memory for tasks, see memory.c. */
typedef struct aw_slab {
  struct aw_slab *next;
  aw_task *tasks; /* `count`, behind this, from the start of a cache line */
  uint32_t count;
} aw_slab;

/* ---- loops and the engine ---- */

struct aw_loop {
  aw_scope root;
  aw_engine *engine;
  aw_link pending; /* tasks started while it does not run [S7] */
  aw_link running; /* in engine.running, while it does; then in drive.ended,
                      until its end was told */
  aw_task *runner; /* the task that waits for its end, or NULL */
  size_t live, foreground; /* tasks not settled */
  aw_error *error;
  aw_value host;
  uint64_t grace;
  uint64_t timeout; /* of its run, as it was extended; AW_NEVER: none */
  aw_cut *cut;      /* what its time-out cut short, or NULL */
  uint8_t state;
  uint8_t ending; /* state to end in, or AW_LOOP_IDLE */
  bool driven;    /* somebody pulls it, or waits for its end */
};

typedef struct aw_ready {
  aw_link tasks;
  size_t count;
  size_t round; /* of `count`: still belong to this round [F2] */
  /* While a driven engine rests: to be called when a task becomes ready, so
   * that the host gives the engine a turn; else NULL. */
  void (*rouse)(aw_engine *engine);
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
  size_t reports;     /* since libuv was asked to poll */
  bool crowded; /* hundreds of tasks are ready, or the last poll woke so many */
  bool stale;   /* the kernel's set has a file that was closed: renew it */
} aw_poller;

/* A polled source: objects that the engine looks after in each pass; see
 * polled.c. */
typedef struct aw_polled {
  void (*look)(struct aw_polled *polled);
  void (*settle)(struct aw_polled *polled);
  bool (*dirty)(const struct aw_polled *polled);
  struct aw_polled *next;
} aw_polled;

/* Something that the host is to be told of once, by a step. */
typedef struct aw_notice {
  uint64_t ns, id;
  aw_error *error; /* or NULL; kept until it has been told */
  bool due;
} aw_notice;

/* Free blocks of one size, see memory.c. */
typedef struct aw_spares {
  struct aw_spare *first;
  uint32_t count;
} aw_spares;

enum { AW_SPARES = 40 };

/* Bits of aw_engine.gate. */
enum {
  AW_INSIDE = 1, /* in aw_next() [I6] */
  AW_DRIVEN = 2  /* a host drives the engine: aw_next() is for `pull` only */
};

/* How a host drives the engine; see drive/turn.c. */
typedef struct aw_drive {
  uint64_t until;  /* the turn under way ends at this real time; AW_NEVER: none,
                      or the engine is not driven */
  aw_link ended;   /* loops whose end is to be told, by `running` */
  size_t hardened; /* engine.hardened when the engine came to rest */
  int outer;       /* the descriptor of aw_engine_fd(); -1: none */
  const aw_loop *alone; /* that aw_engine_end_loops() pulls; or NULL */
  bool unfinished;      /* the last turn has left something for the next one */
  bool turning;         /* in a turn … */
  bool pulling;         /* … and in `pull` */
} aw_drive;

/* The text of the last wait cut short that a number describes, see cut.c. */
enum { AW_CUT_SHORT = 48 };
typedef struct aw_cut_number {
  const aw_operation *operation; /* NULL: there was none yet */
  const void *data;
  char text[AW_CUT_SHORT];
} aw_cut_number;

struct aw_engine {
  aw_task *current; /* whose step is under way */
  aw_ready ready;
  int32_t credit; /* steps until the next look at the clock [F2] */
  int32_t credit_size;
  int32_t look_at; /* `credit` at which a long round looks at the clock */
  aw_deadlines deadlines;
  aw_poller poller;
  aw_polled *polled;          /* sources; NULL: none was ever waited for */
  struct aw_mailbox *mailbox; /* of tickets, see ticket.c; or NULL */
  uint32_t ticketed;          /* number of the last wait with a ticket; wraps */
  uint64_t now;               /* last look; the time itself when virtual */
  uint64_t looked;    /* last look, also of one in a round; see clock.c */
  uint64_t polled_at; /* `now` when libuv was polled last */
  uint64_t last_id;   /* of the task whose turn came last */
  /* One of the notices below or `reports` may hold something for the host.
   * Whoever sets one of them sets `news`, too: a step looks at one flag. It is
   * also set while there is an instrument: no step may run unnoticed. */
  bool news;
  aw_notice slow;      /* no look at the clock for too long */
  aw_notice late;      /* a clean-up took too long */
  aw_notice swallowed; /* a task was given Cancelled twice */
  aw_task *holding; /* its clean-up holds back an error for too long (kept) … */
  bool holding_due; /* … and that is to be told; else it has been */
  aw_cut **cutting; /* a time-out goes off: where the record of what it cuts
                          short stands, see cut_record.c; or NULL */
  aw_cut *reported; /* of the scope that was closed last, until the host has
                          seen it; or NULL */
  aw_link closed;   /* background tasks yet to learn of a close; see task.c */
  size_t closing;   /* waits for the end of a close: those learn after it … */
  uint32_t patience; /* … when nobody is ready, or after so many looks */
  aw_link reports;   /* failed tasks whose host must be told */
  aw_link running;   /* loops, outermost first */
  aw_link idle;      /* tasks in aw_await_idle() */
  size_t external;   /* waits that something outside ends */
  size_t loops, tasks, scopes, errors, bytes;
  size_t hardened;  /* scopes that are hard: look for tasks to kill */
  uint64_t wake_at; /* real time to wake the host at, or AW_NEVER */
  uint64_t steps, ids, random;
  uint64_t choices; /* generator of the orders in which Select looks [H4] */
  aw_engine_config config;
  aw_slab *slabs;              /* the newest first */
  aw_spares spares[AW_SPARES]; /* by size in steps of 16 bytes */
  aw_task *free_tasks;         /* a list */
  uint32_t fresh;              /* of the newest slab: how many were ever used */
  aw_error *no_memory, *unwanted; /* made ahead of need */
  aw_cut_number last_cut;         /* see cut.c */
  uint32_t refs;
  uint16_t home;  /* debug builds: the thread that pulls it, see home.h */
  uint8_t gate;   /* AW_INSIDE, AW_DRIVEN; 0: aw_next() may be entered */
  bool polling;   /* in uv_run() of its own libuv loop */
  bool shared_uv; /* others were given `uv`, and may have handles in it */
  bool freed;     /* others only keep its memory */
  aw_drive drive;
  atomic_int woken;  /* by any thread, or a signal handler */
  bool instrumented; /* `instrument` is set; see instrument.c */
  aw_instrument instrument;
  aw_task *stepping; /* the task whose step `instrument` was told of */
  size_t told;       /* tasks it was told of that have not ended */
  uv_loop_t *uv;     /* its own, or that of the host; NULL: not opened */
  struct aw_handles *handles; /* in `uv`, see base/libuv.h */
  aw_closer *closers;
};

#endif
