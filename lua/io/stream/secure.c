/* secure.c - see secure.h */
#include "stream/secure.h"

#include <uv.h>

#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* ---- life ---- */

/* "tcp 127.0.0.1:80" → "tls 127.0.0.1:80", or "tls `place`" */
static awio_secure *new_secure(const awio_stream *s, const char *place,
                               bool verifies) {
  static const char unverified[] = " (unverified)";
  if (!place) {
    const char *space = strchr(s->name, ' ');
    place = space ? space + 1 : s->name;
  }
  size_t size = sizeof "tls " + strlen(place) + sizeof unverified;
  awio_secure *c = aw_allocate(sizeof *c + size);
  if (!c)
    return NULL;
  snprintf(c->name, size, "tls %s%s", place, verifies ? "" : unverified);
  c->process = getpid();
  return c;
}

bool awio_secure_begin(awio_stream *s, awio_start_pump start_pump,
                       awio_tls_context *context, const char *host, int port,
                       const char *place, awio_fault *fault) {
  bool verifies =
      awio_tls_context_is_server(context) || awio_tls_context_verifies(context);
  awio_secure *c = new_secure(s, place, verifies);
  *fault = (awio_fault){.code = AW_ENOMEM};
  if (!c)
    return false;
  c->start_pump = start_pump;
  s->taken++;
  s->no_line = (awio_span){0, 0};
  c->tls = awio_tls_new(context, s->fd, host, port, &s->in, fault);
  if (!c->tls) {
    awio_secure_free(c);
    return false;
  }
  s->secure = c;
  s->name = c->name;
  s->drained = s->ended = false;
  return true;
}

void awio_secure_end(awio_stream *s) {
  awio_tls *t = s->secure->tls;
  if (t && s->secure->process == getpid())
    awio_tls_settled(t); /* read what has come: else an alert may be lost */
  awio_tls_free(s->secure->tls);
  s->secure->tls = NULL;
}

void awio_secure_free(awio_secure *c) {
  if (!c)
    return;
  awio_tls_free(c->tls);
  aw_free(c->opening);
  aw_free(c);
}

/* ---- the handshake ---- */

int awio_secure_turn(const awio_stream *s) {
  const awio_tls *t = awio_tls_of(s);
  if (!t || t->established)
    return 0;
  return t->unsent ? t->unsent : UV_EAGAIN;
}

int awio_secure_open(awio_stream *s) {
  awio_tls *t = s->secure->tls;
  if (!awio_secure_opens(s))
    return t && !t->established ? t->unread : 0;
  awio_tls_readable(t);
  int rc = awio_tls_handshake(t);
  if (rc != UV_EAGAIN)
    awio_secure_wake(s, 0);
  return rc;
}

void awio_secure_fail(awio_stream *s, int code) {
  if (!awio_secure_opens(s))
    return;
  awio_tls_fail(s->secure->tls, code);
  awio_secure_wake(s, 0);
}

int awio_secure_events(const awio_stream *s) {
  return s->secure->tls->wants_room ? AW_WRITABLE : AW_READABLE;
}

int awio_secure_read_events(const awio_stream *s) {
  const awio_tls *t = awio_tls_of(s);
  return t && t->read_wants_room ? AW_WRITABLE : AW_READABLE;
}

/* ---- waiting for its end ---- */

static bool grow_opening(awio_secure *c) {
  if (c->count < c->size)
    return true;
  size_t size = c->size > 0 ? 2 * c->size : 2;
  awio_opening *opening = aw_reallocate(c->opening, size * sizeof *opening);
  if (!opening)
    return false;
  c->opening = opening;
  c->size = size;
  return true;
}

static uint64_t handshake_deadline(aw_task *task, const awio_tls *tls) {
  uint64_t limit = awio_tls_context_timeout(tls->context);
  uint64_t now = aw_engine_now(aw_loop_engine(aw_task_loop(task)));
  return limit < AW_NEVER - now ? now + limit : AW_NEVER;
}

int awio_secure_wait(aw_task *task, awio_stream *s, awio_again again,
                     void *data) {
  awio_secure *c = s->secure;
  if (!grow_opening(c))
    return AW_ENOMEM;
  if (c->deadline == 0)
    c->deadline = handshake_deadline(task, c->tls);
  int rc = c->start_pump(s, aw_task_loop(task));
  if (rc < 0)
    return rc;
  c->opening[c->count++] = (awio_opening){task, again, data};
  return 0;
}

static void remove_at(awio_secure *c, size_t at) {
  c->count--;
  memmove(&c->opening[at], &c->opening[at + 1],
          (c->count - at) * sizeof *c->opening);
}

bool awio_secure_leave(const aw_task *task, awio_stream *s) {
  awio_secure *c = s->secure;
  for (size_t i = 0; c && i < c->count; i++)
    if (c->opening[i].task == task) {
      remove_at(c, i);
      return true;
    }
  return false;
}

/* A task that wakes may make its rivals in a race leave the list. One that
 * looks again may join it again, behind the others. */
void awio_secure_wake(awio_stream *s, int code) {
  awio_secure *c = s->secure;
  for (size_t left = c ? c->count : 0; left > 0 && c->count > 0; left--) {
    awio_opening first = c->opening[0];
    remove_at(c, 0);
    int rc = code;
    if (rc == 0)
      rc = first.again ? first.again(first.task, first.data) : 1;
    if (rc != 0)
      aw_wait_complete(first.task, rc < 0 ? rc : 0);
  }
}

/* ---- bytes ---- */

ssize_t awio_secure_read(awio_stream *s, char *data, size_t size) {
  awio_tls *t = s->secure->tls;
  return t ? awio_tls_read(t, data, size) : AW_ECLOSED;
}

/* OpenSSL takes no bytes for a failure. If the kernel takes nothing, the bytes
 * go to `out`, which may have no room for all of them. But the next write must
 * have as many as this one. */
ssize_t awio_secure_write(awio_stream *s, const char *data, size_t size) {
  awio_tls *t = s->secure->tls;
  if (!t)
    return AW_ECLOSED;
  if (size == 0)
    return t->unsent;
  bool fits = t->stuck || size <= s->limits.high_water;
  return awio_tls_write(t, data, fits ? size : s->limits.high_water);
}

/* ---- the end ---- */

bool awio_secure_parts(const awio_stream *s) {
  const awio_tls *t = awio_tls_of(s);
  return t && s->secure->parting && t->established && !t->parted;
}

void awio_secure_part(awio_stream *s) {
  awio_tls *t = awio_tls_of(s);
  if (!t)
    return;
  if (s->broken || s->cut || s->secure->process != getpid())
    awio_secure_cut(s);
  s->secure->parting = true;
  if (awio_secure_parts(s) && awio_buffer_length(&s->out) == 0)
    awio_tls_part(t);
}

void awio_secure_cut(awio_stream *s) {
  awio_tls *t = awio_tls_of(s);
  if (!t)
    return;
  t->parted = true;
  s->secure->settled = true;
}

bool awio_secure_settle(awio_stream *s) {
  awio_tls *t = awio_tls_of(s);
  if (!t || !t->parted || s->secure->settled)
    return true;
  s->secure->settled = awio_tls_settled(t);
  return s->secure->settled;
}

bool awio_secure_settles(const awio_stream *s) {
  const awio_tls *t = awio_tls_of(s);
  return t && s->closed && t->established && t->parted && !s->secure->settled;
}

void awio_secure_waited(awio_stream *s, uint64_t now, bool progress) {
  awio_secure *c = s->secure;
  c->look = 0;
  if (progress || c->give_up == 0)
    c->give_up = now + s->linger;
  else if (now >= c->give_up)
    awio_secure_cut(s);
}
