/* apart.c - see apart.h */
#include "context/apart.h"

#include <errno.h>
#include <string.h>

static const aw_zmq_calls *library(void) {
  const aw_zmq_calls *calls;
  aw_zmq_open(&calls); /* cannot fail: there is a socket */
  return calls;
}

void awz_apart_close(void *socket) {
  const aw_zmq_calls *calls = library();
  calls->close(socket);
}

int awz_apart_receive(void *socket, void *buffer, size_t room, size_t *size) {
  enum { DONTWAIT = 1, TRIES = 1000 };
  const aw_zmq_calls *calls = library();
  aw_zmq_message frame;
  int rc, tries = 0;
  calls->msg_init(&frame);
  do
    rc = calls->msg_recv(&frame, socket, DONTWAIT);
  while (rc < 0 && calls->last_error() == EINTR && ++tries < TRIES);
  int code = rc < 0 ? -calls->last_error() : 0;
  *size = rc < 0 ? 0 : calls->msg_size(&frame);
  if (*size > room)
    *size = room;
  memcpy(buffer, calls->msg_data(&frame), *size);
  calls->msg_close(&frame);
  return code;
}

int awz_apart_poll(aw_zmq_poll_item *items, int count, long ms) {
  const aw_zmq_calls *calls = library();
  int rc = calls->poll(items, count, ms);
  if (rc >= 0)
    return rc;
  return calls->last_error() == EINTR ? 0 : -calls->last_error();
}
