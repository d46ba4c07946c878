/* events.c - streams as events: aw.Recv, which reads what is there, and
 * Readable and Writable, which only wait
 *
 *     descriptor ready ─► read(2) ─► stream.in ─► result of the task
 *                    (commit)             (the task takes it)
 *
 * Recv commits when bytes have come, or the end. The bytes stay in the stream
 * until the task takes its results. So a result that is dropped, as that of a
 * killed task, has taken nothing, and the bytes keep their order. In the
 * meantime another task may read them: then the result is an empty string.
 *
 * A wire may run after its Stream was finalized, so the data of all these
 * operations is the userdata of the Stream. Over TLS, a readable socket may
 * hold less than a record: these events look for plain bytes.
 *
 * Neighbours: stream.c fills the buffer; read.c has s:read_some().
 */
#include "stream/stream_object.h"

#include "stream/disk.h"
#include "stream/secure.h"

#include "io.h"

#include <lauxlib.h>
#include <uv.h>

#include <stdio.h>

/* ---- the value ---- */

typedef struct received {
  aw_lua_value value;
  awio_stream *stream; /* a reference */
  awio_buffer bytes;   /* what the task has taken, for later calls of push */
  bool taken, ended;
  int failed; /* with this code of TLS; 0: there are bytes, or the end */
} received;

/* Push the bytes that are in the stream, and move them to the value. Making the
 * string may raise, or run a finalizer that reads. */
static void take_received(lua_State *L, received *r) {
  awio_stream *s = r->stream;
  while (!r->taken) {
    uint64_t seen = s->taken;
    size_t length = awio_buffer_length(&s->in);
    r->ended = length == 0 && (s->ended || s->closed);
    lua_pushlstring(L, length > 0 ? s->in.data + s->in.start : "", length);
    awio_buffer bytes = s->in; /* a finalizer may have added some */
    bool same = awio_buffer_length(&bytes) == length;
    if (length == 0 || (same && awio_stream_take(s, length, seen))) {
      r->taken = true;
      if (length > 0) {
        s->in = (awio_buffer){NULL, 0, 0, 0};
        r->bytes = bytes;
      }
    } else {
      lua_pop(L, 1);
    }
  }
}

static int push_received(lua_State *L, aw_lua_value *value) {
  received *r = (received *)value;
  if (r->failed)
    return awio_fail_stream(L, r->stream, r->failed, "read");
  if (!r->taken)
    take_received(L, r);
  else
    lua_pushlstring(L, r->bytes.data ? r->bytes.data + r->bytes.start : "",
                    awio_buffer_length(&r->bytes));
  if (r->ended) {
    lua_pop(L, 1);
    lua_pushnil(L);
  }
  return 1;
}

static void release_received(aw_lua_value *value) {
  received *r = (received *)value;
  awio_buffer_free(&r->bytes);
  awio_stream_release(r->stream);
  aw_free(r);
}

static int set_value(aw_task *task, awio_stream *s, int failed) {
  received *r = aw_allocate(sizeof *r);
  if (!r)
    return AW_ENOMEM;
  r->value.push = push_received;
  r->value.release = release_received;
  r->stream = s;
  r->failed = failed;
  s->refs++;
  aw_task_set_value(task, aw_lua_box(&r->value));
  return 1;
}

/* ---- all of them ---- */

static awio_stream *stream_in(const void *data) {
  return *(awio_stream *const *)data;
}

static bool is_gone(const awio_stream *s) {
  return !s || s->closed || s->fd < 0;
}

static void event_disarm(aw_task *task, void *data) {
  awio_stream_disarm(task, stream_in(data));
}

static void event_describe(const void *data, char *out, size_t size) {
  const awio_stream *s = stream_in(data);
  snprintf(out, size, "%s", s ? s->name : "stream (finalized)");
}

/* Must TLS send before it can read? A wait that has begun for bytes cannot wait
 * for room instead. So it ends without any, and the next one does. */
static bool must_send(const awio_stream *s) {
  return awio_secure_read_events(s) == AW_WRITABLE;
}

/* ---- Recv ---- */

/* Read unless there are bytes. Returns 1 with the value set, 0 if the task must
 * wait, or an error. The error of a result with that of TLS has a text. */
static int try_receive(aw_task *task, awio_stream *s) {
  if (awio_buffer_length(&s->in) == 0 && !s->ended) {
    ssize_t got = awio_stream_fill(s, 0);
    if (got == UV_EAGAIN)
      return 0;
    if (got < 0)
      return s->secure ? set_value(task, s, (int)got) : (int)got;
  }
  return set_value(task, s, 0);
}

/* Each job that is over may have brought bytes. */
static int receive_from_disk(aw_task *task, awio_stream *s) {
  for (;;) {
    int rc = try_receive(task, s);
    if (rc != 0)
      return rc;
    rc = s->acts->arm(task, s, AW_READY);
    if (rc != 1) /* else the job is over by now */
      return rc;
  }
}

static int receive_ready(aw_task *task, void *data) {
  awio_stream *s = stream_in(data);
  if (!s || s->closed)
    return AW_ECLOSED;
  if (s->disk)
    return receive_from_disk(task, s);
  awio_stream_note_readable(s);
  int rc = try_receive(task, s);
  if (rc == 0 && must_send(s))
    return set_value(task, s, 0);
  return rc;
}

static int receive_arm(aw_task *task, void *data) {
  awio_stream *s = stream_in(data);
  if (!s || s->closed)
    return AW_ECLOSED;
  if (!s->can_read)
    return UV_EBADF;
  if (s->ended && s->disk)
    awio_disk_look_again(s);
  if (awio_buffer_length(&s->in) > 0 || s->ended)
    return set_value(task, s, 0);
  if (s->disk)
    return receive_from_disk(task, s);
  if (awio_secure_opens(s))
    return awio_secure_wait(task, s, receive_arm, data);
  int rc = s->secure ? try_receive(task, s) : 0;
  if (rc != 0)
    return rc;
  rc = awio_stream_arm(task, s, awio_secure_read_events(s));
  return rc == 1 ? receive_ready(task, data) : rc;
}

static const aw_operation receiving = {.label = "recv",
                                       .arm = receive_arm,
                                       .disarm = event_disarm,
                                       .ready = receive_ready,
                                       .external = true,
                                       .describe = event_describe};

/* aw.Recv(stream) → Wire */
static int make_stream_recv(lua_State *L) {
  awio_stream **box = awio_to_stream(L, 1);
  aw_lua_push_wire(L, aw_wait_for(&receiving, box), 1);
  return 1;
}

/* ---- Readable and Writable [Q6] ---- */

/* Over TLS: is there something to read, as bytes, the end or a failure? */
static int look_for_bytes(awio_stream *s) {
  return awio_stream_fill(s, 0) == UV_EAGAIN ? 0 : 1;
}

static int readable_ready(aw_task *task, void *data) {
  (void)task;
  awio_stream *s = stream_in(data);
  if (is_gone(s))
    return AW_ECLOSED;
  awio_stream_note_readable(s);
  return !s->secure || look_for_bytes(s) || must_send(s);
}

/* A stream whose buffer holds bytes is ready at once. Files are always ready,
 * as for poll(2). */
static int readable_arm(aw_task *task, void *data) {
  awio_stream *s = stream_in(data);
  if (is_gone(s))
    return AW_ECLOSED;
  if (awio_secure_opens(s))
    return awio_secure_wait(task, s, readable_arm, data);
  if (awio_buffer_length(&s->in) > 0 || s->disk ||
      (s->secure && look_for_bytes(s)))
    return 1;
  int rc = awio_stream_arm(task, s, awio_secure_read_events(s));
  return rc == 1 ? readable_ready(task, data) : rc;
}

static int writable_arm(aw_task *task, void *data) {
  awio_stream *s = stream_in(data);
  if (is_gone(s))
    return AW_ECLOSED;
  if (awio_secure_opens(s))
    return awio_secure_wait(task, s, writable_arm, data);
  return s->disk ? 1 : awio_stream_arm(task, s, AW_WRITABLE);
}

const aw_operation awio_stream_readable = {.label = "readable",
                                           .arm = readable_arm,
                                           .disarm = event_disarm,
                                           .external = true,
                                           .describe = event_describe,
                                           .ready = readable_ready};
const aw_operation awio_stream_writable = {.label = "writable",
                                           .arm = writable_arm,
                                           .disarm = event_disarm,
                                           .external = true,
                                           .describe = event_describe};

/* Make streams sources of aw.Recv. */
void awio_open_events(lua_State *L) {
  static const aw_lua_source source = {.recv = make_stream_recv};
  luaL_getmetatable(L, AWIO_STREAM_CLASS);
  aw_lua_add_source(L, -1, &source);
  lua_pop(L, 1);
}
