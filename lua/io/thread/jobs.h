/* jobs.h - the jobs of a pool, between the tasks that call and the workers
 *
 *     a call                    the pool                      a worker
 *     ──────                    ────────                      ────────
 *     arm:   awio_call_submit ─► queue ─► an idle seat's ticket ─► takes it
 *            abortable: queued → withdrawn
 *                       running → unwanted ─► the seat's other ticket, and
 *                                             an interrupt if it is busy
 *     ready: the outcome      ◄─ the job's ticket ◄─ awio_seat_end_job
 *
 * All of this is memory of C that no Lua state owns. `lock` of the pool guards
 * it; `refs` are counted apart.
 *
 * A *job* is one call: its arguments on the way there, its outcome on the way
 * back. It goes from NEW to QUEUED, RUNNING and OVER, or from QUEUED back to
 * NEW when it is withdrawn. The wait of the call has one reference, and the
 * queue or the seat has another.
 *
 * A *seat* is the place of one worker. Its thread takes the jobs, one at a
 * time. A seat exists from the start of its thread until that thread has
 * ended; then the job that was under way gets the error of a crash, and another
 * worker is made if jobs wait.
 *
 * Workers are made when a job finds no idle one, up to `most`. The worker that
 * was idle last takes the next job: its memory is still in the cache.
 *
 * Tickets are AW_READY tickets: what was promised is looked up again on the
 * thread of the engine, under the lock. So a job is never in the hands of a
 * wait that has ended.
 *
 * Forks. In a forked process the workers of the parent do not exist: a pool of
 * the parent is lost there, and its lock is not touched.
 */
#ifndef AWIO_JOBS_H
#define AWIO_JOBS_H

#include "thread/message.h"
#include "thread/thread.h"

#include <aiowire.h>

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

typedef struct awio_jobs awio_jobs;
typedef struct awio_seat awio_seat;

typedef enum awio_call_state {
  AWIO_CALL_NEW,
  AWIO_CALL_QUEUED,
  AWIO_CALL_RUNNING,
  AWIO_CALL_OVER
} awio_call_state;

typedef enum awio_call_end {
  AWIO_CALL_CANCELLED, /* as the call was */
  AWIO_CALL_RETURNED,  /* `message` has the results */
  AWIO_CALL_FAILED,    /* `message` has the error */
  AWIO_CALL_STRAY,     /* the job has cancelled itself */
  AWIO_CALL_CRASHED,   /* the worker has ended: `text` says how, or `thread` */
  AWIO_CALL_CLOSED,    /* the pool was closed */
  AWIO_CALL_UNSTAFFED  /* no worker could be made: `code` */
} awio_call_end;

typedef struct awio_outcome {
  awio_call_end end;
  int code;              /* of AWIO_CALL_UNSTAFFED */
  awio_thread *thread;   /* a worker whose loop has failed, or NULL */
  awio_message *message; /* results or error; NULL: no memory for the error */
  char *text;            /* traceback of the error, or how it crashed */
} awio_outcome;

/* The arguments of calls: a wire of a call may run many times. */
typedef struct awio_arguments {
  atomic_uint refs;
  awio_message *message;
} awio_arguments;

typedef struct awio_call {
  aw_lua_value value; /* first: the job itself is what the call ends with */
  atomic_uint refs;
  awio_jobs *pool; /* kept */
  awio_arguments *arguments;
  awio_outcome outcome;
  struct awio_call **made; /* of the caller: borrows the job until `arm` */

  /* Guarded by the pool's lock. */
  awio_call_state state;
  bool unwanted;     /* the call was cancelled while the job was running */
  awio_seat *seat;   /* while it is running */
  aw_ticket *ticket; /* of the wait of the call; NULL: nobody waits */
  struct awio_call *next, **place; /* in the queue */
} awio_call;

struct awio_seat {
  awio_jobs *pool; /* kept */
  awio_thread *thread;
  /* Guarded by the pool's lock. */
  awio_call *job;      /* that is running, or NULL */
  aw_ticket *taking;   /* of the wait for a job, while the seat is idle */
  aw_ticket *minding;  /* of the wait for a cancel of the job, or NULL */
  bool begun;          /* the job has a task, which can be cancelled */
  bool told;           /* that task is being cancelled: it is unwanted */
  bool has_taken;      /* at least one job */
  awio_outcome ending; /* of the job; for the worker's thread only */
  awio_seat *next_idle, **idle_place; /* place NULL: it is not idle */
  awio_seat *next, **place;           /* among the seats of the pool */
};

/* A task that waits until a pool has no workers left. */
typedef struct awio_jobs_leaving {
  aw_ticket *ticket;
  struct awio_jobs_leaving *next, **place;
} awio_jobs_leaving;

struct awio_jobs {
  atomic_uint refs;
  awio_message *function;         /* what the workers call; NULL at first */
  awio_thread_settings *settings; /* of their states */
  unsigned most;                  /* workers */
  unsigned forks;                 /* aw_forks() when it was made */
  lua_CFunction main;             /* of the workers; its argument is the seat */
  char name[LUA_IDSIZE + 32];     /* for people */

  pthread_mutex_t lock;
  aw_ticket *used; /* to be completed when the lock is free, or NULL */
  awio_call *queue, **end;
  awio_seat *seats, *idle;
  unsigned workers;
  bool closed;
  awio_jobs_leaving *leaving;
  pthread_cond_t empty; /* there are no workers any more */
  awio_thread *ended;   /* the last one that ended; it must be joined */

  awio_jobs *next_left; /* in a crew (crew.h), which guards it */

  /* Used by the Pool, in the thread of its state. */
  awio_call *made; /* by a call whose wait did not begin, or NULL */
  aw_lua_held held;
};

/* Free what `outcome` refers to. */
void awio_outcome_clear(awio_outcome *outcome);

/* ---- pools ---- */

/* Make a pool without workers and without a function.
 *
 *   main      what the workers run, as in awio_thread_plan
 *   settings  takes, also on failure
 *
 * Gives, or NULL: out of memory. */
awio_jobs *awio_jobs_new(unsigned most, lua_CFunction main,
                         awio_thread_settings *settings);
awio_jobs *awio_jobs_keep(awio_jobs *pool);
void awio_jobs_release(awio_jobs *pool); /* any thread */

/* Close a pool: jobs in the queue end, running ones are cancelled with their
 * workers. Closing again does nothing. Call from: any thread. */
void awio_jobs_close(awio_jobs *pool);
bool awio_jobs_is_closed(awio_jobs *pool);

/* ---- calls: on the thread of the caller's engine ---- */

/* Takes `message`, also on failure. Gives, or NULL: no memory. */
awio_arguments *awio_arguments_new(awio_message *message);
awio_arguments *awio_arguments_keep(awio_arguments *arguments);
void awio_arguments_release(awio_arguments *arguments); /* NULL is fine */

/* Make a job. Takes `arguments`, also on failure. Gives, or NULL: no memory. */
awio_call *awio_call_new(awio_jobs *pool, awio_arguments *arguments);
void awio_call_release(awio_call *job); /* takes; NULL is fine; any thread */

/* Queue a job, for a wait that is being armed. Returns 0, AW_ECLOSED,
 * AW_EFORKED, AW_ENOMEM, or the code with which no worker could be made. */
int awio_call_submit(awio_call *job, aw_task *task);

/* The call does not want the job any more. Returns true if the job was in the
 * queue; it is withdrawn. Returns false if the job is running, and is cancelled
 * now, or if it is over. Its wait goes on. */
bool awio_call_stop(awio_call *job);

/* The wait of the call has ended, or is being killed: nobody waits. Takes. */
void awio_call_forget(awio_call *job);

/* ---- workers: on the thread of a seat ---- */

/* Take the next job. Returns 1 if there is one, which is `seat->job` now, or if
 * the pool is closed (NULL); 0 if there is none: the task waits, and the seat
 * is idle; AW_ENOMEM. */
int awio_seat_take(awio_seat *seat, aw_task *task);
/* The task does not wait for a job any more. */
void awio_seat_leave(awio_seat *seat);

/* The job under way has a task from now on. */
void awio_seat_begin_job(awio_seat *seat);

/* Return 1 if the task of the job under way must be cancelled; else 0, and the
 * task waits for that; AW_ENOMEM. */
int awio_seat_mind(awio_seat *seat, aw_task *task);
void awio_seat_mind_no_more(awio_seat *seat);

/* Must the task of the job under way be cancelled? Returns true once for each
 * job: the caller cancels it in the same step. Until then a busy job is
 * interrupted; after that, clean-up is not. */
bool awio_seat_must_cancel(awio_seat *seat);

/* Has the call of the job under way been cancelled, or the pool closed? */
bool awio_seat_is_unwanted(awio_seat *seat);

/* The job under way has ended so. Takes what `outcome` refers to. */
void awio_seat_end_job(awio_seat *seat, const awio_outcome *outcome);

/* ---- leaving ----
 *
 * Each worker that ends joins the one that ended before it. So at most one
 * thread is left to be joined when the pool has no workers. */

/* Return 1 if the pool has no workers; else 0, and the task waits for that;
 * AW_ENOMEM. */
int awio_jobs_leave(awio_jobs *pool, awio_jobs_leaving *own, aw_task *task);
void awio_jobs_stay(awio_jobs *pool, awio_jobs_leaving *own);

/* Block until a closed pool has no workers, for at most `most_ms`, and join the
 * last one. Returns false if it has some. */
bool awio_jobs_await_end(awio_jobs *pool, uint64_t most_ms);
/* The workers of a closed pool have had their time for clean-up. */
void awio_jobs_press(awio_jobs *pool);
/* Wait for the workers no more. Returns how many are left behind. */
unsigned awio_jobs_abandon(awio_jobs *pool);

#endif
