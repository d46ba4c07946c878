/* lookup.c - a pool of threads for look-ups; see lookup.h
 *
 *   queued ─► running ─► over      in the list of its owner until it is taken
 *      └─────────┴─► forgotten: the pool, or the thread, releases it
 *
 * Threads wait at `work`. A thread that ends joins the one that ended before
 * it, so that at most one ended thread is left to be joined.
 *
 * The pool is a global variable, since the threads belong to the process.
 * `lock` guards everything in it. A thread sends to the async of an engine with
 * the lock held, so the engine can take its look-ups back and then close the
 * async.
 */
#define _GNU_SOURCE /* EAI_NODATA, EAI_ADDRFAMILY */

#include "net/lookup.h"

#include "base/system.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
  MOST_WANTED = 16,
  MOST_THREADS = 64,
  IDLE_SECONDS = 5,
  /* glibc's resolver, and modules of nsswitch.conf such as sssd's, need some
   * 100 KiB. Only what a thread has touched costs memory. */
  STACK = 1024 * 1024
};

static struct {
  pthread_mutex_t lock;
  pthread_cond_t work;  /* an idle thread may have something to do */
  pthread_cond_t quiet; /* a thread has ended */
  awio_lookup *queue, **end;
  awio_lookup *running;
  size_t queued, wanted; /* in the queue; running and not forgotten */
  size_t threads, idle;  /* `idle` counts threads that are about to begin */
  size_t users;          /* engines */
  bool has_ended;
  pthread_t ended; /* not joined yet */
} pool = {.lock = PTHREAD_MUTEX_INITIALIZER};

static pthread_once_t once = PTHREAD_ONCE_INIT;

/* ---- lists ---- */

static void enqueue(awio_lookup *l) {
  l->next = NULL;
  l->place = pool.end;
  *pool.end = l;
  pool.end = &l->next;
  pool.queued++;
}

static void link_lookup(awio_lookup **list, awio_lookup *l) {
  l->next = *list;
  l->place = list;
  if (l->next)
    l->next->place = &l->next;
  *list = l;
}

static void unlink_lookup(awio_lookup *l) {
  *l->place = l->next;
  if (l->next)
    l->next->place = l->place;
  else if (pool.end == &l->next)
    pool.end = l->place;
  l->place = NULL;
}

static void unqueue(awio_lookup *l) {
  unlink_lookup(l);
  pool.queued--;
}

/* ---- the question ---- */

/* The code of libuv for a failure of the resolver. */
static int code_of(int eai) {
  switch (eai) {
  case 0: return 0;
#ifdef EAI_ADDRFAMILY
  case EAI_ADDRFAMILY: return UV_EAI_ADDRFAMILY;
#endif
  case EAI_AGAIN: return UV_EAI_AGAIN;
  case EAI_BADFLAGS: return UV_EAI_BADFLAGS;
  case EAI_FAIL: return UV_EAI_FAIL;
  case EAI_FAMILY: return UV_EAI_FAMILY;
  case EAI_MEMORY: return UV_EAI_MEMORY;
#ifdef EAI_NODATA
  case EAI_NODATA: return UV_EAI_NODATA;
#endif
  case EAI_NONAME: return UV_EAI_NONAME;
  case EAI_OVERFLOW: return UV_EAI_OVERFLOW;
  case EAI_SERVICE: return UV_EAI_SERVICE;
  case EAI_SOCKTYPE: return UV_EAI_SOCKTYPE;
  case EAI_SYSTEM: return errno > 0 ? -errno : UV_EAI_FAIL;
  default: return UV_EAI_FAIL;
  }
}

/* Not AI_ADDRCONFIG: without a network it hides the names in /etc/hosts, and an
 * address that cannot be reached costs a connect nothing. */
static int ask_addresses(awio_lookup *l) {
  struct addrinfo hints = {.ai_family = l->family, .ai_socktype = SOCK_STREAM};
  return code_of(getaddrinfo(l->host, NULL, &hints, &l->found));
}

static int ask_name(awio_lookup *l) {
  l->name = calloc(1, NI_MAXHOST);
  if (!l->name)
    return UV_ENOMEM;
  return code_of(getnameinfo(&l->address.any, l->address.length, l->name,
                             NI_MAXHOST, NULL, 0, NI_NAMEREQD));
}

/* ---- threads ---- */

static bool has_work(void) {
  return pool.queue && pool.wanted < MOST_WANTED;
}

/* Wait for work. Returns false if this thread should end. */
static bool wait_for_work(void) {
  struct timespec at;
  clock_gettime(CLOCK_MONOTONIC, &at);
  at.tv_sec += IDLE_SECONDS;
  int rc = 0;
  pool.idle++;
  while (!has_work() && rc == 0 && pool.users > 0)
    rc = pthread_cond_timedwait(&pool.work, &pool.lock, &at);
  pool.idle--;
  return has_work();
}

static void run_lookup(awio_lookup *l) {
  unqueue(l);
  link_lookup(&pool.running, l);
  l->state = AWIO_LOOKUP_RUNNING;
  pool.wanted++;
  pthread_mutex_unlock(&pool.lock);
  int result = l->address.length > 0 ? ask_name(l) : ask_addresses(l);
  pthread_mutex_lock(&pool.lock);
  unlink_lookup(l);
  l->result = result;
  l->state = AWIO_LOOKUP_OVER;
  if (l->owner) {
    pool.wanted--;
    link_lookup(&l->owner->over, l);
    uv_async_send(l->owner->came);
  }
  awio_lookup_release(l);
}

/* The calling thread ends. */
static void end_thread(void) {
  bool has_ended = pool.has_ended;
  pthread_t ended = pool.ended;
  pool.has_ended = true;
  pool.ended = pthread_self();
  pool.threads--;
  pthread_cond_broadcast(&pool.quiet);
  pthread_mutex_unlock(&pool.lock);
  if (has_ended)
    pthread_join(ended, NULL);
}

static void *run_thread(void *data) {
  (void)data;
  pthread_mutex_lock(&pool.lock);
  pool.idle--;
  while (has_work() || wait_for_work())
    run_lookup(pool.queue);
  end_thread();
  return NULL;
}

/* Returns 0 or a positive error. */
static int make_thread(void) {
  pthread_t thread;
  pthread_attr_t attributes;
  int rc = pthread_attr_init(&attributes);
  if (rc != 0)
    return rc;
  pthread_attr_setstacksize(&attributes, STACK);
  rc = -awio_make_thread(&thread, &attributes, run_thread, NULL);
  pthread_attr_destroy(&attributes);
  if (rc == 0) {
    pool.threads++;
    pool.idle++;
  }
  return rc;
}

/* Wake or make a thread if there is work for one. Returns false if there is no
 * thread to do it. */
static bool staff(void) {
  size_t room = pool.wanted < MOST_WANTED ? MOST_WANTED - pool.wanted : 0;
  size_t needed = pool.queued < room ? pool.queued : room;
  if (needed > pool.idle && pool.threads < MOST_THREADS && make_thread() != 0)
    return pool.threads > 0;
  if (needed > 0)
    pthread_cond_signal(&pool.work);
  return true;
}

/* ---- forks ---- */

static void before_fork(void) {
  pthread_mutex_lock(&pool.lock);
}

static void after_fork(void) {
  pthread_mutex_unlock(&pool.lock);
}

/* Release a look-up of the parent: its threads do not exist in this process. */
static void abandon(awio_lookup *l) {
  unlink_lookup(l);
  l->state = AWIO_LOOKUP_OVER;
  l->owner = NULL;
  awio_lookup_release(l);
}

static void make_conditions(void) {
  pthread_condattr_t attributes;
  pthread_condattr_init(&attributes);
  pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
  pthread_cond_init(&pool.work, &attributes);
  pthread_cond_init(&pool.quiet, &attributes);
  pthread_condattr_destroy(&attributes);
  pool.end = &pool.queue;
}

static void in_child(void) {
  while (pool.queue)
    abandon(pool.queue);
  while (pool.running)
    abandon(pool.running);
  pool.queued = pool.wanted = pool.threads = pool.idle = 0;
  pool.has_ended = false;
  make_conditions();
  pthread_mutex_unlock(&pool.lock);
}

static void open_pool(void) {
  make_conditions();
  pthread_atfork(before_fork, after_fork, in_child);
}

/* ---- for engines ---- */

awio_lookup *awio_lookup_new(const char *host, int family,
                             const awio_address *address) {
  size_t size = host ? strlen(host) + 1 : 1;
  awio_lookup *l = calloc(1, sizeof *l + size);
  if (!l)
    return NULL;
  atomic_init(&l->refs, 1);
  l->state = AWIO_LOOKUP_OVER;
  l->family = family;
  l->host = (char *)(l + 1);
  if (host)
    memcpy(l->host, host, size);
  else
    l->address = *address;
  return l;
}

int awio_lookup_begin(awio_lookup *l, awio_lookups *owner) {
  pthread_mutex_lock(&pool.lock);
  l->owner = owner;
  l->state = AWIO_LOOKUP_QUEUED;
  enqueue(awio_lookup_keep(l));
  bool staffed = staff();
  if (!staffed) {
    unqueue(l);
    l->owner = NULL;
    l->state = AWIO_LOOKUP_OVER;
    awio_lookup_release(l);
  }
  pthread_mutex_unlock(&pool.lock);
  return staffed ? 0 : UV_EAGAIN;
}

awio_lookup *awio_lookups_next(awio_lookups *owner) {
  pthread_mutex_lock(&pool.lock);
  awio_lookup *l = owner->over;
  if (l) {
    unlink_lookup(l);
    l->owner = NULL;
  }
  pthread_mutex_unlock(&pool.lock);
  return l;
}

void awio_lookup_forget(awio_lookup *l) {
  pthread_mutex_lock(&pool.lock);
  if (l->owner && l->state == AWIO_LOOKUP_QUEUED) {
    unqueue(l);
    awio_lookup_release(l);
  } else if (l->owner && l->state == AWIO_LOOKUP_RUNNING) {
    pool.wanted--;
    staff();
  } else if (l->owner) {
    unlink_lookup(l);
  }
  l->owner = NULL;
  pthread_mutex_unlock(&pool.lock);
  awio_lookup_release(l);
}

awio_lookup *awio_lookup_keep(awio_lookup *l) {
  atomic_fetch_add(&l->refs, 1);
  return l;
}

void awio_lookup_release(awio_lookup *l) {
  if (atomic_fetch_sub(&l->refs, 1) > 1)
    return;
  if (l->found)
    freeaddrinfo(l->found);
  free(l->name);
  free(l);
}

void awio_lookup_join_pool(void) {
  pthread_once(&once, open_pool);
  pthread_mutex_lock(&pool.lock);
  if (pool.users++ == 0) /* who waits for idle threads need wait no longer */
    pthread_cond_broadcast(&pool.quiet);
  pthread_mutex_unlock(&pool.lock);
}

void awio_lookup_leave_pool(void) {
  pthread_t ended;
  pthread_mutex_lock(&pool.lock);
  if (--pool.users == 0)
    pthread_cond_broadcast(&pool.work);
  while (pool.users == 0 && pool.idle > 0)
    pthread_cond_wait(&pool.quiet, &pool.lock);
  bool last = pool.users == 0 && pool.has_ended;
  ended = pool.ended;
  if (last)
    pool.has_ended = false;
  pthread_mutex_unlock(&pool.lock);
  if (last)
    pthread_join(ended, NULL);
}
