/* apart.c - see apart.h */
#include "context/apart.h"

#include <errno.h>
#include <string.h>

enum { DONTWAIT_APART = 1, SNDMORE_APART = 2, MANY_TRIES = 1000 };

static const aw_zmq_calls *library(void) {
  const aw_zmq_calls *calls;
  aw_zmq_open(&calls); /* cannot fail: there is a socket */
  return calls;
}

/* Returns the code of the last call, which failed. */
static int code_apart(const aw_zmq_calls *calls) {
  enum { ETERM_OF_ZMQ = 156384712 + 53 };
  int error = calls->last_error();
  return error == ETERM_OF_ZMQ ? AW_ECLOSED : -error;
}

static int result_of(const aw_zmq_calls *calls, int rc) {
  return rc < 0 ? code_apart(calls) : rc;
}

static bool may_try_again(const aw_zmq_calls *calls, int rc, int *tries) {
  return rc < 0 && calls->last_error() == EINTR && ++*tries < MANY_TRIES;
}

int awz_apart_open(const awz_context *context, int type, void **out) {
  const aw_zmq_calls *calls = library();
  *out = calls->socket(context->raw, type);
  return *out ? 0 : code_apart(calls);
}

static int set_option(void *socket, int option, const void *value,
                      size_t size) {
  const aw_zmq_calls *calls = library();
  int rc, tries = 0;
  do
    rc = calls->setsockopt(socket, option, value, size);
  while (may_try_again(calls, rc, &tries));
  return result_of(calls, rc);
}

int awz_apart_set(void *socket, int option, int value) {
  return set_option(socket, option, &value, sizeof value);
}

int awz_apart_name_peer(void *socket, const void *name, size_t size) {
  enum { CONNECT_ROUTING_ID = 61 };
  return set_option(socket, CONNECT_ROUTING_ID, name, size);
}

static int ask_socket(void *socket, int option, int *value) {
  const aw_zmq_calls *calls = library();
  size_t size = sizeof *value;
  int rc, tries = 0;
  do
    rc = calls->getsockopt(socket, option, value, &size);
  while (may_try_again(calls, rc, &tries));
  return result_of(calls, rc);
}

int awz_apart_fd(void *socket, int *fd) {
  enum { FD = 14 };
  return ask_socket(socket, FD, fd);
}

bool awz_apart_readable(void *socket) {
  enum { EVENTS = 15 };
  int events = 0;
  return ask_socket(socket, EVENTS, &events) == 0 && (events & AW_READABLE);
}

static int attach_apart(int (*verb)(void *, const char *), void *socket,
                        const char *address) {
  const aw_zmq_calls *calls = library();
  int rc, tries = 0;
  do
    rc = verb(socket, address);
  while (may_try_again(calls, rc, &tries));
  return result_of(calls, rc);
}

int awz_apart_connect(void *socket, const char *address) {
  return attach_apart(library()->connect, socket, address);
}

int awz_apart_bind(void *socket, const char *address) {
  return attach_apart(library()->bind, socket, address);
}

int awz_apart_unbind(void *socket, const char *address) {
  return attach_apart(library()->unbind, socket, address);
}

int awz_apart_receive(void *socket, aw_zmq_message *frame) {
  const aw_zmq_calls *calls = library();
  int rc, tries = 0;
  do
    rc = calls->msg_recv(frame, socket, DONTWAIT_APART);
  while (may_try_again(calls, rc, &tries));
  return result_of(calls, rc);
}

int awz_apart_send(void *socket, const void *data, size_t size, bool more) {
  const aw_zmq_calls *calls = library();
  int flags = more ? DONTWAIT_APART | SNDMORE_APART : DONTWAIT_APART;
  aw_zmq_message frame;
  int rc, tries = 0;
  if (calls->msg_init_size(&frame, size) < 0)
    return AW_ENOMEM;
  memcpy(calls->msg_data(&frame), data, size);
  do
    rc = calls->msg_send(&frame, socket, flags);
  while (may_try_again(calls, rc, &tries));
  rc = result_of(calls, rc);
  if (rc < 0)
    calls->msg_close(&frame);
  return rc < 0 ? rc : 0;
}

void awz_apart_init(aw_zmq_message *frame) {
  library()->msg_init(frame);
}

void awz_apart_drop(aw_zmq_message *frame) {
  library()->msg_close(frame);
}

void *awz_apart_data(aw_zmq_message *frame) {
  return library()->msg_data(frame);
}

bool awz_apart_more(const aw_zmq_message *frame) {
  return library()->msg_more(frame) != 0;
}

void awz_apart_close(void *socket) {
  const aw_zmq_calls *calls = library();
  calls->close(socket);
}

int awz_apart_read(void *socket, void *buffer, size_t room, size_t *size) {
  aw_zmq_message frame;
  awz_apart_init(&frame);
  int rc = awz_apart_receive(socket, &frame);
  *size = rc < 0 ? 0 : (size_t)rc;
  if (*size > room)
    *size = room;
  memcpy(buffer, awz_apart_data(&frame), *size);
  awz_apart_drop(&frame);
  return rc < 0 ? rc : 0;
}
