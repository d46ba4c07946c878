/* disk_object.c - methods for files: seek, sync, and their flush and close
 *
 * They wait for the job of the file, look again, and wait again if another task
 * has begun a new one. While they wait, the Lua stack is
 *
 *     [stream]                     in flush() and close()
 *     [stream, whence, offset]     in seek()
 *     [stream, number of a sync]   in sync()
 *
 * Neighbours: disk.c does the work; stream_object.c has the class.
 */
#include "stream/disk.h"
#include "stream/stream_object.h"

#include "io.h"

#include <lauxlib.h>
#include <uv.h>

#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* ---- waiting for the job ---- */

static int job_arm(aw_task *task, void *data) {
  return awio_disk_arm(task, data, 0);
}

static void describe_file(const void *data, char *out, size_t size) {
  const awio_stream *s = data;
  snprintf(out, size, "%s", s->name);
}

#define FOR_JOB(what) \
  { \
    .label = (what), .arm = job_arm, .disarm = awio_disk_disarm, \
    .external = true, .describe = describe_file \
  }
const aw_operation awio_wait_to_disk = FOR_JOB("copy");
const aw_operation awio_wait_write_disk = FOR_JOB("stream:write");
static const aw_operation wait_flush_disk = FOR_JOB("stream:flush");
static const aw_operation wait_seek = FOR_JOB("stream:seek");
static const aw_operation wait_sync = FOR_JOB("stream:sync");

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
  return aw_lua_await(L, &wait_flush_disk, s, "stream:flush", flush_disk_on);
}

int awio_flush_disk(lua_State *L, awio_stream *s) {
  return aw_lua_begin(L, s, "stream:flush", flush_disk_on);
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
  return aw_lua_await(L, s->large ? &awio_wait_flushed : &wait_sync, s,
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
    return aw_lua_await(L, s->large ? &awio_wait_flushed : &wait_seek, s,
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

void awio_warn_unwritten(lua_State *L, awio_stream *s) {
  s->told = true;
  lua_pushfstring(L,
                  "bytes written to '%s' are lost (%s), and no call has "
                  "raised that",
                  s->name, aw_strerror(s->error));
  aw_lua_mistake(L, aw_lua_where(L), "lost write");
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
int awio_close_disk(lua_State *L, awio_stream *s, int shield) {
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

/* Add the methods to the class. */
void awio_open_disk(lua_State *L) {
  static const luaL_Reg methods[] = {
      {"seek", stream_seek}, {"sync", stream_sync}, {NULL, NULL}};
  awio_add_stream_methods(L, methods);
}
