/* work.h - functions that block, run by threads of our own
 *
 *     engine ─► awio_work ─► queue ─► a thread: run() ─► ticket or inbox
 *
 * libuv runs all blocking work of a process on four threads. Four names whose
 * servers do not answer would hold up all work on files. And libuv aborts the
 * process when it cannot make a thread. Here names and files have a pool each.
 * Pools belong to the process: all engines on all threads share them. A pool
 * makes a thread when there is work and no thread is idle, and ends those that
 * have been idle for some seconds.
 *
 * Admission: a limited number of works that somebody still wants run at the
 * same time; others wait, first in, first out. Nothing can interrupt a system
 * call. So a work that is forgotten while it runs goes on, but does not count
 * any more, as long as the pool may have further threads.
 *
 * A work lies in memory of malloc(3), since a thread may free it after its
 * engine has ended. The engine and the pool hold a reference each.
 *
 * In a forked child the pools begin anew. The works of the parent are lost
 * there: they never end, but can be stopped and forgotten.
 */
#ifndef AWIO_WORK_H
#define AWIO_WORK_H

#include <aiowire.h>

#include <stdatomic.h>
#include <stdbool.h>
#include <uv.h>

typedef struct awio_work awio_work;
typedef struct awio_pool awio_pool;

extern awio_pool awio_names; /* look-ups of names: 16 at a time, 64 threads */
extern awio_pool awio_files; /* operations on files: 16 at a time, too */

/* Where works arrive that end no wait of a task. Zero it, but for `came`. */
typedef struct awio_inbox {
  uv_async_t *came; /* called when a work is over */
  awio_work *over;  /* those that are over; guarded by the pool's lock */
} awio_inbox;

typedef enum awio_work_state {
  AWIO_WORK_OVER, /* or not begun */
  AWIO_WORK_QUEUED,
  AWIO_WORK_RUNNING,
  AWIO_WORK_LOST /* the parent of this process has it */
} awio_work_state;

/* Make this the first member of a struct of your own, in memory of malloc(3),
 * and initialise it by awio_work_init(). */
struct awio_work {
  /* Do it, and set `result` to 0 or a negative code. Runs on a thread of the
   * pool: no Lua, no engine. */
  void (*run)(awio_work *work);
  /* Free it: nobody refers to it any more. Runs on any thread. */
  void (*release)(awio_work *work);
  int result;
  /* Nobody wants the result, so `run` should stop soon, if it can leave things
   * as they were before. */
  atomic_bool unwanted;

  /* Private. All but `refs` is guarded by the pool's lock. */
  atomic_uint refs;
  awio_work_state state;
  bool counts; /* begun, and neither delivered nor forgotten */
  awio_pool *pool;
  aw_ticket *ticket; /* of the wait that it ends; or */
  awio_inbox *inbox; /* where it arrives */
  /* In the queue, in the list of those that run, or in an inbox. */
  awio_work *next, **place;
};

/* With one reference, the caller's. */
void awio_work_init(awio_work *work, void (*run)(awio_work *work),
                    void (*release)(awio_work *work));

/* Begin a work whose end completes the wait of `task` with its result: for
 * `arm` of an operation, which must be `external`.
 *
 * Returns 0; UV_EAGAIN if there is no thread for it; AW_ENOMEM; or a code of
 * aw_engine_uv(). */
int awio_work_begin(awio_pool *pool, awio_work *work, aw_task *task);

/* Begin a work that arrives in an inbox. The engine must have joined the pool.
 *
 *   inbox  borrowed until the work has arrived or is forgotten; NULL: nobody
 *          is told
 *
 * Returns 0, or UV_EAGAIN if there is no thread for it. */
int awio_work_send(awio_pool *pool, awio_work *work, awio_inbox *inbox);

/* Take the next work out of an inbox, with the reference of who began it; NULL:
 * there is none. */
awio_work *awio_inbox_next(awio_pool *pool, awio_inbox *inbox);

/* Nobody wants the work any more: take it out of the queue, or let it run on as
 * unwanted. Does nothing for one that is over or was never begun. */
void awio_work_forget(awio_work *work);

/* Ask a work to stop. Returns true if it was still in the queue, or is lost: it
 * ends no wait. Returns false if it is under way, and unwanted from now on,
 * or over: it ends its wait as before. */
bool awio_work_stop(awio_work *work);

awio_work *awio_work_keep(awio_work *work);
void awio_work_release(awio_work *work); /* takes */

/* Count the engines that may have works. awio_work_begin() does it by itself.
 * When the last one leaves, all threads but those inside a work end before this
 * returns, unless an engine joins meanwhile. */
void awio_pool_join(awio_pool *pool);
void awio_pool_leave(awio_pool *pool);
/* Let an engine join, unless it has done so, and leave when it ends. Returns 0
 * or AW_ENOMEM. */
int awio_pool_ensure(awio_pool *pool, aw_engine *engine);

#endif
