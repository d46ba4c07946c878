/* apart.c - see apart.h */
#include "context/apart.h"

#include <errno.h>

static const aw_zmq_calls *library(void) {
  const aw_zmq_calls *calls;
  aw_zmq_open(&calls); /* cannot fail: there is a socket */
  return calls;
}

void awz_apart_close(void *socket) {
  const aw_zmq_calls *calls = library();
  calls->close(socket);
}

int awz_apart_poll(aw_zmq_poll_item *items, int count, long ms) {
  const aw_zmq_calls *calls = library();
  int rc = calls->poll(items, count, ms);
  if (rc >= 0)
    return rc;
  return calls->last_error() == EINTR ? 0 : -calls->last_error();
}
