/* stream_object.c - the class Stream: write, shutdown
 *
 * While a write waits, the Lua stack is [stream, string].
 *
 * Neighbours: read.c adds the methods that read; stream.c does the work.
 */
#include "stream/stream_object.h"

#include "stream/disk.h"
#include "stream/secure.h"
#include "tls/tls_error.h"

#include "io.h"

#include <lauxlib.h>
#include <uv.h>

#include <stddef.h>
#include <stdint.h>
#include <string.h>

awio_stream *awio_any_stream(lua_State *L) {
  awio_stream **box = awio_object(L);
  if (!box)
    aw_lua_type_error(L, 1, "stream");
  return *box;
}

static awio_stream *not_finalized(lua_State *L, awio_stream *s,
                                  const char *call) {
  if (!s)
    aw_lua_system_error(L, AW_ECLOSED, call, "stream (finalized)");
  return s;
}

awio_stream *awio_check_stream(lua_State *L, const char *call) {
  return not_finalized(L, awio_any_stream(L), call);
}

awio_stream *awio_stream_again(lua_State *L, const char *call) {
  return not_finalized(L, *(awio_stream **)lua_touserdata(L, 1), call);
}

awio_stream **awio_to_stream(lua_State *L, int index) {
  return luaL_testudata(L, index, AWIO_STREAM_CLASS);
}

int awio_fail_stream(lua_State *L, const awio_stream *s, ssize_t code,
                     const char *call) {
  if (code == AW_ENOMEM)
    return luaL_error(L, "not enough memory");
  if (s->closed) /* the code may come from a wait that the close ended */
    code = AW_ECLOSED;
  const awio_tls *tls = awio_tls_of(s);
  if (tls && !tls->established)
    call = "handshake";
  if (tls && tls->fault && code == AWIO_ETLS)
    return awio_tls_raise(L, tls->fault, call, s->name);
  return aw_lua_system_error(L, (int)code, call, s->name);
}

/* ---- writing ---- */

void awio_check_written(lua_State *L, awio_stream *s, const char *call) {
  if (!s->closed && s->can_write && !s->error)
    return;
  bool failed = !s->closed && s->can_write;
  s->told |= failed;
  awio_fail_stream(L, s, failed ? s->error : UV_EBADF, call);
}

void awio_check_writable(lua_State *L, awio_stream *s) {
  awio_check_written(L, s, "write");
  if (s->shut)
    awio_fail_stream(L, s, UV_EPIPE, "write");
  if (s->broken) {
    lua_pushfstring(L, "%s (a write to it was cancelled half way)", s->name);
    aw_lua_system_error(L, UV_ECANCELED, "write", lua_tostring(L, -1));
  }
}

static aw_loop *loop_here(lua_State *L) {
  return aw_task_loop(aw_lua_task(L, "stream:write"));
}

static void end_large(awio_stream *s) {
  s->large = false;
  awio_waiters_wake(&s->room, 0);
}

static int write_rest(lua_State *L, int result, void *data);

/* Wait in the middle of a large write. In a cancelled task no wait begins, so
 * large_disarm() is not called: break the stream here. */
static int await_large(lua_State *L, awio_stream *s) {
  if (aw_task_cancelled(aw_lua_task(L, "stream:write"))) {
    s->broken = true;
    end_large(s);
  }
  return aw_lua_await(L, s->disk ? &awio_wait_large_file : &awio_wait_large, s,
                      "stream:write", write_rest);
}

/* All bytes are submitted. On a shared descriptor wait until `out` is empty, or
 * print would overtake those bytes. */
static int written_on(lua_State *L, int result, void *data) {
  (void)data;
  awio_stream *s = awio_check_stream(L, "write");
  if (s->error)
    awio_check_written(L, s, "write");
  if (result < 0)
    return awio_fail_stream(L, s, result, "write");
  if (s->shared && !s->closed && awio_buffer_length(&s->out) > 0)
    return aw_lua_await(L, &awio_wait_room, s, "stream:write", written_on);
  lua_settop(L, 1);
  return 1;
}

/* As awio_stream_send(). A cancelled task can wait no more, and a large write
 * to a file is not cut: `out` takes the rest, whatever its limit. */
static ssize_t send_or_keep(lua_State *L, awio_stream *s, const char *data,
                            size_t size) {
  aw_loop *loop = loop_here(L); /* first: it may run a finalizer */
  awio_check_writable(L, s);
  size_t limit = s->limits.high_water;
  if (s->disk && s->large && aw_task_cancelled(aw_lua_task(L, "stream:write")))
    s->limits.high_water = SIZE_MAX / 4;
  ssize_t sent = awio_stream_send(s, loop, data, size);
  s->limits.high_water = limit;
  return sent;
}

/* Submit the string at 2, from byte `sent` on. */
static int send_on(lua_State *L, awio_stream *s, size_t sent) {
  size_t size;
  const char *data = lua_tolstring(L, 2, &size);
  ssize_t more = send_or_keep(L, s, data + sent, size - sent);
  if (more >= 0 && sent + (size_t)more < size) {
    s->large = true;
    s->sent = sent + (size_t)more;
    return await_large(L, s);
  }
  if (s->large)
    end_large(s);
  if (more < 0)
    return awio_fail_stream(L, s, more, "write");
  if (s->shared)
    return written_on(L, 0, s);
  lua_settop(L, 1);
  return 1;
}

static int write_rest(lua_State *L, int result, void *data) {
  (void)data;
  awio_stream *s = awio_check_stream(L, "write");
  if (result < 0 || s->closed || s->error) {
    end_large(s);
    awio_check_writable(L, s);
    return awio_fail_stream(L, s, result, "write");
  }
  if (awio_buffer_length(&s->out) > AWIO_LOW_WATER)
    return await_large(L, s);
  return send_on(L, s, s->sent);
}

/* Begin to submit the string at 2. A cancel before that changes nothing. */
static int write_on(lua_State *L, int result, void *data) {
  (void)data;
  awio_stream *s = awio_check_stream(L, "write");
  awio_check_writable(L, s);
  if (result < 0)
    return awio_fail_stream(L, s, result, "write");
  int rc = s->disk ? awio_disk_turn(s) : awio_stream_turn(s);
  if (rc == UV_EAGAIN)
    return aw_lua_await(L, s->disk ? &awio_wait_write_disk : &awio_wait_write,
                        s, "stream:write", write_on);
  if (rc < 0 && rc != UV_EBUSY)
    return awio_fail_stream(L, s, rc, "write");
  if (rc == UV_EBUSY || s->large ||
      awio_buffer_length(&s->out) >= s->limits.high_water)
    return aw_lua_await(L, &awio_wait_room, s, "stream:write", write_on);
  return send_on(L, s, 0);
}

/* Does nothing keep the kernel from taking bytes at once? */
static bool is_free(const awio_stream *s) {
  return s->socket && s->can_write && !s->closed && !s->shut && !s->broken &&
         !s->large && !s->error && awio_buffer_length(&s->out) == 0 &&
         !awio_secure_opens(s);
}

/* The usual write, of the string at 2 to a free stream. */
static int write_at_once(lua_State *L, awio_stream *s) {
  size_t size;
  const char *data = lua_tolstring(L, 2, &size);
  ssize_t put = awio_stream_put(s, data, size);
  if (put == (ssize_t)size) {
    lua_settop(L, 1);
    return 1;
  }
  if (put < 0 && put != UV_EAGAIN)
    return awio_fail_stream(L, s, put, "write");
  return send_on(L, s, put > 0 ? (size_t)put : 0);
}

/* Does `out` only grow by a small write, since the pump of the file runs? */
static bool gathers(const awio_stream *s, size_t size) {
  size_t queued = awio_buffer_length(&s->out);
  return s->disk && s->pumping && !s->can_read && !s->closed && !s->shut &&
         !s->broken && !s->large && !s->error && queued > 0 &&
         queued + size < AWIO_GATHER && queued + size < s->limits.high_water;
}

static int write_gathered(lua_State *L, awio_stream *s) {
  size_t size;
  const char *data = lua_tolstring(L, 2, &size);
  if (!awio_buffer_add(&s->out, data, size))
    return awio_fail_stream(L, s, AW_ENOMEM, "write");
  lua_settop(L, 1);
  return 1;
}

/* s:write(…) → s */
static int stream_write(lua_State *L) {
  awio_stream *s = awio_check_stream(L, "write");
  if (lua_type(L, 2) == LUA_TSTRING && lua_gettop(L) == 2 && is_free(s) &&
      aw_lua_quick(s->here, L))
    return write_at_once(L, s);
  if (lua_type(L, 2) == LUA_TSTRING && lua_gettop(L) == 2 &&
      gathers(s, lua_rawlen(L, 2)) && aw_lua_quick(s->here, L))
    return write_gathered(L, s);
  int count = lua_gettop(L) - 1;
  for (int i = 0; i < count; i++)
    aw_lua_check_string(L, 2 + i, NULL);
  lua_concat(L, count);
  return aw_lua_begin(L, s, "stream:write", write_on);
}

static int shutdown_on(lua_State *L, int result, void *data) {
  (void)data;
  awio_stream *s = awio_check_stream(L, "shutdown");
  if (s->shut)
    return 0;
  awio_check_writable(L, s);
  if (result < 0)
    return awio_fail_stream(L, s, result, "shutdown");
  int rc = awio_secure_turn(s);
  if (rc == UV_EAGAIN)
    return aw_lua_await(L, &awio_wait_open, s, "stream:shutdown", shutdown_on);
  if (rc == 0 && awio_buffer_length(&s->out) == 0 && !s->large)
    rc = awio_stream_end_input(s);
  if (rc == 0 && !s->large)
    awio_secure_part(s);
  bool queued = rc == 0 && (awio_stream_owes(s) || (s->disk && s->pumping));
  if (queued)
    rc = awio_stream_pump(s, loop_here(L));
  if (rc < 0)
    return awio_fail_stream(L, s, rc, "shutdown");
  if (queued || s->large)
    return aw_lua_await(L, &awio_wait_sent, s, "stream:shutdown", shutdown_on);
  awio_stream_shut(s, aw_lua_engine(L));
  return 0;
}

/* s:shutdown(): wait until everything is sent, then let the other side see the
 * end of the file */
static int stream_shutdown(lua_State *L) {
  awio_stream *s = awio_check_stream(L, "shutdown");
  lua_settop(L, 1);
  return aw_lua_begin(L, s, "stream:shutdown", shutdown_on);
}

/* ---- the rest ---- */

/* Lua has skipped the finalizer of the Stream: release the stream here. */
static void release_lost_stream(aw_lua_held *held) {
  awio_stream *s = (awio_stream *)((char *)held - offsetof(awio_stream, held));
  awio_stream_close(s, NULL);
  awio_stream_release(s);
}

/* A guess at the bytes that a Stream costs outside Lua: its descriptor, and
 * buffers that come and go. With it the collector runs before garbage holds too
 * many descriptors. */
enum { WEIGHT = 16 * 1024 };

void awio_fill_stream(lua_State *L, awio_stream **box, awio_stream *stream) {
  *box = stream;
  if (!stream)
    return;
  stream->held.release = release_lost_stream;
  stream->here = aw_lua_place(L);
  aw_lua_hold(L, &stream->held);
  aw_lua_weigh_open(stream->here, &stream->weight, WEIGHT);
}

void awio_warn_unwritten(lua_State *L, awio_stream *s) {
  s->told = true;
  lua_pushfstring(L,
                  "bytes written to '%s' are lost (%s), and no call has "
                  "raised that",
                  s->name, aw_strerror(s->error));
  aw_lua_mistake(L, aw_lua_where(L), "lost write");
}

static int stream_gc(lua_State *L) {
  awio_stream **box = lua_touserdata(L, 1);
  if (*box) {
    if ((*box)->error && !(*box)->told)
      awio_warn_unwritten(L, *box);
    (*box)->types = false; /* the Process is garbage, too, and ends the child */
    aw_lua_let_go(&(*box)->held);
    awio_stream_close(*box, (*box)->engine ? aw_lua_engine(L) : NULL);
    awio_stream_release(*box);
  }
  *box = NULL;
  return 0;
}

static const char *stream_state(const awio_stream *s) {
  if (s->closed)
    return "closed";
  if (s->broken)
    return "broken";
  if (s->error == AWIO_ETLS)
    return "failed";
  if (s->error)
    return aw_error_name(s->error);
  if (s->ended && awio_buffer_length(&s->in) == 0)
    return "at its end";
  return s->shut ? "shut down" : "open";
}

static int stream_tostring(lua_State *L) {
  const awio_stream *s = awio_any_stream(L);
  if (s)
    lua_pushfstring(L, "stream '%s' (%s)", s->name, stream_state(s));
  else
    lua_pushliteral(L, "stream (finalized)");
  return 1;
}

static void check_limit(lua_State *L, int arg, const char *field,
                        size_t *limit) {
  int type = lua_getfield(L, arg, field);
  if (type != LUA_TNIL) {
    lua_Number number = lua_tonumber(L, -1);
    if (type != LUA_TNUMBER)
      aw_lua_bad_option(L, field, "positive number of bytes");
    if (!(number >= 1))
      aw_lua_error(L, "bad option '%s' (positive number of bytes expected)",
                   field);
    *limit =
        number < (lua_Number)(SIZE_MAX / 4) ? (size_t)number : SIZE_MAX / 4;
  }
  lua_pop(L, 1);
}

void awio_check_limits(lua_State *L, int arg, awio_limits *limits) {
  check_limit(L, arg, "max_line", &limits->max_line);
  check_limit(L, arg, "high_water", &limits->high_water);
  check_limit(L, arg, "max_output", &limits->max_output);
}

/* s:getfd() → descriptor, for a Poller [Q6] */
static int stream_getfd(lua_State *L) {
  const awio_stream *s = awio_check_stream(L, "getfd");
  if (s->closed || s->fd < 0)
    return awio_fail_stream(L, s, AW_ECLOSED, "getfd");
  lua_pushinteger(L, s->fd);
  return 1;
}

/* s:dirty() → whether the stream holds bytes for its readers [Q6] */
static int stream_dirty(lua_State *L) {
  awio_stream *s = awio_check_stream(L, "dirty");
  if (awio_buffer_length(&s->in) == 0 && awio_tls_of(s) &&
      awio_tls_holds_bytes(awio_tls_of(s)) && !s->ended)
    awio_stream_fill(s, 0);
  lua_pushboolean(L, awio_buffer_length(&s->in) > 0);
  return 1;
}

awio_stream **awio_push_stream(lua_State *L, int anchor) {
  anchor = anchor ? lua_absindex(L, anchor) : 0;
  awio_stream **box = lua_newuserdatauv(L, sizeof *box, 1);
  *box = NULL;
  luaL_setmetatable(L, AWIO_STREAM_CLASS);
  if (anchor != 0) {
    lua_pushvalue(L, anchor);
    lua_setiuservalue(L, -2, 1);
  }
  aw_lua_weigh(L, 0); /* collect for those that stay open */
  return box;
}

static const luaL_Reg methods[] = {{"write", stream_write},
                                   {"shutdown", stream_shutdown},
                                   {"getfd", stream_getfd},
                                   {"dirty", stream_dirty},
                                   {NULL, NULL}};

static const luaL_Reg meta[] = {
    {"__gc", stream_gc}, {"__tostring", stream_tostring}, {NULL, NULL}};

static void make_stream_class(lua_State *L) {
  luaL_newmetatable(L, AWIO_STREAM_CLASS);
  lua_pushvalue(L, -1);
  aw_lua_set_functions(L, meta, 1);
  lua_pushboolean(L, 0);
  lua_setfield(L, -2, "__metatable"); /* locked */
  lua_newtable(L);
  lua_pushvalue(L, -2);
  aw_lua_set_functions(L, methods, 1);
  lua_setfield(L, -2, "__index");
  lua_pop(L, 1);
}

void awio_add_stream_methods(lua_State *L, const luaL_Reg *list) {
  luaL_getmetatable(L, AWIO_STREAM_CLASS);
  lua_getfield(L, -1, "__index");
  lua_pushvalue(L, -2);
  aw_lua_set_functions(L, list, 1);
  lua_pop(L, 2);
}

void awio_open_stream(lua_State *L) {
  static const char *const standard[] = {"stdin", "stdout", "stderr"};
  make_stream_class(L);
  for (int fd = 0; fd < 3; fd++) {
    awio_stream **box = awio_push_stream(L, 0);
    awio_fill_stream(L, box,
                     awio_stream_new(fd, fd == 0, fd != 0, standard[fd]));
    if (!*box)
      luaL_error(L, "not enough memory");
    lua_setfield(L, -2, standard[fd]);
  }
}
