/* thread.h - workers: threads with a Lua state and an engine of their own
 *
 *     awio_thread_start() ─► a thread: make a state ─► run `main` in a loop
 *                                                        │
 *     awio_thread_cancel() ──► stop that loop, and       │
 *                              interrupt a busy body     ▼
 *     who waits ◄── told ◄── `ended` ◄── close the state, keep the end
 *
 *     RUNS ──► one of the ends of awio_thread_fate; then the thread is joined
 *
 * A worker shares no Lua value with anybody: what goes in and out is copied
 * (message.h). Its struct is memory of C and counted. The thread has a
 * reference of its own until it has ended.
 *
 * Cancel. The loop of the worker is stopped on the worker's own thread, by the
 * async of its engine, so its tasks clean up within their grace. A body that
 * does not come back to the loop is interrupted, as by Ctrl-C. Code in C is
 * waited for: nothing ends a thread in the middle of it.
 *
 * Forks. In a forked process no worker of the parent exists: each is over there
 * with AWIO_THREAD_LOST, and no lock of it is touched.
 *
 * Neighbours: settings.h says how states of workers are made; line.h has tasks
 * that wait for other threads; pair.h has the channels; thread_object.c is
 * aw.thread.
 */
#ifndef AWIO_THREAD_H
#define AWIO_THREAD_H

#include "thread/message.h"
#include "thread/settings.h"

#include <aiowire_lua.h>

#include <stdbool.h>
#include <stdint.h>

typedef struct awio_thread awio_thread;

typedef enum awio_thread_fate {
  AWIO_THREAD_RUNS,
  AWIO_THREAD_DONE,      /* with `message`: the results */
  AWIO_THREAD_FAILED,    /* with `message`: the error value */
  AWIO_THREAD_EXITED,    /* by os.exit(code) */
  AWIO_THREAD_CANCELLED, /* by awio_thread_cancel() */
  AWIO_THREAD_STARVED,   /* no memory for its state or its error */
  AWIO_THREAD_LOST       /* it belongs to the parent of this process */
} awio_thread_fate;

/* How a worker has ended. */
typedef struct awio_thread_end {
  awio_thread_fate fate;
  int code;              /* EXITED: the status given to os.exit */
  awio_message *message; /* or NULL; owned by the worker's struct */
  char *traceback;       /* FAILED: or NULL; owned */
} awio_thread_end;

/* What a worker runs. Copied by awio_thread_start(). */
typedef struct awio_thread_plan {
  /* The body of the root task in the new state, with `data` as its one
   * argument, a light userdata. It may await. It has no upvalues. Its results
   * are those of the worker. */
  lua_CFunction main;
  void *data;
  /* Called once, on the worker's thread, when the state has been closed. The
   * end is read by awio_thread_end_of(). It is the last that the thread does
   * but for telling those that wait. NULL: nobody is told. */
  void (*ended)(awio_thread *thread, void *data);
  const char *name; /* for people; copied, and cut */
  /* Keep no results, and no `message` of them. */
  bool no_results;
} awio_thread_plan;

/* Start a worker.
 *
 *   settings  kept
 *   out       gives; written before `main` runs
 *
 * Returns 0; UV_EAGAIN if the system has no more threads; or AW_ENOMEM. After a
 * failure `ended` is not called. Call from: any thread.
 */
int awio_thread_start(awio_thread_settings *settings,
                      const awio_thread_plan *plan, awio_thread **out);

awio_thread *awio_thread_keep(awio_thread *thread);
/* Takes; NULL is fine. A worker that runs goes on: cancel it first. */
void awio_thread_release(awio_thread *thread);

/* Stop the worker's loop, with clean-up, and interrupt a body that is busy. May
 * be called again: then a busy body is interrupted again. Does nothing if the
 * worker has ended. Call from: any thread, no signal handler. */
void awio_thread_cancel(awio_thread *thread);
/* Interrupt a busy body of the worker, without stopping its loop. Call from:
 * any thread. */
void awio_thread_interrupt(awio_thread *thread);
/* Cancel the worker, whose clean-up has had its time: its grace ends now, and a
 * busy body is interrupted again. Call from: as awio_thread_cancel(). */
void awio_thread_press(awio_thread *thread);
/* Take interrupts back: the worker has learned their reason. Call from: the
 * worker's thread. */
void awio_thread_calm(awio_thread *thread);

/* Return the fate so far; anything but RUNS is final. Call from: any thread. */
awio_thread_fate awio_thread_fate_of(awio_thread *thread);
/* Return how the worker has ended: valid in `ended`, and once the fate is not
 * RUNS; borrowed. */
const awio_thread_end *awio_thread_end_of(awio_thread *thread);
const char *awio_thread_name(const awio_thread *thread);
unsigned awio_thread_number(const awio_thread *thread);

/* Block until the worker has ended, for at most `most_ms`. Returns false if it
 * has not. */
bool awio_thread_await_end(awio_thread *thread, uint64_t most_ms);
/* Join the thread of a worker that has ended or is about to, as in `ended`;
 * blocks until then. Later calls do nothing. Call from: any other thread. */
void awio_thread_join(awio_thread *thread);
/* Do not join the thread: it runs on, and frees itself. */
void awio_thread_leave(awio_thread *thread);

/* The operation that waits for the end of a worker, which is its data, in any
 * number of tasks of any engine. To cancel it only stops waiting. */
extern const aw_operation awio_wait_thread;

/* Raise what a worker ended with, other than results, from the await that
 * waits for it: the copy of its error, with its traceback in the info; for
 * CANCELLED a TaskCancelled, whose maker `inner.task_cancelled` is upvalue
 * `maker`. */
int awio_thread_raise(lua_State *L, awio_thread *thread, int maker);

/* For the worker itself: the one that runs in the state of L, or NULL. */
awio_thread *awio_thread_here(lua_State *L);

/* The workers that run, in the whole process. */
size_t awio_thread_count(void);

/* For awio_open_thread(). */
void awio_open_thread_life(lua_State *L);

#endif
