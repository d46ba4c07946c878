/* zap.c - see zap.h
 *
 * The socket is a ROUTER, so that answers may come in any order. A request:
 *
 *     route · empty · "1.0" · id · domain · address · identity · mechanism ·
 *     credentials …
 *
 * A reply:
 *
 *     route · empty · "1.0" · id · status · text · user id · metadata
 *
 * libzmq writes requests well. But sockets of the program can reach the address
 * as well, so each request is checked.
 *
 * libzmq releases the address of a closed socket some time later. So a close
 * lets the thread unbind first, and waits for that.
 */
#include "security/zap.h"

#include "context/apart.h"
#include "context/attendant.h"
#include "watch/bell.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

const char *const AWZ_ZAP_ADDRESS = "inproc://zeromq.zap.01";

enum {
  PATIENCE_MS = 5000, /* for a handler */
  MOST_WAITING = 1000,
  MOST_NEWS = 1000, /* denials beyond are not told */
  IN_A_ROW = 64     /* requests, before other listeners have a turn */
};

/* Where a reply goes. */
typedef struct return_address {
  awz_text route, id;
} return_address;

typedef struct question {
  struct question *next;
  uint64_t number;
  int64_t until; /* ms */
  return_address from;
  awz_request request;
  awz_text user_id; /* of an answer */
  bool answered, admitted;
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

  awz_zap_news *first, *last;
  size_t news_count;
  awz_bell bell; /* rung while there are news, or once it is closed */
};

static int64_t zap_now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static awz_zap *zap_of(awz_listener *listener) {
  return (awz_zap *)listener;
}

/* ---- news, under the lock ---- */

static void tune_zap_bell(awz_zap *zap) {
  awz_bell_set(&zap->bell, zap->first || zap->stopping || zap->gone);
}

void awz_zap_news_free(awz_zap_news *news) {
  awz_wipe(news, sizeof *news);
  free(news);
}

/* Add news. Returns false without memory for them. */
static bool add_news(awz_zap *zap, const awz_request *request, uint64_t number,
                     const char *why) {
  awz_zap_news *news = calloc(1, sizeof *news);
  if (!news)
    return false;
  news->number = number;
  news->why = why;
  news->request = *request;
  if (why)
    awz_wipe(&news->request.password, sizeof news->request.password);
  if (zap->last)
    zap->last->next = news;
  else
    zap->first = news;
  zap->last = news;
  zap->news_count++;
  tune_zap_bell(zap);
  return true;
}

static void tell_denied(awz_zap *zap, const awz_request *request,
                        const char *why) {
  if (zap->tells && zap->news_count < MOST_NEWS)
    (void)add_news(zap, request, 0, why);
}

awz_zap_news *awz_zap_take(awz_zap *zap) {
  pthread_mutex_lock(&zap->lock);
  awz_zap_news *news = zap->first;
  if (news) {
    zap->first = news->next;
    if (!zap->first)
      zap->last = NULL;
    zap->news_count--;
    tune_zap_bell(zap);
  }
  pthread_mutex_unlock(&zap->lock);
  return news;
}

int awz_zap_fd(const awz_zap *zap) {
  return zap->bell.fds[0];
}

/* ---- replies, in the thread ---- */

typedef struct reply {
  const char *status, *text;
  awz_text user_id;
} reply;

static bool send_text(void *socket, const awz_text *text, bool more) {
  return awz_apart_send(socket, text->data, text->size, more) == 0;
}

static bool send_word(void *socket, const char *word, bool more) {
  return awz_apart_send(socket, word, strlen(word), more) == 0;
}

/* A ROUTER drops what it cannot deliver, so that a peer that has left does not
 * matter. */
static void send_reply(awz_zap *zap, const return_address *to, const reply *r) {
  void *socket = zap->listener.socket;
  (void)(send_text(socket, &to->route, true) && send_word(socket, "", true) &&
         send_word(socket, "1.0", true) && send_text(socket, &to->id, true) &&
         send_word(socket, r->status, true) &&
         send_word(socket, r->text, true) &&
         send_text(socket, &r->user_id, true) && send_word(socket, "", false));
}

static void deny_peer(awz_zap *zap, const return_address *to) {
  reply r = {.status = "400", .text = "denied"};
  send_reply(zap, to, &r);
}

/* The user id of a peer that is admitted: `chosen`, or that of its credentials.
 */
static void admit(awz_zap *zap, const return_address *to,
                  const awz_request *request, const awz_text *chosen) {
  reply r = {.status = "200", .text = "OK"};
  if (chosen && chosen->size > 0) {
    r.user_id = *chosen;
  } else if (request->kind == AWZ_CURVE) {
    awz_apart_key_text(r.user_id.data, request->key);
    r.user_id.size = AWZ_KEY_TEXT;
  } else {
    r.user_id = request->username;
  }
  send_reply(zap, to, &r);
}

/* ---- requests, in the thread ---- */

/* Frames after the empty one. */
enum { VERSION, ID, DOMAIN, ADDRESS, IDENTITY, MECHANISM, CREDENTIALS };

typedef struct incoming {
  awz_text frames[CREDENTIALS + 2];
  return_address from;
  int count; /* frames after the empty one; all are counted */
  bool has_empty, too_long;
} incoming;

static void take_frame(incoming *in, int place, aw_zmq_message *frame,
                       size_t size) {
  const int most = CREDENTIALS + 2;
  char *data = awz_apart_data(frame);
  awz_text *to = place == 0                       ? &in->from.route
                 : place >= 2 && place - 2 < most ? &in->frames[place - 2]
                                                  : NULL;
  if (place == 1)
    in->has_empty = size == 0;
  else if (!to || !awz_text_set(to, data, size))
    in->too_long = true;
  if (place >= 2)
    in->count++;
  awz_wipe(data, size); /* may be a password */
}

/* Receive a whole message. Returns false if there is none. */
static bool receive_request(void *socket, incoming *in) {
  aw_zmq_message frame;
  bool more = true;
  int place = 0;
  memset(in, 0, sizeof *in);
  while (more) {
    awz_apart_init(&frame);
    int size = awz_apart_receive(socket, &frame);
    if (size >= 0)
      take_frame(in, place++, &frame, (size_t)size);
    more = size >= 0 && awz_apart_more(&frame);
    awz_apart_drop(&frame);
    if (size < 0)
      return false;
  }
  return true;
}

static bool is_word(const awz_text *text, const char *word) {
  return strcmp(text->data, word) == 0 && text->size == strlen(word);
}

static awz_mechanism mechanism_of(const awz_text *name) {
  return is_word(name, "CURVE")   ? AWZ_CURVE
         : is_word(name, "PLAIN") ? AWZ_PLAIN
         : is_word(name, "NULL")  ? AWZ_NULL
                                  : AWZ_OTHER;
}

/* Make a request of the frames. Returns false if they are none. */
static bool read_request(const incoming *in, awz_request *out) {
  static const int counts[] = {
      [AWZ_NULL] = 0, [AWZ_PLAIN] = 2, [AWZ_CURVE] = 1};
  int credentials = in->count - CREDENTIALS;
  const awz_text *f = in->frames;
  if (in->too_long || credentials < 0 || !is_word(&f[VERSION], "1.0"))
    return false;
  out->domain = f[DOMAIN];
  out->address = f[ADDRESS];
  out->identity = f[IDENTITY];
  out->mechanism = f[MECHANISM];
  out->kind = mechanism_of(&f[MECHANISM]);
  if (out->kind != AWZ_OTHER && credentials != counts[out->kind])
    return false;
  if (out->kind == AWZ_CURVE && f[CREDENTIALS].size != AWZ_KEY)
    return false;
  if (out->kind == AWZ_CURVE)
    memcpy(out->key, f[CREDENTIALS].data, AWZ_KEY);
  if (out->kind == AWZ_PLAIN) {
    out->username = f[CREDENTIALS];
    out->password = f[CREDENTIALS + 1];
  }
  return true;
}

/* Let the handler decide. Returns false if it cannot be asked. */
static bool ask_handler(awz_zap *zap, const return_address *from,
                        const awz_request *request) {
  question *q = zap->waiting_count < MOST_WAITING ? calloc(1, sizeof *q) : NULL;
  if (!q)
    return false;
  q->number = zap->last_number + 1;
  q->until = zap_now() + PATIENCE_MS;
  q->from = *from;
  q->request = *request;
  if (!add_news(zap, request, q->number, NULL)) {
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

static void decide(awz_zap *zap, const return_address *from,
                   const awz_request *request) {
  const char *why;
  switch (awz_rules_decide(&zap->rules, request, &why)) {
  case AWZ_ADMIT: admit(zap, from, request, NULL); return;
  case AWZ_ASK:
    if (ask_handler(zap, from, request))
      return;
    why = "too many peers wait for the handler";
    break;
  case AWZ_DENY: break;
  }
  deny_peer(zap, from);
  tell_denied(zap, request, why);
}

/* A message without an empty frame has no return address. */
static void serve_request(awz_zap *zap, incoming *in) {
  awz_request request = {.kind = AWZ_OTHER};
  if (!in->has_empty)
    return;
  in->from.id = in->frames[ID];
  if (read_request(in, &request)) {
    decide(zap, &in->from, &request);
  } else {
    reply r = {.status = "500", .text = "bad request"};
    send_reply(zap, &in->from, &r);
  }
  awz_wipe(&request, sizeof request);
}

static bool zap_ready(awz_listener *listener) {
  awz_zap *zap = zap_of(listener);
  incoming in;
  bool more = true;
  pthread_mutex_lock(&zap->lock);
  for (int i = 0; i < IN_A_ROW && more; i++) {
    more = !zap->unbound && receive_request(listener->socket, &in);
    if (more)
      serve_request(zap, &in);
  }
  pthread_mutex_unlock(&zap->lock);
  awz_wipe(&in, sizeof in);
  return more;
}

/* ---- answers, in the thread ---- */

static void forget_question(question *q) {
  awz_wipe(q, sizeof *q);
  free(q);
}

static void settle_question(awz_zap *zap, const question *q) {
  if (q->answered && q->admitted) {
    admit(zap, &q->from, &q->request, &q->user_id);
    return;
  }
  deny_peer(zap, &q->from);
  if (!q->answered && !zap->stopping)
    tell_denied(zap, &q->request, "the handler has not answered for 5 s");
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
  pthread_condattr_t attributes;
  pthread_condattr_init(&attributes);
  pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
  pthread_cond_init(&zap->changed, &attributes);
  pthread_condattr_destroy(&attributes);
  pthread_mutex_init(&zap->lock, NULL);
  zap->listener = (awz_listener){
      .ready = zap_ready, .gone = zap_gone, .wait = zap_wait, .late = zap_late};
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
  enum { AT_MOST = 2 /* s */ };
  struct timespec at;
  int rc = 0;
  clock_gettime(CLOCK_MONOTONIC, &at);
  at.tv_sec += AT_MOST;
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
                    bool admits, const awz_text *user_id) {
  pthread_mutex_lock(&zap->lock);
  question *q = zap->waiting;
  while (q && q->number != number)
    q = q->next;
  bool waits = q && !q->answered;
  if (waits) {
    q->answered = true;
    q->admitted = admits;
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
    awz_zap_news *news = zap->first;
    zap->first = news->next;
    awz_zap_news_free(news);
  }
  awz_bell_close(&zap->bell);
  awz_rules_clear(&zap->rules);
  pthread_cond_destroy(&zap->changed);
  pthread_mutex_destroy(&zap->lock);
  free(zap);
}
