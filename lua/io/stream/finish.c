/* finish.c - methods that wait for what was written: flush, sync, close, seek
 *
 * For a file they wait for its job, look again, and wait again if another task
 * has begun a new one. Only a file is awaited by its close(). While they wait,
 * the Lua stack is
 *
 *     [stream]                     in flush()
 *     [stream, whence, offset]     in seek()
 *     [stream, number of a sync]   in sync()
 *     [stream, error or nil]       in close()
 *
 * Neighbours: disk.c does the work; stream_object.c has the class.
 */
#include "stream/disk.h"
#include "stream/secure.h"
#include "stream/stream_object.h"

#include "io.h"

#include <lauxlib.h>
#include <uv.h>

#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* ---- flush ---- */

static int flush_disk_on(lua_State *L, int result, void *data) {
  (void)data;
  awio_stream *s = awio_check_stream(L, "flush");
  awio_check_written(L, s, "flush");
  if (result < 0)
    return awio_fail_stream(L, s, result, "flush");
  if (!s->disk || (awio_disk_rest(s) && !s->large)) {
    awio_check_written(L, s, "flush");
    return 1;
  }
  if (s->large)
    return aw_lua_await(L, &awio_wait_flushed, s, "stream:flush",
                        flush_disk_on);
  return aw_lua_await(L, &awio_wait_flush_disk, s, "stream:flush",
                      flush_disk_on);
}

static int flush_on(lua_State *L, int result, void *data) {
  (void)data;
  awio_stream *s = awio_check_stream(L, "flush");
  awio_check_written(L, s, "flush");
  if (result < 0)
    return awio_fail_stream(L, s, result, "flush");
  bool queued = awio_buffer_length(&s->out) > 0;
  int rc =
      queued ? awio_stream_pump(s, aw_task_loop(aw_lua_task(L, "stream:flush")))
             : 0;
  if (rc < 0)
    return awio_fail_stream(L, s, rc, "flush");
  if (queued || s->large)
    return aw_lua_await(L, &awio_wait_flushed, s, "stream:flush", flush_on);
  if (awio_stream_yield_to_c(s) == UV_EAGAIN)
    return aw_lua_await(L, &awio_wait_flush, s, "stream:flush", flush_on);
  return 1;
}

/* s:flush() → s: wait until the kernel has all bytes that were written. For
 * aw.stdout these include the output of print and io.write. */
static int stream_flush(lua_State *L) {
  awio_stream *s = awio_check_stream(L, "flush");
  lua_settop(L, 1);
  if (s->disk)
    return aw_lua_begin(L, s, "stream:flush", flush_disk_on);
  return aw_lua_begin(L, s, "stream:flush", flush_on);
}

/* ---- sync ---- */

static int sync_on(lua_State *L, int result, void *data) {
  enum { AT_NUMBER = 2 };
  (void)data;
  awio_stream *s = awio_check_stream(L, "sync");
  awio_check_written(L, s, "sync");
  if (result < 0)
    return awio_fail_stream(L, s, result, "sync");
  uint64_t number = (uint64_t)lua_tointeger(L, AT_NUMBER);
  bool rests = awio_disk_rest(s) && !s->large;
  awio_check_written(L, s, "sync");
  if (number != 0 && s->disk->synced >= number) {
    lua_settop(L, 1);
    return 1;
  }
  if (rests && number <= s->disk->synced) {
    int rc = awio_disk_sync(s);
    if (rc < 0)
      return awio_fail_stream(L, s, rc, "sync");
    lua_settop(L, 1);
    lua_pushinteger(L, (lua_Integer)s->disk->syncs);
  }
  return aw_lua_await(L, s->large ? &awio_wait_flushed : &awio_wait_sync, s,
                      "stream:sync", sync_on);
}

/* s:sync() → s: wait until everything that was written is on the disk */
static int stream_sync(lua_State *L) {
  awio_stream *s = awio_check_stream(L, "sync");
  lua_settop(L, 1);
  awio_check_written(L, s, "sync");
  if (!s->disk)
    return awio_fail_stream(L, s, UV_EINVAL, "sync");
  lua_pushinteger(L, 0);
  return aw_lua_begin(L, s, "stream:sync", sync_on);
}

/* ---- seek ---- */

enum { AT_WHENCE = 2, AT_OFFSET = 3 };

static const char *const whences[] = {"set", "cur", "end", NULL};

static int seek_on(lua_State *L, int result, void *data) {
  static const int numbers[] = {SEEK_SET, SEEK_CUR, SEEK_END};
  (void)data;
  awio_stream *s = awio_check_stream(L, "seek");
  if (s->closed)
    return awio_fail_stream(L, s, AW_ECLOSED, "seek");
  if (result < 0)
    return awio_fail_stream(L, s, result, "seek");
  if (!awio_disk_rest(s) || s->large)
    return aw_lua_await(L, s->large ? &awio_wait_flushed : &awio_wait_seek, s,
                        "stream:seek", seek_on);
  if (s->error && !s->told)
    awio_check_written(L, s, "seek");
  int whence = numbers[lua_tointeger(L, AT_WHENCE)];
  off_t at = awio_disk_seek(s, (off_t)lua_tointeger(L, AT_OFFSET), whence);
  if (at < 0)
    return awio_fail_stream(L, s, (ssize_t)at, "seek");
  lua_pushinteger(L, (lua_Integer)at);
  return 1;
}

/* s:seek([whence [, offset]]) → position, as that of Lua's files */
static int stream_seek(lua_State *L) {
  awio_stream *s = awio_check_stream(L, "seek");
  lua_settop(L, AT_OFFSET);
  int whence = 1;
  if (!lua_isnil(L, AT_WHENCE)) {
    const char *name = aw_lua_check_string(L, AT_WHENCE, NULL);
    for (whence = 0; whences[whence] && strcmp(whences[whence], name) != 0;)
      whence++;
    if (!whences[whence])
      aw_lua_arg_error(L, AT_WHENCE,
                       lua_pushfstring(L, "invalid option '%s'", name));
  }
  lua_Integer offset =
      lua_isnil(L, AT_OFFSET) ? 0 : aw_lua_check_integer(L, AT_OFFSET);
  if (s->closed)
    return awio_fail_stream(L, s, AW_ECLOSED, "seek");
  if (!s->disk)
    return awio_fail_stream(L, s, UV_ESPIPE, "seek");
  lua_settop(L, 1);
  lua_pushinteger(L, whence);
  lua_pushinteger(L, offset);
  return aw_lua_begin(L, s, "stream:seek", seek_on);
}

/* ---- close ---- */

static int wait_closed_on(lua_State *L, int result, void *data) {
  (void)result;
  (void)data;
  awio_stream *s = *(awio_stream **)lua_touserdata(L, 1);
  if (!s || !s->pumping)
    return 0;
  return aw_lua_await(L, &awio_wait_closed, s, "stream:close", wait_closed_on);
}

/* The function that awio_close_disk() runs in a shield. Upvalue 1: the Stream.
 */
static int wait_closed(lua_State *L) {
  lua_settop(L, 0);
  lua_pushvalue(L, lua_upvalueindex(1));
  return wait_closed_on(L, 0, NULL);
}

/* Raise the error of a write that no call has raised. If another error leaves
 * the block of the Stream, warn of it: that one is not hidden. */
static int report_closed(lua_State *L, awio_stream *s, bool fails) {
  if (!s || !s->error || s->told)
    return 0;
  s->told = true;
  if (!fails)
    return aw_lua_system_error(L, s->error, "close", s->name);
  awio_warn_unwritten(L, s);
  return 0;
}

static int after_closed(lua_State *L, int status, lua_KContext fails) {
  (void)status;
  return report_closed(L, *(awio_stream **)lua_touserdata(L, 1), fails != 0);
}

/* [stream, error or nil] */
static int close_file(lua_State *L, awio_stream *s, int shield) {
  enum { AT_ERROR = 2 };
  lua_settop(L, AT_ERROR);
  bool fails = !lua_isnil(L, AT_ERROR);
  bool waits = awio_disk_must_finish(s) && aw_lua_may_await(L);
  if (waits && !s->closed)
    awio_stream_pump(s, aw_task_loop(aw_lua_task(L, "stream:close")));
  awio_stream_close(s, aw_lua_engine(L));
  if (!waits || !s->pumping)
    return report_closed(L, s, fails);
  lua_pushvalue(L, shield);
  lua_pushvalue(L, 1);
  lua_pushcclosure(L, wait_closed, 1);
  lua_callk(L, 1, 0, fails, after_closed);
  return after_closed(L, LUA_OK, fails);
}

/* End what is sent: by the end of a terminal's input, or over TLS by
 * close_notify. The pump sends what the kernel cannot take now, and waits if
 * the socket cannot be closed yet. */
static void end_output(awio_stream *s, aw_loop *loop) {
  int rc = s->closed ? AW_ECLOSED : awio_stream_end_input(s);
  if (rc < 0)
    return;
  awio_secure_part(s);
  if (awio_stream_owes(s) == AWIO_BYTES || !awio_secure_settle(s))
    awio_stream_pump(s, loop);
}

/* s:close(): that of a file waits until it is written. Upvalue 2: aw.shield. */
static int stream_close(lua_State *L) {
  aw_engine *engine = aw_lua_engine(L); /* first: it may run a finalizer */
  awio_stream *s = awio_any_stream(L);
  if (s && (s->disk || !s->told))
    return close_file(L, s, lua_upvalueindex(2));
  if (s && (s->types || s->secure) && aw_lua_may_await(L))
    end_output(s, aw_task_loop(aw_lua_task(L, "stream:close")));
  if (s)
    awio_stream_close(s, engine);
  return 0;
}

/* Add the methods to the class. close() and __close get aw.shield, too. [inner,
 * module] */
void awio_open_finish(lua_State *L) {
  static const luaL_Reg methods[] = {{"flush", stream_flush},
                                     {"sync", stream_sync},
                                     {"seek", stream_seek},
                                     {NULL, NULL}};
  static const luaL_Reg closing[] = {{"close", stream_close}, {NULL, NULL}};
  static const luaL_Reg meta[] = {{"__close", stream_close}, {NULL, NULL}};
  awio_add_stream_methods(L, methods);
  luaL_getmetatable(L, AWIO_STREAM_CLASS);
  lua_pushvalue(L, -1);
  lua_getfield(L, -3, "shield");
  aw_lua_set_functions(L, meta, 2);
  lua_getfield(L, -1, "__index");
  lua_pushvalue(L, -2);
  lua_getfield(L, -4, "shield");
  aw_lua_set_functions(L, closing, 2);
  lua_pop(L, 2);
}
