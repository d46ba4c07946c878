/* raw.c - makes all calls of libzmq
 *
 * An interrupted call is made again, an error number becomes a negative code,
 * and the engine learns that a socket was used [ZQ1, ZQ6]. The number of tries
 * is bounded, because a forked child gets EINTR for ever [ZQ16].
 */
#include "context/shared.h"
#include "socket/settings.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

enum { DONTWAIT = 1, SNDMORE = 2, ETERM_OF_ZMQ = 156384712 + 53 };
enum { TRIES = 1000 }; /* enough for many signals in a row */

/* Returns the code of the last call, which failed. */
static int code(const aw_zmq_calls *calls) {
  int error = calls->last_error();
  return error == ETERM_OF_ZMQ || error == ENOTSOCK ? AW_ECLOSED : -error;
}

static bool interrupted(const aw_zmq_calls *calls, int rc, int *tries) {
  return rc < 0 && calls->last_error() == EINTR && ++*tries < TRIES;
}

int awz_raw_version(int version[3]) {
  const aw_zmq_calls *calls;
  int rc = aw_zmq_open(&calls);
  if (rc == 0)
    calls->version(&version[0], &version[1], &version[2]);
  return rc;
}

bool awz_raw_has(const char *capability) {
  const aw_zmq_calls *calls;
  return aw_zmq_open(&calls) == 0 && calls->has(capability) == 1;
}

int awz_raw_keypair(char public_key[AWZ_KEY_SIZE], char secret[AWZ_KEY_SIZE]) {
  const aw_zmq_calls *calls;
  int rc = aw_zmq_open(&calls);
  if (rc < 0)
    return rc;
  return calls->curve_keypair(public_key, secret) < 0 ? code(calls) : 0;
}

int awz_raw_public_key(char public_key[AWZ_KEY_SIZE], const char *secret) {
  const aw_zmq_calls *calls;
  int rc = aw_zmq_open(&calls);
  if (rc < 0)
    return rc;
  return calls->curve_public(public_key, secret) < 0 ? code(calls) : 0;
}

int awz_raw_decode_key(unsigned char out[AWZ_KEY_BYTES], const char *text) {
  const aw_zmq_calls *calls;
  if (strlen(text) != AWZ_KEY_SIZE - 1)
    return -EINVAL;
  int rc = aw_zmq_open(&calls);
  if (rc < 0)
    return rc;
  return calls->z85_decode(out, text) ? 0 : -EINVAL;
}

void awz_raw_encode_key(char out[AWZ_KEY_SIZE],
                        const unsigned char bytes[AWZ_KEY_BYTES]) {
  const aw_zmq_calls *calls;
  if (aw_zmq_open(&calls) == 0)
    calls->z85_encode(out, bytes, AWZ_KEY_BYTES);
}

/* ---- contexts ---- */

enum { IO_THREADS = 1, BLOCKY = 70 };

int awz_raw_open_context(awz_shared *shared, int io_threads) {
  const aw_zmq_calls *calls;
  int rc = aw_zmq_open(&calls);
  if (rc < 0)
    return rc;
  shared->calls = calls;
  shared->raw = calls->ctx_new();
  if (!shared->raw)
    return code(calls);
  calls->ctx_set(shared->raw, BLOCKY, 0);
  calls->ctx_set(shared->raw, IO_THREADS, io_threads);
  return 0;
}

int awz_raw_limit_context(const awz_shared *shared, int value) {
  enum { MAX_SOCKETS = 2, EACH = 3, MORE = 64, LARGE = INT_MAX / EACH - MORE };
  int rc = awz_raw_set_context(shared, MAX_SOCKETS, value);
  if (rc < 0 || value > LARGE)
    return rc;
  return awz_raw_set_context(shared, MAX_SOCKETS, EACH * value + MORE);
}

int awz_raw_set_context(const awz_shared *shared, int option, int value) {
  const aw_zmq_calls *calls = shared->calls;
  return calls->ctx_set(shared->raw, option, value) < 0 ? code(calls) : 0;
}

int awz_raw_get_context(const awz_shared *shared, int option, int *value) {
  const aw_zmq_calls *calls = shared->calls;
  *value = calls->ctx_get(shared->raw, option);
  return *value < 0 && calls->last_error() == EINVAL ? code(calls) : 0;
}

void awz_raw_end_context(void *raw) {
  const aw_zmq_calls *calls;
  int rc, tries = 0;
  aw_zmq_open(&calls); /* cannot fail: it is open */
  calls->ctx_shutdown(raw);
  do
    rc = calls->ctx_term(raw);
  while (interrupted(calls, rc, &tries));
}

/* ---- sockets ---- */

static int used(const awz_socket *s, int rc) {
  int result = rc < 0 ? code(s->calls) : 0;
  if (s->ready)
    aw_zmq_touch(s->ready);
  return result;
}

int awz_raw_open(awz_socket *s, int type) {
  s->calls = s->context->calls;
  s->raw = s->calls->socket(s->context->raw, type);
  return s->raw ? 0 : code(s->calls);
}

void awz_raw_close(awz_socket *s) {
  s->calls->close(s->raw);
  s->raw = NULL;
}

int awz_raw_set(awz_socket *s, int option, const void *value, size_t size) {
  awz_setting *setting;
  int rc = awz_setting_new(s, option, value, size, &setting), tries = 0;
  if (rc < 0)
    return rc;
  do
    rc = s->calls->setsockopt(s->raw, option, value, size);
  while (interrupted(s->calls, rc, &tries));
  rc = used(s, rc);
  awz_setting_keep(s, setting, rc == 0);
  return rc;
}

int awz_raw_get(awz_socket *s, int option, void *value, size_t *size) {
  int rc, tries = 0;
  do
    rc = s->calls->getsockopt(s->raw, option, value, size);
  while (interrupted(s->calls, rc, &tries));
  return used(s, rc);
}

int awz_raw_attach(awz_socket *s, awz_verb verb, const char *address) {
  int (*const functions[])(void *, const char *) = {
      [AWZ_BIND] = s->calls->bind,
      [AWZ_CONNECT] = s->calls->connect,
      [AWZ_UNBIND] = s->calls->unbind,
      [AWZ_DISCONNECT] = s->calls->disconnect};
  int rc, tries = 0;
  do
    rc = functions[verb](s->raw, address);
  while (interrupted(s->calls, rc, &tries));
  return used(s, rc);
}

/* ---- monitors ---- */

int awz_raw_monitor(awz_socket *s, const char *name, int events) {
  return s->calls->socket_monitor(s->raw, name, events) < 0 ? code(s->calls)
                                                            : 0;
}

void awz_raw_unmonitor(awz_socket *s) {
  s->calls->socket_monitor(s->raw, NULL, 0);
}

/* ---- messages ---- */

/* Most calls succeed at once, so what follows a failure is apart. */
static int receive_anew(const awz_socket *s, aw_zmq_message *frame, int rc) {
  int tries = 0;
  while (interrupted(s->calls, rc, &tries))
    rc = s->calls->msg_recv(frame, s->raw, DONTWAIT);
  return rc < 0 ? code(s->calls) : rc;
}

static inline int receive_into(const awz_socket *s, aw_zmq_message *frame,
                               size_t *size) {
  int rc = s->calls->msg_recv(frame, s->raw, DONTWAIT);
  if (rc < 0 && (rc = receive_anew(s, frame, rc)) < 0)
    return rc;
  *size = rc < INT_MAX ? (size_t)rc : s->calls->msg_size(frame);
  return 0;
}

int awz_raw_receive(const awz_socket *s, aw_zmq_message *frame, size_t *size) {
  return receive_into(s, frame, size);
}

/* After a receive that finds no message the engine need not look at the events.
 */
void awz_raw_received(const awz_socket *s, int rc) {
  aw_zmq_touch(s->ready);
  if (rc == -EAGAIN)
    aw_zmq_found_empty(s->ready);
}

int awz_raw_fetch(const awz_socket *s, aw_zmq_message *frame, size_t *size) {
  s->calls->msg_init(frame);
  int rc = receive_into(s, frame, size);
  if (rc < 0)
    s->calls->msg_close(frame);
  return rc;
}

static int send_flags(bool more) {
  return more ? DONTWAIT | SNDMORE : DONTWAIT;
}

static int send_anew(const awz_socket *s, aw_zmq_message *frame, bool more,
                     int rc) {
  int tries = 0;
  while (interrupted(s->calls, rc, &tries))
    rc = s->calls->msg_send(frame, s->raw, send_flags(more));
  return rc < 0 ? code(s->calls) : 0;
}

static inline int send_frame(const awz_socket *s, aw_zmq_message *frame,
                             bool more) {
  int rc = s->calls->msg_send(frame, s->raw, send_flags(more));
  return rc < 0 ? send_anew(s, frame, more, rc) : 0;
}

static inline int send_part(const awz_socket *s, const awz_part *part,
                            bool more) {
  int rc, tries = 0;
  do
    rc = s->calls->send(s->raw, part->data, part->size, send_flags(more));
  while (rc < 0 && interrupted(s->calls, rc, &tries));
  return rc < 0 ? code(s->calls) : 0;
}

int awz_raw_send(const awz_socket *s, aw_zmq_message *frame, bool more) {
  int rc = send_frame(s, frame, more);
  aw_zmq_touch(s->ready);
  return rc;
}

int awz_raw_send_frames(const awz_socket *s, awz_frame *frames, size_t count) {
  int rc = 0;
  for (size_t i = 0; rc == 0 && i < count; i++)
    rc = send_frame(s, &frames[i].message, i + 1 < count);
  aw_zmq_touch(s->ready);
  return rc;
}

int awz_raw_send_parts(const awz_socket *s, const awz_part *first,
                       aw_zmq_message *frames, size_t count, size_t *sent) {
  int rc = send_part(s, first, count > 1);
  size_t i = 0;
  while (rc == 0 && ++i < count)
    rc = send_frame(s, &frames[i], i + 1 < count);
  *sent = i;
  aw_zmq_touch(s->ready);
  return rc;
}

/* Let libzmq process what its threads and other sockets have sent to this
 * socket. Returns the events, or 0 on an error. */
static int look(awz_socket *s) {
  enum { EVENTS = 15 };
  int events = 0;
  size_t size = sizeof events;
  return awz_raw_get(s, EVENTS, &events, &size) < 0 ? 0 : events;
}

bool awz_raw_may_receive(awz_socket *s) {
  enum { POLLIN_OF_ZMQ = 1 };
  return look(s) & POLLIN_OF_ZMQ;
}

int awz_raw_drain(awz_socket *s) {
  int count = 0;
  aw_zmq_message frame;
  s->calls->msg_init(&frame);
  for (int round = 0; round < 2; round++) { /* the first may end connections */
    look(s);
    while (s->calls->msg_recv(&frame, s->raw, DONTWAIT) >= 0)
      count++;
  }
  s->calls->msg_close(&frame);
  return count;
}

bool awz_raw_has_peer(awz_socket *s, const char *name, size_t size) {
  if (s->type->number != AWZ_ROUTER)
    return false;
  look(s); /* a send does not always notice new peers [ZQ8] */
  const awz_part part = {name, size}, end = {"", 0};
  int rc = send_part(s, &part, true);
  if (rc == 0)
    send_part(s, &end, false);
  aw_zmq_touch(s->ready);
  return rc == 0 || rc == -EAGAIN;
}

void awz_raw_init(const awz_socket *s, aw_zmq_message *frame) {
  s->calls->msg_init(frame);
}

static inline int fill(const awz_socket *s, aw_zmq_message *frame,
                       const awz_part *part) {
  if (s->calls->msg_init_size(frame, part->size) < 0)
    return AW_ENOMEM;
  memcpy(s->calls->msg_data(frame), part->data, part->size);
  return 0;
}

int awz_raw_fill(const awz_socket *s, aw_zmq_message *frame,
                 const awz_part *part) {
  return fill(s, frame, part);
}

int awz_raw_fill_rest(const awz_socket *s, aw_zmq_message *frames,
                      const awz_part *parts, size_t count) {
  for (size_t i = 1; i < count; i++) {
    int rc = fill(s, &frames[i], &parts[i]);
    if (rc == 0)
      continue;
    while (i > 1)
      awz_raw_drop(s, &frames[--i]);
    return rc;
  }
  return 0;
}

int awz_raw_copy(const awz_socket *s, aw_zmq_message *to,
                 aw_zmq_message *from) {
  s->calls->msg_init(to);
  return s->calls->msg_copy(to, from) < 0 ? AW_ENOMEM : 0;
}

void awz_raw_drop(const awz_socket *s, aw_zmq_message *frame) {
  s->calls->msg_close(frame);
}

const char *awz_raw_data(const awz_socket *s, aw_zmq_message *frame) {
  return s->calls->msg_data(frame);
}

bool awz_raw_more(const awz_socket *s, const aw_zmq_message *frame) {
  return s->calls->msg_more(frame) != 0;
}

const char *awz_raw_property(const awz_socket *s, const aw_zmq_message *frame,
                             const char *name) {
  return s->calls->msg_gets(frame, name);
}

/* ---- drafts ---- */

uint32_t awz_raw_peer_number(const awz_socket *s, aw_zmq_message *frame) {
  return s->calls->msg_routing_id(frame);
}

const char *awz_raw_group(const awz_socket *s, aw_zmq_message *frame) {
  return s->calls->msg_group(frame);
}

int awz_raw_set_peer_number(const awz_socket *s, aw_zmq_message *frame,
                            uint32_t number) {
  return s->calls->msg_set_routing_id(frame, number) < 0 ? code(s->calls) : 0;
}

int awz_raw_set_group(const awz_socket *s, aw_zmq_message *frame,
                      const char *group) {
  return s->calls->msg_set_group(frame, group) < 0 ? code(s->calls) : 0;
}

int awz_raw_join(awz_socket *s, const char *group, bool joins) {
  int rc =
      joins ? s->calls->join(s->raw, group) : s->calls->leave(s->raw, group);
  return used(s, rc);
}
