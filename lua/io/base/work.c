/* work.c - pools of threads for functions that block; see work.h
 *
 *   queued ─► running ─► over      in the inbox of its owner until it is taken,
 *      └─────────┴─► forgotten     or its ticket completes a wait
 *
 * Threads wait at `work`. A thread that ends joins the one that ended before
 * it, so that at most one ended thread of a pool is left to be joined.
 *
 * More threads than cores help only if they block. Most works on files do not,
 * since the kernel has the file in memory, and then each further thread costs
 * time. So a work gets a thread at once while fewer than `eager` works run.
 * After that an idle thread becomes the *watchman*: it looks again after a
 * millisecond, and takes one more work if none has begun meanwhile.
 *
 * Invariant: while the queue is not empty, a thread is about to take a work, or
 * there is a watchman, or as many works run as may run (`most_wanted`).
 *
 * The pools are global variables, since the threads belong to the process.
 * `lock` guards everything in one. A thread sends to the async of an inbox with
 * the lock held, so the owner can take its works back and then close the async.
 * A ticket needs no lock: it outlives its engine.
 *
 * An engine joins a pool with its first awio_work_begin(); an aw_closer leaves
 * the pools again.
 *
 * More than 500 lines: struct awio_pool is known only here.
 */
#include "base/work.h"

#include "base/system.h"

#include <errno.h>
#include <pthread.h>
#include <stddef.h>
#include <time.h>
#include <unistd.h>

enum {
  IDLE_SECONDS = 5,
  /* glibc's resolver, and modules of nsswitch.conf such as sssd's, need some
   * 100 KiB; a glob through 2,000 folders in each other needs as much, and with
   * ASan 2 MiB. Only what a thread has touched costs memory. */
  STACK = 4 * 1024 * 1024
};

typedef enum watch {
  UNWATCHED,
  WATCH_ASKED, /* an idle thread was woken to watch */
  WATCHED
} watch;

struct awio_pool {
  const size_t most_eager, most_wanted, most_threads;
  pthread_mutex_t lock;
  size_t eager;         /* at most as many as there are cores, but 2 */
  pthread_cond_t work;  /* an idle thread may have something to do */
  size_t signals;       /* of `work`, to be sent when the lock is free */
  pthread_cond_t quiet; /* a thread has ended, or has told what it had to */
  awio_work *queue, **end;
  awio_work *running;
  size_t queued, wanted; /* in the queue; running and not forgotten */
  size_t threads, idle;  /* `idle` counts threads that are about to begin */
  size_t busy;           /* threads inside a work */
  size_t telling;        /* threads that complete a ticket */
  size_t begun;          /* works, ever */
  size_t users;          /* engines */
  watch watch;
  bool has_ended;
  pthread_t ended; /* not joined yet */
};

awio_pool awio_names = {16, 16, 64, .lock = PTHREAD_MUTEX_INITIALIZER};
awio_pool awio_files = {4, 16, 64, .lock = PTHREAD_MUTEX_INITIALIZER};

enum { POOLS = 2 };
static awio_pool *const pools[POOLS] = {&awio_names, &awio_files};

static pthread_once_t once = PTHREAD_ONCE_INIT;

/* ---- lists ---- */

static void enqueue(awio_pool *pool, awio_work *w) {
  w->next = NULL;
  w->place = pool->end;
  *pool->end = w;
  pool->end = &w->next;
  pool->queued++;
}

static void link_work(awio_work **list, awio_work *w) {
  w->next = *list;
  w->place = list;
  if (w->next)
    w->next->place = &w->next;
  *list = w;
}

static void unlink_work(awio_work *w) {
  *w->place = w->next;
  if (w->next)
    w->next->place = w->place;
  else if (w->pool->end == &w->next)
    w->pool->end = w->place;
  w->place = NULL;
}

static void unqueue(awio_work *w) {
  unlink_work(w);
  w->pool->queued--;
}

/* ---- the lock ---- */

static void lock_pool(awio_pool *pool) {
  pthread_mutex_lock(&pool->lock);
}

/* A thread that is woken takes the lock first of all, so it is woken last. The
 * pools are never freed; a thread that comes in between looks for work itself
 * before it waits, so no signal is missed. */
static void unlock_pool(awio_pool *pool) {
  size_t signals = pool->signals;
  pool->signals = 0;
  pthread_mutex_unlock(&pool->lock);
  for (; signals > 0; signals--)
    pthread_cond_signal(&pool->work);
}

/* ---- threads ---- */

static void ask_watch(awio_pool *pool);

static bool has_work(const awio_pool *pool) {
  return pool->queue && pool->wanted < pool->eager;
}

/* Only a watchman takes what is in the queue. */
static bool needs_watch(const awio_pool *pool) {
  return pool->queue && pool->wanted >= pool->eager &&
         pool->wanted < pool->most_wanted;
}

/* Wait until `ns` from now at most; returns false if the time is over. */
static bool wait_at(awio_pool *pool, const struct timespec *at) {
  return pthread_cond_timedwait(&pool->work, &pool->lock, at) != ETIMEDOUT;
}

/* Be the watchman. Returns true if this thread should take a work. */
static bool watch_queue(awio_pool *pool) {
  enum { PAUSE = 1 /* ms */ };
  struct timespec at = awio_time_in(PAUSE);
  size_t begun = pool->begun;
  pool->watch = WATCHED;
  while (wait_at(pool, &at) && !has_work(pool))
    ;
  pool->watch = UNWATCHED;
  return has_work(pool) || (needs_watch(pool) && begun == pool->begun);
}

/* Wait for work. Returns false if this thread should end. */
static bool wait_for_work(awio_pool *pool) {
  struct timespec at = awio_time_in(IDLE_SECONDS * 1000);
  bool takes = has_work(pool), in_time = true;
  pool->idle++;
  while (!takes && in_time && pool->users > 0) {
    if (needs_watch(pool) && pool->watch != WATCHED)
      takes = watch_queue(pool);
    else
      in_time = wait_at(pool, &at);
    takes = takes || has_work(pool);
    if (pool->watch == WATCH_ASKED && !needs_watch(pool))
      pool->watch = UNWATCHED;
  }
  pool->idle--;
  return takes;
}

static awio_work *take_work(awio_pool *pool) {
  awio_work *w = pool->queue;
  unqueue(w);
  link_work(&pool->running, w);
  w->state = AWIO_WORK_RUNNING;
  pool->wanted++;
  pool->busy++;
  pool->begun++;
  if (pool->watch == WATCH_ASKED) /* this thread was asked, maybe */
    pool->watch = UNWATCHED;
  ask_watch(pool);
  return w;
}

/* Returns the ticket to complete without the lock, or NULL. */
static aw_ticket *end_work(awio_pool *pool, awio_work *w) {
  aw_ticket *ticket = w->ticket;
  unlink_work(w);
  w->state = AWIO_WORK_OVER;
  w->ticket = NULL;
  pool->busy--;
  pool->telling++;
  if (!w->counts)
    return ticket; /* invalid */
  pool->wanted--;
  w->counts = false;
  if (w->inbox) {
    link_work(&w->inbox->over, w);
    uv_async_send(w->inbox->came);
  }
  return ticket;
}

/* The reference goes first, so that mostly the engine frees what it has
 * allocated: threads that free the memory of others wait for each other. */
static void tell_work_end(awio_work *w, aw_ticket *ticket) {
  int result = w->result;
  awio_work_release(w);
  if (ticket)
    aw_ticket_complete(ticket, result, 0);
}

/* Run the first work of the queue, and more while there is room. The lock is
 * taken once for each: it covers the end of one and the begin of the next. */
static void run_queue(awio_pool *pool) {
  awio_work *w = pool->queue ? take_work(pool) : NULL;
  while (w) {
    unlock_pool(pool);
    w->run(w);
    lock_pool(pool);
    awio_work *last = w;
    aw_ticket *ticket = end_work(pool, last);
    w = has_work(pool) ? take_work(pool) : NULL;
    unlock_pool(pool);
    tell_work_end(last, ticket);
    lock_pool(pool);
    if (--pool->telling == 0)
      pthread_cond_broadcast(&pool->quiet);
  }
}

/* The calling thread ends. */
static void end_thread(awio_pool *pool) {
  bool has_ended = pool->has_ended;
  pthread_t ended = pool->ended;
  pool->has_ended = true;
  pool->ended = pthread_self();
  pool->threads--;
  pthread_cond_broadcast(&pool->quiet);
  unlock_pool(pool);
  if (has_ended)
    pthread_join(ended, NULL);
}

static void *run_thread(void *data) {
  awio_pool *pool = data;
  lock_pool(pool);
  pool->idle--;
  while (wait_for_work(pool))
    run_queue(pool);
  end_thread(pool);
  return NULL;
}

/* Returns 0 or a positive error. */
static int make_thread(awio_pool *pool) {
  pthread_t thread;
  pthread_attr_t attributes;
  int rc = pthread_attr_init(&attributes);
  if (rc != 0)
    return rc;
  pthread_attr_setstacksize(&attributes, STACK);
  rc = -awio_make_thread(&thread, &attributes, run_thread, pool);
  pthread_attr_destroy(&attributes);
  if (rc == 0) {
    pool->threads++;
    pool->idle++;
  }
  return rc;
}

/* Wake a thread, or make one if fewer than `needed` are idle. Returns false if
 * none can be made. */
static bool wake_thread(awio_pool *pool, size_t needed) {
  if (needed > pool->idle && pool->threads < pool->most_threads &&
      make_thread(pool) != 0)
    return false;
  pool->signals++;
  return true;
}

/* Wake or make a thread if there is work for one. Returns false if there is no
 * thread to do it. */
static bool staff(awio_pool *pool) {
  size_t room = pool->wanted < pool->eager ? pool->eager - pool->wanted : 0;
  size_t needed = pool->queued < room ? pool->queued : room;
  if (needed > 0)
    return wake_thread(pool, needed) || pool->threads > 0;
  ask_watch(pool);
  return true;
}

static void ask_watch(awio_pool *pool) {
  if (!needs_watch(pool) || pool->watch != UNWATCHED)
    return;
  pool->watch = WATCH_ASKED;
  if (!wake_thread(pool, 1))
    pool->watch = UNWATCHED;
}

/* ---- forks ---- */

/* A thread that completes a ticket may hold the lock of an engine. In the child
 * nobody would release it, and that engine could not even be freed. */
static void wait_for_tellers(awio_pool *pool) {
  while (pool->telling > 0)
    pthread_cond_wait(&pool->quiet, &pool->lock);
}

static void before_fork(void) {
  for (int i = 0; i < POOLS; i++) {
    pthread_mutex_lock(&pools[i]->lock);
    wait_for_tellers(pools[i]);
  }
}

static void after_fork(void) {
  for (int i = 0; i < POOLS; i++)
    pthread_mutex_unlock(&pools[i]->lock);
}

/* Release a work of the parent: its threads do not exist in this process. The
 * ticket waits for awio_work_stop(): threads of others may have held its lock
 * at the fork, and then only the use of that engine may hang. */
static void abandon(awio_work *w) {
  unlink_work(w);
  w->state = AWIO_WORK_LOST;
  w->counts = false;
  awio_work_release(w);
}

static void make_conditions(awio_pool *pool) {
  awio_make_condition(&pool->work);
  awio_make_condition(&pool->quiet);
  pool->end = &pool->queue;
}

static void begin_anew(awio_pool *pool) {
  while (pool->queue)
    abandon(pool->queue);
  while (pool->running)
    abandon(pool->running);
  pool->queued = pool->wanted = pool->threads = pool->idle = pool->busy = 0;
  pool->signals = 0;
  pool->has_ended = false;
  pool->watch = UNWATCHED;
  make_conditions(pool);
}

static void in_child(void) {
  for (int i = 0; i < POOLS; i++)
    begin_anew(pools[i]);
  after_fork();
}

static size_t eager_of(const awio_pool *pool) {
  enum { LEAST = 2 };
  long cores = sysconf(_SC_NPROCESSORS_ONLN);
  size_t count = cores > LEAST ? (size_t)cores : LEAST;
  bool all = pool->most_eager == pool->most_wanted; /* they always block */
  return all || count > pool->most_eager ? pool->most_eager : count;
}

static void open_pools(void) {
  for (int i = 0; i < POOLS; i++) {
    pools[i]->eager = eager_of(pools[i]);
    make_conditions(pools[i]);
  }
  pthread_atfork(before_fork, after_fork, in_child);
}

/* ---- users ---- */

void awio_pool_join(awio_pool *pool) {
  pthread_once(&once, open_pools);
  lock_pool(pool);
  if (pool->users++ == 0) /* who waits for idle threads need wait no longer */
    pthread_cond_broadcast(&pool->quiet);
  unlock_pool(pool);
}

void awio_pool_leave(awio_pool *pool) {
  pthread_t ended;
  lock_pool(pool);
  if (--pool->users == 0)
    pthread_cond_broadcast(&pool->work);
  while (pool->users == 0 && pool->threads > pool->busy)
    pthread_cond_wait(&pool->quiet, &pool->lock);
  bool last = pool->users == 0 && pool->has_ended;
  ended = pool->ended;
  if (last)
    pool->has_ended = false;
  unlock_pool(pool);
  if (last)
    pthread_join(ended, NULL);
}

/* Which pools an engine has joined by itself. */
typedef struct membership {
  aw_closer closer;
  bool in[POOLS];
} membership;

static void leave_pools(aw_closer *closer) {
  membership *m = (membership *)closer;
  for (int i = 0; i < POOLS; i++)
    if (m->in[i])
      awio_pool_leave(pools[i]);
  aw_free(m);
}

int awio_pool_ensure(awio_pool *pool, aw_engine *engine) {
  membership *m = (membership *)aw_engine_find_closer(engine, leave_pools);
  if (!m) {
    m = aw_allocate(sizeof *m);
    if (!m)
      return AW_ENOMEM;
    m->closer.close = leave_pools;
    aw_engine_add_closer(engine, &m->closer);
  }
  int i = pool == pools[0] ? 0 : 1;
  if (!m->in[i])
    awio_pool_join(pool);
  m->in[i] = true;
  return 0;
}

/* ---- works ---- */

void awio_work_init(awio_work *w, void (*run)(awio_work *work),
                    void (*release)(awio_work *work)) {
  *w = (awio_work){.run = run, .release = release};
  atomic_init(&w->refs, 1);
}

/* Returns 0, or UV_EAGAIN with nothing begun. */
static int begin_work(awio_pool *pool, awio_work *w) {
  lock_pool(pool);
  w->pool = pool;
  w->state = AWIO_WORK_QUEUED;
  w->counts = true;
  enqueue(pool, awio_work_keep(w));
  bool staffed = staff(pool);
  if (!staffed) {
    unqueue(w);
    w->state = AWIO_WORK_OVER;
    w->counts = false;
  }
  unlock_pool(pool);
  if (!staffed)
    awio_work_release(w);
  return staffed ? 0 : UV_EAGAIN;
}

int awio_work_begin(awio_pool *pool, awio_work *w, aw_task *task) {
  aw_engine *engine = aw_loop_engine(aw_task_loop(task));
  void *uv;
  int rc = aw_engine_uv(engine, &uv); /* tells why there can be no ticket */
  if (rc == 0)
    rc = awio_pool_ensure(pool, engine);
  if (rc < 0)
    return rc;
  w->inbox = NULL;
  w->ticket = aw_ticket_new(task);
  if (!w->ticket)
    return AW_ENOMEM;
  rc = begin_work(pool, w);
  if (rc < 0) {
    aw_ticket_release(w->ticket);
    w->ticket = NULL;
  }
  return rc;
}

int awio_work_send(awio_pool *pool, awio_work *w, awio_inbox *inbox) {
  w->inbox = inbox;
  return begin_work(pool, w);
}

awio_work *awio_inbox_next(awio_pool *pool, awio_inbox *inbox) {
  lock_pool(pool);
  awio_work *w = inbox->over;
  if (w)
    unlink_work(w);
  unlock_pool(pool);
  return w;
}

static void take_back(awio_work *w) {
  unqueue(w);
  w->state = AWIO_WORK_OVER;
  w->counts = false;
}

/* Its wait is over, if no thread has the ticket. */
static aw_ticket *take_ticket(awio_work *w) {
  aw_ticket *ticket = w->state == AWIO_WORK_RUNNING ? NULL : w->ticket;
  if (ticket)
    w->ticket = NULL;
  return ticket;
}

bool awio_work_stop(awio_work *w) {
  if (!w->pool)
    return false;
  lock_pool(w->pool);
  atomic_store(&w->unwanted, true);
  bool queued = w->state == AWIO_WORK_QUEUED, lost = w->state == AWIO_WORK_LOST;
  if (queued)
    take_back(w);
  aw_ticket *ticket = take_ticket(w);
  unlock_pool(w->pool);
  aw_ticket_release(ticket);
  if (queued)
    awio_work_release(w);
  return queued || lost;
}

/* A work that is over may be in its inbox. */
static void forget_locked(awio_work *w) {
  if (w->state == AWIO_WORK_RUNNING && w->counts) {
    w->pool->wanted--;
    w->counts = false;
    staff(w->pool);
  } else if (w->state == AWIO_WORK_OVER && w->place) {
    unlink_work(w);
  }
}

void awio_work_forget(awio_work *w) {
  if (!w->pool || awio_work_stop(w))
    return;
  lock_pool(w->pool);
  forget_locked(w);
  unlock_pool(w->pool);
}

awio_work *awio_work_keep(awio_work *w) {
  atomic_fetch_add(&w->refs, 1);
  return w;
}

void awio_work_release(awio_work *w) {
  if (atomic_fetch_sub(&w->refs, 1) == 1)
    w->release(w);
}
