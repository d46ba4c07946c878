/* socket.c - creates sockets with the defaults of this library, and closes them
 *
 * The engine forgets the readiness of a socket before the socket is closed,
 * since its descriptor may belong to another socket right after [ZQ11]. The
 * struct stays as long as a message of the socket may come back.
 *
 * Defaults that differ from libzmq's: a socket lingers for 1 s, receives parts
 * of at most 64 MiB, and allows 5 s for a handshake; a peer that is silent for
 * 30 s is lost; a ROUTER reports a message that it cannot deliver.
 *
 * A PUB is an XPUB of libzmq, which reports subscriptions (subscribers.h); if
 * it conflates, it is a PUB of libzmq.
 */
#include "context/apart.h"
#include "context/shared.h"
#include "socket/closing.h"
#include "socket/settings.h"
#include "watch/links.h"
#include "watch/subscribers.h"
#include "watch/watch.h"
#include "zmq.h"

#include <errno.h>
#include <string.h>

enum { MAX_PARTS = 1024, LINGER = 1000 /* ms */ };
static const int64_t MAX_SIZE = 64 * 1024 * 1024;

enum {
  OPTION_LINGER = 17,
  OPTION_MAXMSGSIZE = 22,
  OPTION_ROUTER_MANDATORY = 33,
  OPTION_HANDSHAKE_IVL = 66,
  OPTION_HEARTBEAT_IVL = 75,
  OPTION_HEARTBEAT_TIMEOUT = 77
};

static int set_int(awz_socket *s, int option, int value) {
  return awz_raw_set(s, option, &value, sizeof value);
}

static int set_defaults(awz_socket *s) {
  static const struct {
    int option, value;
  } defaults[] = {{OPTION_LINGER, LINGER},
                  {OPTION_HANDSHAKE_IVL, 5000},
                  {OPTION_HEARTBEAT_IVL, 10000},
                  {OPTION_HEARTBEAT_TIMEOUT, 30000}};
  int rc = awz_raw_set(s, OPTION_MAXMSGSIZE, &MAX_SIZE, sizeof MAX_SIZE);
  for (size_t i = 0; rc == 0 && i < sizeof defaults / sizeof *defaults; i++)
    rc = set_int(s, defaults[i].option, defaults[i].value);
  if (rc == 0 && s->type->number == AWZ_ROUTER)
    rc = set_int(s, OPTION_ROUTER_MANDATORY, 1);
  s->linger = LINGER;
  s->max_parts = MAX_PARTS;
  s->max_size = MAX_SIZE;
  return rc;
}

static void join_context(awz_socket *s, awz_context *context) {
  s->next = context->sockets;
  if (s->next)
    s->next->previous = s;
  context->sockets = s;
}

static void leave_context(awz_socket *s) {
  awz_context *context = s->context;
  if (s->previous)
    s->previous->next = s->next;
  else
    context->sockets = s->next;
  if (s->next)
    s->next->previous = s->previous;
  s->next = s->previous = NULL;
  if (context->giver == s)
    context->giver = NULL;
}

/* Count one more socket of the context, in all states. libzmq fixes its limit
 * when it opens the first socket. */
static int count_socket(awz_shared *shared) {
  if (!awz_shared_lock(shared))
    return AW_EFORKED;
  if (shared->limit == 0)
    shared->limit = shared->max_sockets;
  bool fits = shared->count < shared->limit;
  shared->count += fits;
  awz_shared_unlock(shared);
  return fits ? 0 : -EMFILE;
}

/* A socket that lingered for `linger` ms is closed. */
static void uncount_socket(awz_shared *shared, int linger) {
  if (!awz_shared_lock(shared))
    return;
  shared->count--;
  int longest = shared->longest_linger;
  if (linger < 0 || (longest >= 0 && linger > longest))
    shared->longest_linger = linger;
  awz_shared_unlock(shared);
}

int awz_socket_limit(const awz_context *context) {
  int limit = 0;
  if (awz_shared_lock(context->shared)) {
    limit = context->shared->limit;
    awz_shared_unlock(context->shared);
  }
  return limit;
}

static int open_socket(awz_socket *s) {
  int type = s->type->number;
  int rc = awz_room_for_files();
  if (rc == 0)
    rc = awz_raw_open(s, type == AWZ_PUB ? AWZ_XPUB : type);
  if (rc < 0)
    return rc;
  rc = set_defaults(s);
  if (rc == 0)
    rc = aw_zmq_new(s->raw, &s->config, &s->ready);
  if (rc < 0)
    awz_raw_close(s);
  return rc;
}

int awz_socket_new(awz_context *context, const awz_type *type,
                   aw_lua_here *here, awz_socket **out) {
  if (!context->raw)
    return AW_ECLOSED;
  if (context->forks != aw_zmq_forks())
    return AW_EFORKED;
  awz_socket *s = aw_allocate(sizeof *s);
  if (!s)
    return AW_ENOMEM;
  s->context = context;
  s->type = type;
  s->here = here;
  s->refs = 1;
  s->config = (aw_zmq_config){.receive = awz_take_in,
                              .send = awz_take_out,
                              .many = type->addressed,
                              .holds = awz_message_held,
                              .read_ahead = awz_message_read_ahead,
                              .observe = awz_subscribers_observe,
                              .watch = awz_subscribers_watch,
                              .sends_only = !type->receives,
                              .owner = s};
  int rc = awz_subscribers_new(s);
  if (rc == 0)
    rc = count_socket(context->shared);
  if (rc == 0) {
    rc = open_socket(s);
    if (rc < 0)
      uncount_socket(context->shared, 0);
  }
  if (rc < 0) {
    awz_settings_forget(s);
    awz_subscribers_free(s);
    aw_free(s);
    return rc;
  }
  context->refs++;
  join_context(s, context);
  *out = s;
  return 0;
}

/* Open a socket of libzmq in the place of the one that `s` has. */
static int open_another(awz_socket *s, int type) {
  int rc = awz_room_for_files();
  if (rc == 0)
    rc = awz_raw_open(s, type);
  if (rc < 0)
    return rc;
  s->ready = NULL; /* that of the other one */
  rc = awz_settings_repeat(s);
  if (rc == 0)
    rc = aw_zmq_new(s->raw, &s->config, &s->ready);
  if (rc < 0)
    awz_raw_close(s);
  return rc;
}

int awz_socket_change_type(awz_socket *s, int type) {
  void *raw = s->raw;
  aw_zmq *ready = s->ready;
  if (s->attached || awz_watch_listens(s))
    return -EISCONN;
  if (aw_zmq_awaited(ready))
    return AW_EBUSY;
  int rc = open_another(s, type);
  if (rc < 0) {
    s->raw = raw;
    s->ready = ready;
    return rc;
  }
  aw_zmq_close(ready); /* first, to stop the watcher [ZQ11] */
  awz_apart_close(raw);
  return 0;
}

int awz_socket_check(const awz_socket *s) {
  if (!s || !s->raw)
    return AW_ECLOSED;
  return s->context->forks == aw_zmq_forks() ? 0 : AW_EFORKED;
}

static void drop_messages(awz_socket *s) {
  awz_message *message;
  while ((message = s->returned) != NULL) {
    s->returned = message->next;
    awz_message_free(message);
  }
  if (s->coming)
    awz_message_free(s->coming);
  if (s->newest)
    awz_message_free(s->newest);
  s->coming = s->newest = NULL;
  s->whole = false;
}

void awz_socket_close(awz_socket *s) {
  if (!s->raw)
    return;
  aw_zmq_close(s->ready); /* first, to stop the watcher [ZQ11] */
  s->ready = NULL;
  if (s->context->forks == aw_zmq_forks()) {
    awz_watch_stop(s);
    awz_raw_close(s);
  }
  s->raw = NULL;
  awz_links_leave(s);
  awz_watch_end(s);
  awz_leave_endpoints(s);
  uncount_socket(s->context->shared, s->linger);
  leave_context(s);
  drop_messages(s);
  awz_tell_watchers(s);
  aw_free(s->domain);
  s->domain = NULL;
  awz_subscribers_free(s);
  awz_settings_forget(s);
}

void awz_socket_release(awz_socket *s) {
  if (--s->refs > 0)
    return;
  awz_socket_close(s);
  if (s->delivering)
    awz_message_free(s->delivering);
  awz_context_release(s->context);
  aw_free(s);
}
