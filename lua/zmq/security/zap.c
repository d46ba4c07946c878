/* zap.c - see zap.h
 *
 * libzmq releases the address of a closed socket some time later. So a close
 * lets the thread unbind first, and waits for that.
 */
#include "security/zap.h"

#include "base/system.h"
#include "context/apart.h"
#include "context/attendant.h"
#include "context/bell.h"
#include "security/zap_frames.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

const char *const AWZ_ZAP_ADDRESS = "inproc://zeromq.zap.01";

enum {
  PATIENCE_MS = 5000, /* for a handler */
  MOST_WAITING = 1000,
  MOST_NOTICES = 1000, /* denials beyond are not told */
  IN_A_ROW = 64        /* requests, before other listeners have a turn */
};

typedef struct question {
  struct question *next;
  uint64_t number;
  int64_t until; /* ms */
  awz_return_address from;
  awz_request request;
  awz_text user_id; /* of an answer */
  bool answered, admitted;
  const char *why; /* it was denied, and news shall say so; NULL: no news */
} question;

struct awz_zap {
  awz_listener listener; /* first */
  pthread_mutex_t lock;
  pthread_cond_t changed; /* `unbound` or `gone` */
  unsigned refs;
  awz_rules rules;
  bool tells;
  bool stopping, unbound, gone;

  uint64_t last_number;
  question *waiting; /* the oldest first */
  size_t waiting_count;

  awz_zap_notice *first, *last;
  size_t notice_count;
  awz_bell bell; /* rung while there is a notice, or once it is closed */
};

static int64_t zap_now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static awz_zap *zap_of(awz_listener *listener) {
  return (awz_zap *)listener;
}

/* ---- notices, under the lock ---- */

static void tune_zap_bell(awz_zap *zap) {
  awz_bell_set(&zap->bell, zap->first || zap->stopping || zap->gone);
}

void awz_zap_notice_free(awz_zap_notice *notice) {
  awio_wipe(notice, sizeof *notice);
  free(notice);
}

/* Add a notice. Returns false without memory for it. */
static bool add_notice(awz_zap *zap, const awz_request *request,
                       uint64_t number, const char *why) {
  awz_zap_notice *notice = calloc(1, sizeof *notice);
  if (!notice)
    return false;
  notice->number = number;
  notice->why = why;
  notice->request = *request;
  if (why)
    awio_wipe(&notice->request.password, sizeof notice->request.password);
  if (zap->last)
    zap->last->next = notice;
  else
    zap->first = notice;
  zap->last = notice;
  zap->notice_count++;
  tune_zap_bell(zap);
  return true;
}

static void tell_denied(awz_zap *zap, const awz_request *request,
                        const char *why) {
  if (zap->tells && zap->notice_count < MOST_NOTICES)
    (void)add_notice(zap, request, 0, why);
}

awz_zap_notice *awz_zap_take(awz_zap *zap) {
  pthread_mutex_lock(&zap->lock);
  awz_zap_notice *notice = zap->first;
  if (notice) {
    zap->first = notice->next;
    if (!zap->first)
      zap->last = NULL;
    zap->notice_count--;
    tune_zap_bell(zap);
  }
  pthread_mutex_unlock(&zap->lock);
  return notice;
}

int awz_zap_fd(const awz_zap *zap) {
  return zap->bell.fds[0];
}

/* ---- requests, in the thread ---- */

/* Let the handler decide. Returns false if it cannot be asked. */
static bool ask_handler(awz_zap *zap, const awz_return_address *from,
                        const awz_request *request) {
  question *q = zap->waiting_count < MOST_WAITING ? calloc(1, sizeof *q) : NULL;
  if (!q)
    return false;
  q->number = zap->last_number + 1;
  q->until = zap_now() + PATIENCE_MS;
  q->from = *from;
  q->request = *request;
  if (!add_notice(zap, request, q->number, NULL)) {
    free(q);
    return false;
  }
  zap->last_number++;
  zap->waiting_count++;
  question **place = &zap->waiting;
  while (*place)
    place = &(*place)->next;
  *place = q;
  return true;
}

static void decide(awz_zap *zap, const awz_return_address *from,
                   const awz_request *request) {
  const char *why;
  switch (awz_rules_decide(&zap->rules, request, &why)) {
  case AWZ_ADMIT:
    awz_zap_admit(zap->listener.socket, from, request, NULL);
    return;
  case AWZ_ASK:
    if (ask_handler(zap, from, request))
      return;
    why = "too many peers wait for the handler";
    break;
  case AWZ_DENY: break;
  }
  awz_zap_deny(zap->listener.socket, from);
  tell_denied(zap, request, why);
}

/* Serve one message. Returns false if there is none. */
static bool serve_request(awz_zap *zap) {
  void *socket = zap->listener.socket;
  awz_return_address from;
  awz_request request;
  awz_reading reading;
  bool received = awz_zap_receive(socket, &from, &request, &reading);
  if (reading == AWZ_GOOD_REQUEST)
    decide(zap, &from, &request);
  else if (reading == AWZ_BAD_REQUEST)
    awz_zap_refuse(socket, &from);
  awio_wipe(&request, sizeof request);
  return received;
}

static bool zap_ready(awz_listener *listener) {
  awz_zap *zap = zap_of(listener);
  bool more = true;
  pthread_mutex_lock(&zap->lock);
  for (int i = 0; i < IN_A_ROW && more; i++)
    more = !zap->unbound && serve_request(zap);
  pthread_mutex_unlock(&zap->lock);
  return more;
}

/* ---- answers, in the thread ---- */

static void forget_question(question *q) {
  awio_wipe(q, sizeof *q);
  free(q);
}

static void settle_question(awz_zap *zap, const question *q) {
  if (q->answered && q->admitted) {
    awz_zap_admit(zap->listener.socket, &q->from, &q->request, &q->user_id);
    return;
  }
  const char *why =
      q->answered ? q->why : "the handler has not answered for 5 s";
  awz_zap_deny(zap->listener.socket, &q->from);
  if (why && !zap->stopping)
    tell_denied(zap, &q->request, why);
}

/* Reply to questions that are answered, or late; all of them at the end. */
static void settle_questions(awz_zap *zap) {
  int64_t now = zap_now();
  question **place = &zap->waiting;
  while (*place) {
    question *q = *place;
    if (!q->answered && q->until > now && !zap->stopping) {
      place = &q->next;
      continue;
    }
    *place = q->next;
    zap->waiting_count--;
    settle_question(zap, q);
    forget_question(q);
  }
}

static int zap_wait(awz_listener *listener) {
  awz_zap *zap = zap_of(listener);
  pthread_mutex_lock(&zap->lock);
  int ms = zap->stopping && !zap->unbound ? 0 : -1;
  int64_t now = zap->waiting ? zap_now() : 0;
  for (const question *q = zap->waiting; q && ms != 0; q = q->next) {
    int left = q->answered || q->until <= now ? 0 : (int)(q->until - now);
    ms = ms < 0 || left < ms ? left : ms;
  }
  pthread_mutex_unlock(&zap->lock);
  return ms;
}

static void zap_late(awz_listener *listener) {
  awz_zap *zap = zap_of(listener);
  pthread_mutex_lock(&zap->lock);
  settle_questions(zap);
  if (zap->stopping && !zap->unbound) {
    (void)awz_apart_unbind(listener->socket, AWZ_ZAP_ADDRESS);
    zap->unbound = true;
    pthread_cond_signal(&zap->changed);
  }
  pthread_mutex_unlock(&zap->lock);
}

/* The context is closed here, but another state may have it, too. */
static void zap_drain(awz_listener *listener) {
  awz_zap *zap = zap_of(listener);
  pthread_mutex_lock(&zap->lock);
  if (!zap->unbound)
    (void)awz_apart_unbind(listener->socket, AWZ_ZAP_ADDRESS);
  zap->unbound = true;
  pthread_mutex_unlock(&zap->lock);
}

static void zap_gone(awz_listener *listener) {
  awz_zap *zap = zap_of(listener);
  pthread_mutex_lock(&zap->lock);
  zap->gone = true;
  tune_zap_bell(zap);
  pthread_cond_signal(&zap->changed);
  pthread_mutex_unlock(&zap->lock);
  awz_zap_release(zap);
}

/* ---- for the thread of Lua ---- */

int awz_zap_new(awz_zap **out) {
  awz_zap *zap = calloc(1, sizeof *zap);
  if (!zap)
    return AW_ENOMEM;
  int rc = awz_bell_open(&zap->bell);
  if (rc < 0) {
    free(zap);
    return rc;
  }
  awio_make_condition(&zap->changed);
  pthread_mutex_init(&zap->lock, NULL);
  zap->listener = (awz_listener){.ready = zap_ready,
                                 .drain = zap_drain,
                                 .gone = zap_gone,
                                 .wait = zap_wait,
                                 .late = zap_late};
  zap->refs = 1;
  zap->gone = true; /* until it is open */
  *out = zap;
  return 0;
}

awz_rules *awz_zap_rules(awz_zap *zap) {
  return &zap->rules;
}

static int open_zap_socket(const awz_context *context, void **out) {
  enum { ROUTER = 6, LINGER = 17 };
  int rc = awz_room_for_files();
  if (rc == 0)
    rc = awz_apart_open(context, ROUTER, out);
  if (rc < 0)
    return rc;
  rc = awz_apart_set(*out, LINGER, 0);
  if (rc == 0)
    rc = awz_apart_bind(*out, AWZ_ZAP_ADDRESS);
  if (rc < 0)
    awz_apart_close(*out);
  return rc;
}

int awz_zap_open(awz_zap *zap, awz_context *context, bool tells) {
  if (!context->raw)
    return AW_ECLOSED;
  if (context->forks != aw_zmq_forks())
    return AW_EFORKED;
  int rc = open_zap_socket(context, &zap->listener.socket);
  if (rc < 0)
    return rc;
  zap->tells = tells;
  zap->gone = false;
  awz_zap_keep(zap); /* the thread's */
  rc = awz_attendant_add(context, &zap->listener);
  if (rc < 0) {
    zap->gone = true;
    awz_apart_close(zap->listener.socket);
    awz_zap_release(zap);
  }
  return rc;
}

/* Wait until the thread has released the address. */
static void wait_until_unbound(awz_zap *zap) {
  enum { AT_MOST = 2000 /* ms */ };
  struct timespec at = awio_time_in(AT_MOST);
  int rc = 0;
  while (!zap->unbound && !zap->gone && rc == 0)
    rc = pthread_cond_timedwait(&zap->changed, &zap->lock, &at);
}

void awz_zap_close(awz_zap *zap, awz_context *context) {
  pthread_mutex_lock(&zap->lock);
  bool open = !zap->stopping && !zap->gone;
  zap->stopping = true;
  if (open) {
    awz_attendant_nudge(context);
    wait_until_unbound(zap);
  }
  awz_bell_close(&zap->bell);
  pthread_mutex_unlock(&zap->lock);
  if (open)
    awz_attendant_remove(context, &zap->listener);
}

bool awz_zap_is_closed(awz_zap *zap) {
  pthread_mutex_lock(&zap->lock);
  bool closed = zap->stopping || zap->gone;
  pthread_mutex_unlock(&zap->lock);
  return closed;
}

int awz_zap_allow_key(awz_zap *zap, const unsigned char *key) {
  pthread_mutex_lock(&zap->lock);
  int rc = awz_rules_allow_key(&zap->rules, key);
  pthread_mutex_unlock(&zap->lock);
  return rc;
}

int awz_zap_deny_key(awz_zap *zap, const unsigned char *key) {
  pthread_mutex_lock(&zap->lock);
  int rc = awz_rules_deny_key(&zap->rules, key);
  pthread_mutex_unlock(&zap->lock);
  return rc;
}

bool awz_zap_answer(awz_zap *zap, awz_context *context, uint64_t number,
                    bool admits, const awz_text *user_id, const char *why) {
  pthread_mutex_lock(&zap->lock);
  question *q = zap->waiting;
  while (q && q->number != number)
    q = q->next;
  bool waits = q && !q->answered;
  if (waits) {
    q->answered = true;
    q->admitted = admits;
    q->why = why;
    if (user_id)
      q->user_id = *user_id;
  }
  pthread_mutex_unlock(&zap->lock);
  if (waits)
    awz_attendant_nudge(context);
  return waits;
}

awz_zap *awz_zap_keep(awz_zap *zap) {
  pthread_mutex_lock(&zap->lock);
  zap->refs++;
  pthread_mutex_unlock(&zap->lock);
  return zap;
}

void awz_zap_release(awz_zap *zap) {
  pthread_mutex_lock(&zap->lock);
  bool last = --zap->refs == 0;
  pthread_mutex_unlock(&zap->lock);
  if (!last)
    return;
  while (zap->waiting) {
    question *q = zap->waiting;
    zap->waiting = q->next;
    forget_question(q);
  }
  while (zap->first) {
    awz_zap_notice *notice = zap->first;
    zap->first = notice->next;
    awz_zap_notice_free(notice);
  }
  awz_bell_close(&zap->bell);
  awz_rules_clear(&zap->rules);
  pthread_cond_destroy(&zap->changed);
  pthread_mutex_destroy(&zap->lock);
  free(zap);
}
