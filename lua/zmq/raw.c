/* raw.c - the calls of libzmq, and nothing else does any
 *
 * Here an interrupted call is tried again, an error number becomes a negative
 * code, what belongs to a process that has forked is left alone, and the engine
 * is told that a socket was used (PITFALLS Z1, Z6, Z16).
 */
#include "zmq.h"

#include <errno.h>
#include <string.h>

enum { DONTWAIT = 1, SNDMORE = 2, ETERM_OF_ZMQ = 156384712 + 53 };
enum { TRIES = 1000 }; /* a storm of signals passes */

static const aw_zmq_calls *library(void) {
  const aw_zmq_calls *calls;
  aw_zmq_open(&calls);
  return calls;
}

/* What the last call failed with. */
static int code(void) {
  int error = library()->last_error();
  return error == ETERM_OF_ZMQ || error == ENOTSOCK ? AW_ECLOSED : -error;
}

static bool interrupted(int rc, int *tries) {
  return rc < 0 && library()->last_error() == EINTR && ++*tries < TRIES;
}

int awz_raw_version(int version[3]) {
  const aw_zmq_calls *calls;
  int rc = aw_zmq_open(&calls);
  if (rc == 0)
    calls->version(&version[0], &version[1], &version[2]);
  return rc;
}

bool awz_raw_has(const char *capability) {
  const aw_zmq_calls *calls = library();
  return calls && calls->has(capability) == 1;
}

/* ---- contexts ---- */

enum { IO_THREADS = 1, BLOCKY = 70 };

int awz_raw_open_context(awz_context *context, int io_threads) {
  const aw_zmq_calls *calls;
  int rc = aw_zmq_open(&calls);
  if (rc < 0)
    return rc;
  context->raw = calls->ctx_new();
  if (!context->raw)
    return code();
  calls->ctx_set(context->raw, BLOCKY, 0);
  calls->ctx_set(context->raw, IO_THREADS, io_threads);
  return 0;
}

int awz_raw_set_context(const awz_context *context, int option, int value) {
  return library()->ctx_set(context->raw, option, value) < 0 ? code() : 0;
}

int awz_raw_get_context(const awz_context *context, int option, int *value) {
  *value = library()->ctx_get(context->raw, option);
  return *value < 0 && library()->last_error() == EINVAL ? code() : 0;
}

void awz_raw_end_context(void *raw) {
  int rc, tries = 0;
  library()->ctx_shutdown(raw);
  do
    rc = library()->ctx_term(raw);
  while (interrupted(rc, &tries));
}

/* ---- sockets ---- */

static int used(const awz_socket *s, int rc) {
  int result = rc < 0 ? code() : 0;
  if (s->ready)
    aw_zmq_touch(s->ready);
  return result;
}

int awz_raw_open(awz_socket *s) {
  s->raw = library()->socket(s->context->raw, s->type->number);
  return s->raw ? 0 : code();
}

void awz_raw_close(awz_socket *s) {
  library()->close(s->raw);
  s->raw = NULL;
}

int awz_raw_set(awz_socket *s, int option, const void *value, size_t size) {
  int rc, tries = 0;
  do
    rc = library()->setsockopt(s->raw, option, value, size);
  while (interrupted(rc, &tries));
  return used(s, rc);
}

int awz_raw_get(awz_socket *s, int option, void *value, size_t *size) {
  int rc, tries = 0;
  do
    rc = library()->getsockopt(s->raw, option, value, size);
  while (interrupted(rc, &tries));
  return used(s, rc);
}

int awz_raw_attach(awz_socket *s, awz_verb verb, const char *address) {
  int (*const functions[])(void *, const char *) = {
      [AWZ_BIND] = library()->bind,
      [AWZ_CONNECT] = library()->connect,
      [AWZ_UNBIND] = library()->unbind,
      [AWZ_DISCONNECT] = library()->disconnect};
  int rc, tries = 0;
  do
    rc = functions[verb](s->raw, address);
  while (interrupted(rc, &tries));
  return used(s, rc);
}

/* ---- messages ---- */

/* One that finds nothing has read all that libzmq had to say. */
int awz_raw_receive(awz_socket *s, aw_zmq_message *frame) {
  int rc, tries = 0;
  do
    rc = library()->msg_recv(frame, s->raw, DONTWAIT);
  while (interrupted(rc, &tries));
  rc = used(s, rc);
  if (rc == -EAGAIN)
    aw_zmq_found_empty(s->ready);
  return rc;
}

int awz_raw_send(awz_socket *s, aw_zmq_message *frame, bool more) {
  int rc, tries = 0;
  do
    rc = library()->msg_send(frame, s->raw,
                             more ? DONTWAIT | SNDMORE : DONTWAIT);
  while (interrupted(rc, &tries));
  return used(s, rc);
}

void awz_raw_init(aw_zmq_message *frame) {
  library()->msg_init(frame);
}

int awz_raw_fill(aw_zmq_message *frame, const char *data, size_t size) {
  if (library()->msg_init_size(frame, size) < 0)
    return AW_ENOMEM;
  memcpy(library()->msg_data(frame), data, size);
  return 0;
}

void awz_raw_drop(aw_zmq_message *frame) {
  library()->msg_close(frame);
}

const char *awz_raw_data(aw_zmq_message *frame, size_t *size) {
  *size = library()->msg_size(frame);
  return library()->msg_data(frame);
}

bool awz_raw_more(const aw_zmq_message *frame) {
  return library()->msg_more(frame) != 0;
}
