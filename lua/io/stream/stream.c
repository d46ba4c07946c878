/* stream.c - reading and writing; see stream.h
 *
 *   read   awio_stream_fill(): one read(2), whose size doubles after a full
 *          one; if there is no data, or after a short read, the task waits for
 *          the descriptor
 *   write  awio_stream_submit(): write(2); bytes that the kernel does not take
 *          go to `out`, which the pump sends (pump.c)
 *
 * Invariants: `out` is empty unless the pump runs (`pumping`), or the loop of
 * the pump has ended. `fd` is open until the stream is `closed` and the pump
 * has ended; if the stream only writes, until it is `shut`. A task waits in
 * `room` or for the descriptor, never for both.
 */
#include "stream/stream.h"

#include "base/cstdio.h"
#include "base/pty.h"
#include "base/system.h"
#include "stream/secure.h"

#include <uv.h>

#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
  SMALL_CHUNK = 1024, /* malloc() has a cache for so much */
  LARGE_CHUNK = 128 * 1024,
  BURST = 512 * 1024,
  SHARED_WRITE = 4096 /* a writable pipe takes so much without blocking */
};

/* ---- life ---- */

awio_stream *awio_stream_new(int fd, bool can_read, bool can_write,
                             const char *name) {
  size_t length = strlen(name);
  awio_stream *s = aw_allocate(sizeof *s + length + 1);
  if (!s) {
    if (fd > STDERR_FILENO)
      close(fd);
    return NULL;
  }
  s->fd = fd;
  s->refs = 1;
  s->can_read = can_read;
  s->can_write = can_write;
  s->chunk = SMALL_CHUNK;
  s->limits = (awio_limits){AWIO_HIGH_WATER, AWIO_MAX_LINE, SIZE_MAX};
  s->linger = AWIO_LINGER;
  s->told = true;
  s->shared = fd <= STDERR_FILENO;
  memcpy(s->text, name, length + 1);
  s->name = s->text;
  return s;
}

/* Bytes were dropped, so the peer must not take the end for theirs. */
static void end_with_reset(int fd) {
  struct linger at_once = {.l_onoff = 1, .l_linger = 0};
  setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
}

/* Let the waits for the descriptor end. */
static void end_waits(const awio_stream *s, aw_engine *engine) {
  awio_waits_end(&s->keeper, s->engine, engine, s->fd);
}

void awio_stream_close_fd(awio_stream *s, aw_engine *engine) {
  end_waits(s, engine);
  if (s->disk) {
    s->acts->close(s);
    return;
  }
  aw_ready_done(&s->keeper);
  if (s->secure)
    awio_secure_end(s);
  bool cut = s->socket && (s->cut || awio_buffer_length(&s->out) > 0);
  if (cut)
    end_with_reset(s->fd);
  /* Tasks of another engine may wait: this wakes them there. */
  if (s->spread && s->socket && !cut && s->refs > 0) {
    shutdown(s->fd, SHUT_RDWR);
    return;
  }
  if (s->fd >= 0 && !s->shared)
    close(s->fd);
  s->fd = -1;
}

void awio_stream_release(awio_stream *s) {
  if (!s || --s->refs > 0)
    return;
  awio_stream_close_fd(s, NULL);
  awio_buffer_free(&s->in);
  awio_buffer_free(&s->out);
  awio_waiters_free(&s->room);
  awio_secure_free(s->secure);
  aw_free(s);
}

void awio_stream_drop(awio_stream *s) {
  s->cut |= s->broken || awio_buffer_length(&s->out) > 0;
  awio_buffer_free(&s->out);
}

void awio_stream_close(awio_stream *s, aw_engine *engine) {
  if (s->closed)
    return;
  if (s->socket && s->broken)
    awio_stream_drop(s);
  if (s->fd >= 0)
    awio_stream_end_input(s); /* only a running pump types the rest */
  awio_secure_part(s);        /* the same */
  bool opens = awio_secure_opens(s);
  s->closed = true;
  aw_lua_weigh_closed(&s->weight);
  s->taken++;
  awio_buffer_free(&s->in);
  end_waits(s, engine); /* the pump then waits again */
  if (s->disk)
    s->acts->wake(s);
  if (!s->pumping)
    awio_stream_close_fd(s, NULL);
  else if (opens && engine && s->engine == engine) /* nothing is owed [X10] */
    awio_stream_close_fd(s, engine);
  awio_waiters_wake(&s->room, AW_ECLOSED);
  awio_secure_wake(s, AW_ECLOSED);
}

void awio_stream_abort(awio_stream *s, aw_engine *engine) {
  awio_stream_drop(s);
  awio_secure_cut(s);
  awio_stream_close(s, engine);
  if (engine && s->engine == engine) /* else its pump closes it */
    awio_stream_close_fd(s, engine);
}

/* ---- reading ---- */

/* Every second call of awio_stream_fill() reads nothing: what these functions
 * need of the stack is not prepared for it. */
#define APART __attribute__((noinline))

/* The error of a connection is reported once, to a read or to a write. Remember
 * it: else the next read would find an end that the peer did not mean. */
static ssize_t note_lost(awio_stream *s, ssize_t code) {
  bool passes = code == UV_EAGAIN || code == UV_EPIPE || code == UV_ENOBUFS ||
                code == UV_ENOMEM;
  if (s->socket && code < 0 && !passes)
    s->lost = (int)code;
  return code;
}

static ssize_t read_some(awio_stream *s, size_t size) {
  char *end = s->in.data + s->in.end;
  if (s->secure)
    return awio_secure_read(s, end, size);
  ssize_t got = s->socket ? awio_socket_receive(s->fd, end, size)
                          : awio_read(s->fd, end, size);
  if (got > 0)
    return got;
  if (got == UV_EIO && s->terminal)
    got = 0; /* no process has the terminal open any more */
  return got == 0 ? s->lost : note_lost(s, got);
}

/* The task must wait. A long wait should not hold memory. */
static ssize_t wait_for_bytes(awio_stream *s) {
  if (awio_buffer_length(&s->in) == 0)
    awio_buffer_free(&s->in);
  return UV_EAGAIN;
}

/* Read once. */
APART static ssize_t fill_buffer(awio_stream *s, size_t wanted) {
  size_t size = wanted > s->chunk ? s->chunk * 2 : s->chunk;
  if (size > LARGE_CHUNK)
    size = LARGE_CHUNK;
  if (!awio_buffer_room(&s->in, size))
    return AW_ENOMEM;
  ssize_t got = read_some(s, size);
  if (got == UV_EAGAIN)
    return wait_for_bytes(s);
  if (got > 0) {
    s->in.end += (size_t)got;
    s->drained = (size_t)got < size && !s->shared && !s->secure;
    if ((size_t)got == size && s->chunk < LARGE_CHUNK)
      s->chunk *= 2;
  } else if (got == 0) {
    s->ended = true;
  }
  return got;
}

/* Would a read block? Others may read from a shared descriptor. */
APART static bool would_block(const awio_stream *s) {
  return !awio_ready(s->fd, false);
}

ssize_t awio_stream_fill(awio_stream *s, size_t wanted) {
  if (awio_secure_opens(s))
    return wait_for_bytes(s);
  if (s->drained || (s->shared && would_block(s)))
    return s->disk ? s->acts->fill(s, wanted) : wait_for_bytes(s);
  return fill_buffer(s, wanted);
}

bool awio_stream_take(awio_stream *s, size_t count, uint64_t seen) {
  if (s->taken != seen)
    return false;
  s->taken++;
  s->no_line = (awio_span){0, 0};
  awio_buffer_take(&s->in, count);
  return true;
}

/* ---- waiting for the descriptor ---- */

int awio_stream_arm(aw_task *task, awio_stream *s, int events) {
  aw_engine *engine = aw_loop_engine(aw_task_loop(task));
  s->spread = s->spread || (s->engine && s->engine != engine);
  s->engine = engine;
  return aw_ready_arm_kept(task, s->fd, events, &s->keeper);
}

void awio_stream_note_readable(awio_stream *s) {
  s->drained = false;
  if (awio_tls_of(s))
    awio_tls_readable(awio_tls_of(s));
}

static int read_ready(aw_task *task, void *data) {
  (void)task;
  awio_stream *s = data;
  awio_stream_note_readable(s);
  return 1;
}

static int read_arm(aw_task *task, void *data) {
  awio_stream *s = data;
  if (s->disk)
    return s->acts->arm(task, s, 0);
  if (awio_secure_opens(s))
    return awio_secure_wait(task, s, NULL, NULL);
  int rc = awio_stream_arm(task, data, awio_secure_read_events(s));
  return rc == 1 ? read_ready(task, data) : rc;
}

static int write_arm(aw_task *task, void *data) {
  awio_stream *s = data;
  if (awio_secure_opens(s))
    return awio_secure_wait(task, s, NULL, NULL);
  return awio_stream_arm(task, data, AW_WRITABLE);
}

void awio_stream_disarm(aw_task *task, void *data) {
  awio_stream *s = data;
  if (s->acts)
    s->acts->disarm(task, data);
  else if (!awio_secure_leave(task, s))
    aw_ready_disarm(task, s->fd);
}

static void describe_stream(const void *data, char *out, size_t size) {
  const awio_stream *s = data;
  size_t length =
      strlen(s->name); /* while events are recorded, each wait asks */
  if (length >= size)
    length = size - 1;
  memcpy(out, s->name, length);
  out[length] = '\0';
}

#define WAITING(what, begin, try) \
  { \
    .label = (what), .arm = (begin), .disarm = awio_stream_disarm, \
    .external = true, .describe = describe_stream, .ready = (try) \
  }
#define READING(what)  WAITING(what, read_arm, read_ready)
#define DRAINING(what) WAITING(what, write_arm, NULL)
const aw_operation awio_wait_read = READING("stream:read");
const aw_operation awio_wait_some = READING("stream:read_some");
const aw_operation awio_wait_line = READING("stream:lines");
const aw_operation awio_wait_until = READING("stream:read_until");
const aw_operation awio_wait_from = READING("copy");

/* ---- writing ---- */

/* Return how many bytes to write at once. To a shared descriptor: whole lines,
 * if a line ends early enough. So output of C comes between lines. */
static size_t size_of_write(const awio_stream *s, const char *data,
                            size_t size) {
  if (!s->shared || size <= SHARED_WRITE)
    return size;
  size = SHARED_WRITE;
  while (size > 0 && data[size - 1] != '\n')
    size--;
  return size > 0 ? size : SHARED_WRITE;
}

static ssize_t write_some(awio_stream *s, const char *data, size_t size) {
  if (s->secure)
    return awio_secure_write(s, data, size);
  if (s->socket)
    return note_lost(s, awio_socket_send(s->fd, data, size));
  if (s->shared && !awio_ready(s->fd, true))
    return UV_EAGAIN;
  return awio_write(s->fd, data, size);
}

/* Write as much as the kernel takes, but stop after BURST bytes, so that other
 * tasks can run. After a short write the kernel has no room. Returns the number
 * of bytes, or an error. */
static ssize_t write_all(awio_stream *s, const char *data, size_t size) {
  size_t sent = 0;
  while (sent < size && sent < BURST) {
    size_t next = size_of_write(s, data + sent, size - sent);
    ssize_t put = write_some(s, data + sent, next);
    if (put == UV_EAGAIN)
      break;
    if (put < 0)
      return put;
    sent += (size_t)put;
    if ((size_t)put < next && !s->secure) /* TLS writes a record at a time */
      break;
  }
  return (ssize_t)sent;
}

ssize_t awio_stream_send_queue(awio_stream *s) {
  size_t length = awio_buffer_length(&s->out);
  ssize_t sent = write_all(s, s->out.data + s->out.start, length);
  if (sent >= 0)
    awio_buffer_take(&s->out, (size_t)sent);
  return sent;
}

const aw_operation awio_wait_write = DRAINING("stream:write");
const aw_operation awio_wait_flush = DRAINING("stream:flush");
const aw_operation awio_wait_open = DRAINING("stream:handshake");
const aw_operation awio_wait_to = DRAINING("copy");

/* ---- terminals ---- */

/* Note whether `data`, typed into a terminal, leaves a line without its end. */
static void note_typed(awio_stream *s, const char *data, size_t size) {
  enum { END_OF_INPUT = 4 };
  if (s->types && size > 0)
    s->mid_line = data[size - 1] != '\n' && data[size - 1] != '\r' &&
                  data[size - 1] != END_OF_INPUT;
}

int awio_stream_end_input(awio_stream *s) {
  char text[2];
  if (!s->types)
    return 0;
  s->types = false;
  size_t count = (size_t)awio_pty_end(s->fd, s->mid_line, text);
  ssize_t put = 0;
  if (count > 0 && awio_buffer_length(&s->out) == 0)
    put = awio_write(s->fd, text, count);
  if (put < 0 && put != UV_EAGAIN)
    return 0; /* no process has the terminal open any more */
  size_t typed = put > 0 ? (size_t)put : 0;
  return awio_buffer_add(&s->out, text + typed, count - typed) ? 0 : AW_ENOMEM;
}

/* ---- submitting ---- */

ssize_t awio_stream_submit(awio_stream *s, const char *data, size_t size) {
  size_t sent = 0;
  size_t queued = awio_buffer_length(&s->out);
  if (queued == 0 && !s->disk) {
    ssize_t put = write_all(s, data, size);
    if (put < 0)
      return put;
    sent = (size_t)put;
  }
  size_t rest = size - sent;
  size_t room =
      s->limits.high_water > queued ? s->limits.high_water - queued : 0;
  size_t take = rest < room ? rest : room;
  note_typed(s, data, sent + take);
  if (take > 0 && !awio_buffer_add(&s->out, data + sent, take)) {
    s->broken |= awio_tls_of(s) && awio_tls_of(s)->stuck;
    return AW_ENOMEM;
  }
  return (ssize_t)(sent + take);
}

ssize_t awio_stream_put(awio_stream *s, const char *data, size_t size) {
  ssize_t put = write_some(s, data, size_of_write(s, data, size));
  if (put > 0)
    note_typed(s, data, (size_t)put);
  return put;
}

int awio_stream_yield_to_c(const awio_stream *s) {
  if (!s->shared || !awio_stdio_pending(s->fd))
    return 0;
  if (s->large || awio_buffer_length(&s->out) > 0)
    return UV_EBUSY;
  if (!awio_ready(s->fd, true))
    return UV_EAGAIN;
  awio_stdio_flush(s->fd);
  return 0;
}

int awio_stream_turn(const awio_stream *s) {
  int rc = awio_secure_turn(s);
  return rc != 0 ? rc : awio_stream_yield_to_c(s);
}

awio_owed awio_stream_owes(const awio_stream *s) {
  if (awio_secure_opens(s))
    return AWIO_HANDSHAKE;
  if (awio_buffer_length(&s->out) > 0 || awio_secure_parts(s))
    return AWIO_BYTES;
  return awio_secure_settles(s) ? AWIO_FAREWELL : AWIO_NOTHING;
}

void awio_stream_shut(awio_stream *s, aw_engine *engine) {
  s->shut = true;
  if (!s->can_read && !s->disk)
    awio_stream_close_fd(s, engine);
  else if (s->socket)
    shutdown(s->fd, SHUT_WR); /* fails if the peer is gone: nobody waits */
}
