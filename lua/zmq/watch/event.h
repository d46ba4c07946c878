/* event.h - what a monitor tells: the events of libzmq, and those of our own */
#ifndef AWZ_EVENT_H
#define AWZ_EVENT_H

#include "zmq.h"

/* Kinds of events: the numbers of libzmq, which are bits. */
enum {
  AWZ_CONNECTED = 0x0001,
  AWZ_LISTENING = 0x0008,
  AWZ_BIND_FAILED = 0x0010,
  AWZ_ACCEPTED = 0x0020,
  AWZ_CLOSED = 0x0080,
  AWZ_DISCONNECTED = 0x0200,
  AWZ_STOPPED = 0x0400, /* not reported: m:recv() gives nil, "closed" */
  AWZ_FAILED_NO_DETAIL = 0x0800,
  AWZ_HANDSHAKEN = 0x1000,
  AWZ_FAILED_PROTOCOL = 0x2000,
  AWZ_FAILED_AUTH = 0x4000,
  AWZ_RESOLVE_FAILED = 0x10000, /* ours */
  /* All that libzmq reports, but for AWZ_STOPPED, and for AWZ_BIND_FAILED: to
   * report that, libzmq overwrites the error number of the bind. We report
   * it. */
  AWZ_OF_LIBZMQ = 0x7BEF,
  AWZ_ALL_EVENTS = AWZ_OF_LIBZMQ | AWZ_BIND_FAILED | AWZ_RESOLVE_FAILED
};

/* What happened to a socket; borrowed for a call. */
typedef struct awz_event {
  unsigned kind;
  int64_t value;
  const char *address;
  size_t length; /* of `address` */
} awz_event;

/* Return the kind that has this name, or 0. */
unsigned awz_event_kind(const char *name);

/* Return the kinds in the list of names at `arg`; all if that is nil or none.
 * Raises. */
unsigned awz_check_events(lua_State *L, int arg);

/* Push { event =, address =, value = [, error =] }. Raises. */
void awz_push_event(lua_State *L, const awz_event *event);

#endif
