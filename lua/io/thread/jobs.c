/* jobs.c - the jobs of a pool; see jobs.h
 *
 * A ticket is taken out with the lock held, so that its wait cannot be told
 * twice, and completed when the lock is free: the engine that it wakes takes
 * the lock first of all.
 *
 * A thread is made with the lock held, too: the worker that it begins with
 * finds the pool as it was left.
 *
 * More than 500 lines: all of it runs under one lock.
 */
#include "thread/jobs.h"

#include "base/system.h"
#include "thread/line.h"

#include <stdio.h>
#include <string.h>

/* Does it belong to the parent of this process? */
static bool is_lost_pool(const awio_jobs *pool) {
  return pool->forks != aw_forks();
}

/* ---- references ---- */

void awio_outcome_clear(awio_outcome *outcome) {
  awio_message_free(outcome->message);
  awio_thread_release(outcome->thread);
  aw_free(outcome->text);
}

void awio_call_release(awio_call *job) {
  if (!job || atomic_fetch_sub(&job->refs, 1) > 1)
    return;
  awio_arguments_release(job->arguments);
  awio_outcome_clear(&job->outcome);
  awio_jobs_release(job->pool);
  aw_free(job);
}

awio_jobs *awio_jobs_keep(awio_jobs *pool) {
  atomic_fetch_add(&pool->refs, 1);
  return pool;
}

void awio_jobs_release(awio_jobs *pool) {
  if (atomic_fetch_sub(&pool->refs, 1) > 1)
    return;
  if (pool->ended) {
    awio_thread_leave(pool->ended);
    awio_thread_release(pool->ended);
  }
  if (!is_lost_pool(pool)) {
    pthread_cond_destroy(&pool->empty);
    pthread_mutex_destroy(&pool->lock);
  }
  awio_message_free(pool->function);
  awio_settings_release(pool->settings);
  aw_free(pool);
}

/* ---- the queue ---- */

static void queue_job(awio_jobs *pool, awio_call *job) {
  atomic_fetch_add(&job->refs, 1);
  job->state = AWIO_CALL_QUEUED;
  job->next = NULL;
  job->place = pool->end;
  *pool->end = job;
  pool->end = &job->next;
}

/* Take a job out of the queue, with the queue's reference. */
static awio_call *unqueue_job(awio_jobs *pool, awio_call *job) {
  *job->place = job->next;
  if (job->next)
    job->next->place = job->place;
  else
    pool->end = job->place;
  job->place = NULL;
  return job;
}

/* ---- telling ---- */

static void complete_ticket(aw_ticket *ticket) {
  if (ticket)
    aw_ticket_complete(ticket, AW_READY, 0);
}

/* The last ticket waits until the lock is free. */
static void use_ticket(awio_jobs *pool, aw_ticket **place) {
  aw_ticket *before = pool->used;
  if (!*place)
    return;
  pool->used = *place;
  *place = NULL;
  complete_ticket(before);
}

static void lock_jobs(awio_jobs *pool) {
  pthread_mutex_lock(&pool->lock);
}

static void unlock_jobs(awio_jobs *pool) {
  aw_ticket *ticket = pool->used;
  pool->used = NULL;
  pthread_mutex_unlock(&pool->lock);
  complete_ticket(ticket);
}

/* The job is over. Takes what `outcome` refers to, and the reference of the
 * queue or of the seat. The caller must not hold the last reference to the
 * pool. */
static void end_call(awio_call *job, const awio_outcome *outcome) {
  job->outcome = *outcome;
  job->state = AWIO_CALL_OVER;
  job->seat = NULL;
  use_ticket(job->pool, &job->ticket);
  awio_call_release(job);
}

static void end_queue(awio_jobs *pool, const awio_outcome *outcome) {
  while (pool->queue)
    end_call(unqueue_job(pool, pool->queue), outcome);
}

static void tell_leaving(awio_jobs *pool) {
  for (awio_jobs_leaving *one = pool->leaving; one; one = one->next)
    use_ticket(pool, &one->ticket);
}

/* ---- seats ---- */

static void link_seat(awio_seat **list, awio_seat *seat) {
  seat->next = *list;
  seat->place = list;
  if (seat->next)
    seat->next->place = &seat->next;
  *list = seat;
}

static void unlink_seat(awio_seat *seat) {
  *seat->place = seat->next;
  if (seat->next)
    seat->next->place = seat->place;
}

static void make_idle(awio_jobs *pool, awio_seat *seat) {
  seat->next_idle = pool->idle;
  seat->idle_place = &pool->idle;
  if (pool->idle)
    pool->idle->idle_place = &seat->next_idle;
  pool->idle = seat;
}

static void make_busy(awio_seat *seat) {
  if (!seat->idle_place)
    return;
  *seat->idle_place = seat->next_idle;
  if (seat->next_idle)
    seat->next_idle->idle_place = seat->idle_place;
  seat->idle_place = NULL;
}

static void seat_ended(awio_thread *thread, void *data);

/* Make a worker. Returns 0 or a code. */
static int hire_worker(awio_jobs *pool) {
  awio_seat *seat = aw_allocate(sizeof *seat);
  if (!seat)
    return AW_ENOMEM;
  awio_thread_plan plan = {.main = pool->main,
                           .data = seat,
                           .ended = seat_ended,
                           .name = "pool",
                           .no_results = true};
  seat->pool = pool;
  int rc = awio_thread_start(pool->settings, &plan, &seat->thread);
  if (rc < 0) {
    aw_free(seat);
    return rc;
  }
  awio_jobs_keep(pool);
  link_seat(&pool->seats, seat);
  pool->workers++;
  return 0;
}

/* There is a job in the queue: tell an idle worker, or make one. Returns a
 * negative code if nobody will take the job. */
static int staff_jobs(awio_jobs *pool) {
  awio_seat *seat = pool->idle;
  if (seat) {
    make_busy(seat);
    use_ticket(pool, &seat->taking);
    return 0;
  }
  int rc = pool->workers < pool->most ? hire_worker(pool) : 0;
  return pool->workers > 0 ? 0 : rc;
}

/* ---- the end of a worker ---- */

static char *copy_reason(const char *text) {
  size_t size = strlen(text) + 1;
  char *copy = aw_allocate(size);
  return copy ? memcpy(copy, text, size) : NULL;
}

/* How a worker has ended, as the outcome of its job. */
static awio_outcome crash_of(const awio_jobs *pool, awio_thread *thread) {
  const awio_thread_end *end = awio_thread_end_of(thread);
  if (pool->closed)
    return (awio_outcome){.end = AWIO_CALL_CLOSED};
  awio_outcome crash = {.end = AWIO_CALL_CRASHED};
  char text[sizeof "os.exit()" + 3 * sizeof(int)];
  switch (end->fate) {
  case AWIO_THREAD_EXITED:
    snprintf(text, sizeof text, "os.exit(%d)", end->code);
    crash.text = copy_reason(text);
    break;
  case AWIO_THREAD_STARVED:
    crash.text = copy_reason("not enough memory");
    break;
  case AWIO_THREAD_FAILED: crash.thread = awio_thread_keep(thread); break;
  default: crash.text = copy_reason("its loop was stopped"); break;
  }
  return crash;
}

/* Give the error of a worker that has failed to the job under way, or, if it
 * never took one, to the next job: so a worker that cannot begin is not made
 * again for ever. */
static void blame(awio_jobs *pool, awio_seat *seat, awio_thread *thread) {
  awio_call *job = seat->job;
  if (!job && !seat->has_taken && !pool->closed && pool->queue)
    job = unqueue_job(pool, pool->queue);
  if (!job)
    return;
  awio_outcome crash = crash_of(pool, thread);
  end_call(job, &crash);
}

static void close_seat(awio_seat *seat) {
  awio_jobs *pool = seat->pool;
  make_busy(seat);
  aw_ticket_release(seat->taking);
  aw_ticket_release(seat->minding);
  unlink_seat(seat);
  pool->workers--;
}

/* Make workers for the jobs that the ended one has left in the queue. */
static void replace_worker(awio_jobs *pool) {
  int rc = pool->queue && !pool->closed ? staff_jobs(pool) : 0;
  if (rc < 0)
    end_queue(pool, &(awio_outcome){.end = AWIO_CALL_UNSTAFFED, .code = rc});
}

static void join_ended(awio_thread *thread) {
  if (!thread)
    return;
  awio_thread_join(thread);
  awio_thread_release(thread);
}

static void seat_ended(awio_thread *thread, void *data) {
  awio_seat *seat = data;
  awio_jobs *pool = seat->pool;
  lock_jobs(pool);
  close_seat(seat);
  blame(pool, seat, thread);
  replace_worker(pool);
  awio_thread *before = pool->ended;
  pool->ended = thread;
  if (pool->workers == 0) {
    tell_leaving(pool);
    pthread_cond_broadcast(&pool->empty);
  }
  unlock_jobs(pool);
  join_ended(before);
  awio_outcome_clear(&seat->ending);
  aw_free(seat);
  awio_jobs_release(pool);
}

/* ---- pools ---- */

awio_jobs *awio_jobs_new(unsigned most, lua_CFunction main,
                         awio_thread_settings *settings) {
  awio_jobs *pool = aw_allocate(sizeof *pool);
  if (!pool) {
    awio_settings_release(settings);
    return NULL;
  }
  atomic_init(&pool->refs, 1);
  pthread_mutex_init(&pool->lock, NULL);
  awio_make_condition(&pool->empty);
  pool->forks = aw_forks();
  pool->most = most;
  pool->main = main;
  pool->settings = settings;
  pool->end = &pool->queue;
  return pool;
}

void awio_jobs_close(awio_jobs *pool) {
  if (is_lost_pool(pool))
    return;
  lock_jobs(pool);
  if (!pool->closed) {
    pool->closed = true;
    end_queue(pool, &(awio_outcome){.end = AWIO_CALL_CLOSED});
    for (awio_seat *seat = pool->seats; seat; seat = seat->next)
      awio_thread_cancel(seat->thread);
  }
  unlock_jobs(pool);
}

bool awio_jobs_is_closed(awio_jobs *pool) {
  if (is_lost_pool(pool))
    return false;
  lock_jobs(pool);
  bool closed = pool->closed;
  unlock_jobs(pool);
  return closed;
}

/* ---- calls ---- */

awio_arguments *awio_arguments_new(awio_message *message) {
  awio_arguments *arguments = aw_allocate(sizeof *arguments);
  if (!arguments) {
    awio_message_free(message);
    return NULL;
  }
  atomic_init(&arguments->refs, 1);
  arguments->message = message;
  return arguments;
}

awio_arguments *awio_arguments_keep(awio_arguments *arguments) {
  atomic_fetch_add(&arguments->refs, 1);
  return arguments;
}

void awio_arguments_release(awio_arguments *arguments) {
  if (!arguments || atomic_fetch_sub(&arguments->refs, 1) > 1)
    return;
  awio_message_free(arguments->message);
  aw_free(arguments);
}

awio_call *awio_call_new(awio_jobs *pool, awio_arguments *arguments) {
  awio_call *job = aw_allocate(sizeof *job);
  if (!job) {
    awio_arguments_release(arguments);
    return NULL;
  }
  atomic_init(&job->refs, 1);
  job->pool = awio_jobs_keep(pool);
  job->arguments = arguments;
  return job;
}

static int submit(awio_jobs *pool, awio_call *job, aw_ticket *ticket) {
  if (pool->closed)
    return AW_ECLOSED;
  queue_job(pool, job);
  int rc = staff_jobs(pool);
  if (rc == 0) {
    job->ticket = ticket;
    return 0;
  }
  job->state = AWIO_CALL_NEW;
  awio_call_release(unqueue_job(pool, job));
  return rc;
}

int awio_call_submit(awio_call *job, aw_task *task) {
  if (is_lost_pool(job->pool))
    return AW_EFORKED;
  aw_ticket *ticket = aw_ticket_new(task);
  if (!ticket)
    return AW_ENOMEM;
  lock_jobs(job->pool);
  int rc = submit(job->pool, job, ticket);
  unlock_jobs(job->pool);
  if (rc < 0)
    aw_ticket_release(ticket);
  return rc;
}

/* Let the worker cancel its job. A further cancel interrupts a busy job
 * again. */
static void cancel_running(awio_call *job) {
  if (!job->unwanted)
    use_ticket(job->pool, &job->seat->minding);
  job->unwanted = true;
  awio_thread_interrupt(job->seat->thread);
}

static bool stop(awio_jobs *pool, awio_call *job) {
  bool queued = job->state == AWIO_CALL_QUEUED;
  if (queued) {
    job->state = AWIO_CALL_NEW;
    awio_call_release(unqueue_job(pool, job));
  } else if (job->state == AWIO_CALL_RUNNING) {
    cancel_running(job);
  }
  return queued;
}

bool awio_call_stop(awio_call *job) {
  if (is_lost_pool(job->pool))
    return true; /* nobody completes it any more */
  lock_jobs(job->pool);
  bool queued = stop(job->pool, job);
  unlock_jobs(job->pool);
  return queued;
}

void awio_call_forget(awio_call *job) {
  if (is_lost_pool(job->pool)) {
    awio_call_release(job);
    return;
  }
  lock_jobs(job->pool);
  stop(job->pool, job);
  aw_ticket *ticket = job->ticket;
  job->ticket = NULL;
  unlock_jobs(job->pool);
  aw_ticket_release(ticket);
  awio_call_release(job);
}

/* ---- workers ---- */

static int take_first(awio_jobs *pool, awio_seat *seat) {
  awio_call *job = pool->queue;
  if (!job)
    return pool->closed;
  unqueue_job(pool, job);
  job->state = AWIO_CALL_RUNNING;
  job->seat = seat;
  seat->job = job;
  seat->has_taken = true;
  seat->begun = seat->told = false;
  return 1;
}

int awio_seat_take(awio_seat *seat, aw_task *task) {
  awio_jobs *pool = seat->pool;
  lock_jobs(pool);
  int rc = take_first(pool, seat);
  if (rc == 0) {
    seat->taking = aw_ticket_new(task);
    rc = seat->taking ? 0 : AW_ENOMEM;
    if (rc == 0)
      make_idle(pool, seat);
  }
  unlock_jobs(pool);
  return rc;
}

void awio_seat_leave(awio_seat *seat) {
  awio_jobs *pool = seat->pool;
  lock_jobs(pool);
  bool was_told = !seat->taking;
  aw_ticket_release(seat->taking);
  seat->taking = NULL;
  make_busy(seat);
  if (was_told && pool->queue && pool->idle)
    staff_jobs(pool);
  unlock_jobs(pool);
}

void awio_seat_begin_job(awio_seat *seat) {
  lock_jobs(seat->pool);
  seat->begun = true;
  unlock_jobs(seat->pool);
}

static bool must_cancel(const awio_seat *seat) {
  return seat->job && seat->job->unwanted && seat->begun && !seat->told;
}

int awio_seat_mind(awio_seat *seat, aw_task *task) {
  lock_jobs(seat->pool);
  int rc = must_cancel(seat);
  if (!rc && !seat->minding && !(seat->minding = aw_ticket_new(task)))
    rc = AW_ENOMEM;
  unlock_jobs(seat->pool);
  return rc;
}

/* Other steps may come between the end of the wait in awio_seat_mind() and this
 * call: the job may be busy in one of them, or end. */
bool awio_seat_must_cancel(awio_seat *seat) {
  lock_jobs(seat->pool);
  bool must = must_cancel(seat);
  if (must) {
    seat->told = true;
    awio_thread_calm(seat->thread);
  }
  unlock_jobs(seat->pool);
  return must;
}

void awio_seat_mind_no_more(awio_seat *seat) {
  lock_jobs(seat->pool);
  aw_ticket_release(seat->minding);
  seat->minding = NULL;
  unlock_jobs(seat->pool);
}

bool awio_seat_is_unwanted(awio_seat *seat) {
  lock_jobs(seat->pool);
  bool unwanted = seat->pool->closed || seat->job->unwanted;
  unlock_jobs(seat->pool);
  return unwanted;
}

void awio_seat_end_job(awio_seat *seat, const awio_outcome *outcome) {
  lock_jobs(seat->pool);
  awio_call *job = seat->job;
  awio_outcome ending = *outcome;
  if (ending.end == AWIO_CALL_CANCELLED && seat->pool->closed)
    ending.end = AWIO_CALL_CLOSED;
  else if (ending.end == AWIO_CALL_CANCELLED && !job->unwanted)
    ending.end = AWIO_CALL_STRAY;
  if (job->unwanted)
    awio_thread_calm(seat->thread); /* the interrupt is not for the next job */
  seat->job = NULL;
  end_call(job, &ending);
  unlock_jobs(seat->pool);
}

/* ---- leaving ---- */

int awio_jobs_leave(awio_jobs *pool, awio_jobs_leaving *own, aw_task *task) {
  if (is_lost_pool(pool))
    return 1;
  lock_jobs(pool);
  int rc = pool->workers == 0;
  if (!rc && !own->ticket && !(own->ticket = aw_ticket_new(task)))
    rc = AW_ENOMEM;
  if (!rc && !own->place) {
    own->next = pool->leaving;
    own->place = &pool->leaving;
    if (own->next)
      own->next->place = &own->next;
    pool->leaving = own;
  }
  unlock_jobs(pool);
  return rc;
}

void awio_jobs_stay(awio_jobs *pool, awio_jobs_leaving *own) {
  if (is_lost_pool(pool))
    return;
  lock_jobs(pool);
  if (own->place) {
    *own->place = own->next;
    if (own->next)
      own->next->place = own->place;
  }
  own->place = NULL;
  aw_ticket_release(own->ticket);
  own->ticket = NULL;
  unlock_jobs(pool);
}

/* Take the last worker that has ended. Call it with the lock. */
static awio_thread *take_ended(awio_jobs *pool) {
  awio_thread *last = pool->ended;
  pool->ended = NULL;
  return last;
}

bool awio_jobs_await_end(awio_jobs *pool, uint64_t most_ms) {
  if (is_lost_pool(pool))
    return true;
  struct timespec at = awio_time_in(most_ms);
  lock_jobs(pool);
  int rc = 0;
  while (pool->workers > 0 && rc == 0)
    rc = pthread_cond_timedwait(&pool->empty, &pool->lock, &at);
  bool over = pool->workers == 0;
  awio_thread *last = over ? take_ended(pool) : NULL;
  unlock_jobs(pool);
  join_ended(last);
  return over;
}

void awio_jobs_press(awio_jobs *pool) {
  if (is_lost_pool(pool))
    return;
  lock_jobs(pool);
  for (awio_seat *seat = pool->seats; seat; seat = seat->next)
    awio_thread_press(seat->thread);
  unlock_jobs(pool);
}

unsigned awio_jobs_abandon(awio_jobs *pool) {
  if (is_lost_pool(pool))
    return 0;
  lock_jobs(pool);
  unsigned left = pool->workers;
  for (awio_seat *seat = pool->seats; seat; seat = seat->next)
    awio_thread_leave(seat->thread);
  awio_thread *last = take_ended(pool);
  unlock_jobs(pool);
  join_ended(last);
  return left;
}
