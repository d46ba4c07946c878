/* reader.c - see reader.h
 *
 * A ROUTER may name the peers that it connects to. The name of a PAIR has the
 * address of its awz_reported, which is valid until `gone`. It also has a
 * number, since libzmq aborts if two peers have the same name, and may know a
 * peer that has gone for a while.
 *
 * The lock of the attendant guards all of this.
 */
#include "watch/reader.h"

#include "context/apart.h"
#include "context/attendant.h"
#include "context/shared.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct awz_reader {
  awz_listener listener; /* must be first */
  awz_reported *heard;
  awz_reported *leaving; /* `gone` is called when there is no message */
} awz_reader;

enum {
  MARK = 'w', /* first byte of a name; libzmq's own names begin with 0 */
  NAME = 1 + sizeof(awz_reported *) + sizeof(uint64_t)
};

static void put_reported(awz_reported **list, awz_reported *reported) {
  reported->next = *list;
  reported->place = list;
  if (reported->next)
    reported->next->place = &reported->next;
  *list = reported;
}

static void take_reported(const awz_reported *reported) {
  *reported->place = reported->next;
  if (reported->next)
    reported->next->place = reported->place;
}

/* ---- the thread ---- */

/* Receive one event. Returns 0; else there is none.
 *
 *   room  bytes of `address`
 */
static int receive_event(void *socket, awz_reported **reported,
                         awz_event *event, char *address, size_t room) {
  enum { HEAD = 6 }; /* the kind in 2 bytes, the value in 4 */
  unsigned char name[NAME], head[HEAD];
  uint16_t kind;
  uint32_t value;
  size_t size;
  int rc = awz_apart_read(socket, name, sizeof name, &size);
  if (rc == 0)
    rc = awz_apart_read(socket, head, sizeof head, &size);
  if (rc == 0)
    rc = awz_apart_read(socket, address, room, &size);
  if (rc < 0)
    return rc;
  memcpy(reported, name + 1, sizeof *reported);
  memcpy(&kind, head, sizeof kind);
  memcpy(&value, head + sizeof kind, sizeof value);
  *event = (awz_event){.kind = kind, .value = value, .address = address};
  event->length = size;
  return 0;
}

/* Read the next event. Returns false if there is none. */
static bool read_event(const awz_reader *reader) {
  char address[512];
  awz_reported *reported;
  awz_event event;
  if (receive_event(reader->listener.socket, &reported, &event, address,
                    sizeof address) < 0)
    return false;
  reported->notify(reported, &event);
  return true;
}

static void dismiss_reported(awz_reader *reader) {
  while (reader->leaving) {
    awz_reported *reported = reader->leaving;
    take_reported(reported);
    reported->gone(reported);
  }
}

static bool reader_ready(awz_listener *listener) {
  enum { MOST = 256 }; /* then it is the turn of other listeners */
  for (int i = 0; i < MOST; i++)
    if (!read_event((awz_reader *)listener)) {
      dismiss_reported((awz_reader *)listener);
      return false;
    }
  return true;
}

static void reader_drain(awz_listener *listener) {
  while (reader_ready(listener))
    continue;
}

static void reader_gone(awz_listener *listener) {
  free(listener);
}

/* ---- the thread of Lua ---- */

/* Open the socket of a reader. Without a limit for what it receives, libzmq
 * never waits for it. */
static int open_router(const awz_context *context, void **out) {
  enum { ROUTER = 6, LINGER = 17, RCVHWM = 24 };
  int rc = awz_apart_open(context, ROUTER, out);
  if (rc < 0)
    return rc;
  rc = awz_apart_set(*out, LINGER, 0);
  if (rc == 0)
    rc = awz_apart_set(*out, RCVHWM, 0);
  if (rc < 0)
    awz_apart_close(*out);
  return rc;
}

static int open_reader(awz_context *context) {
  awz_reader *reader = calloc(1, sizeof *reader);
  if (!reader)
    return AW_ENOMEM;
  reader->listener.ready = reader_ready;
  reader->listener.drain = reader_drain;
  reader->listener.gone = reader_gone;
  int rc = open_router(context, &reader->listener.socket);
  if (rc < 0) {
    free(reader);
    return rc;
  }
  rc = awz_attendant_add(context, &reader->listener);
  if (rc < 0) {
    awz_apart_close(reader->listener.socket);
    free(reader);
    return rc;
  }
  context->reader = reader;
  return 0;
}

/* Connect to the PAIR of a socket. */
static int connect_reader(void *router, awz_reported *reported, uint64_t number,
                          const char *address) {
  unsigned char name[NAME] = {MARK};
  memcpy(name + 1, &reported, sizeof reported);
  memcpy(name + 1 + sizeof reported, &number, sizeof number);
  int rc = awz_apart_name_peer(router, name, sizeof name);
  return rc < 0 ? rc : awz_apart_connect(router, address);
}

/* In all states: the number is part of a name. */
static uint64_t next_watch(awz_shared *shared) {
  uint64_t number = 0;
  if (awz_shared_lock(shared)) {
    number = ++shared->watches;
    awz_shared_unlock(shared);
  }
  return number;
}

int awz_reader_begin(awz_socket *s, awz_reported *reported) {
  awz_context *context = s->context;
  char address[64];
  int rc = context->reader ? 0 : open_reader(context);
  if (rc < 0)
    return rc;
  /* libzmq gives an address up a while after the socket is closed */
  uint64_t number = next_watch(context->shared);
  snprintf(address, sizeof address, "inproc://aiowire.watch.%llu",
           (unsigned long long)number);
  rc = awz_raw_monitor(s, address, AWZ_OF_LIBZMQ);
  if (rc < 0)
    return rc;
  if (!awz_attendant_hold(context))
    return AW_EFORKED; /* cannot be: a forked child has no such socket */
  awz_reader *reader = context->reader;
  awz_listener *listener = &reader->listener;
  rc = connect_reader(listener->socket, reported, number, address);
  if (rc == 0)
    put_reported(&reader->heard, reported);
  awz_attendant_let_go(context, listener, awz_apart_readable(listener->socket));
  if (rc < 0)
    awz_raw_unmonitor(s);
  return rc;
}

void awz_reader_end(const awz_context *context, awz_reported *reported) {
  if (!awz_attendant_hold(context))
    return;
  take_reported(reported);
  put_reported(&context->reader->leaving, reported);
  awz_attendant_let_go(context, &context->reader->listener, true);
}
