/* copy.c - aw.copy: from one stream to another, without Lua strings
 *
 *     kernel → read(2) → from.in → write(2) → kernel
 *
 * Bytes leave `from` when the kernel has taken them for `to`; they never enter
 * the queue of `to`, unless that is a file or goes over TLS. So a copy that
 * ends early, by a cancel or an error, leaves in `from` what it has read and
 * not written: nothing is lost, and another copy may go on [C10]. While it
 * waits, the Lua stack is
 *
 *     [from, limit, bytes copied, to]
 *
 * with `from` first and `to` last, since a wait keeps these two alive.
 *
 * Neighbours: stream.c does the work.
 */
#include "stream/stream_object.h"

#include "stream/disk.h"
#include "stream/secure.h"

#include "io.h"

#include <lauxlib.h>
#include <uv.h>

enum { AT_FROM = 1, AT_LIMIT, AT_COPIED, AT_TO };

enum { BURST = 512 * 1024 }; /* bytes before other tasks have a turn */

static const char *const NAME = "copy";

static awio_stream *target(lua_State *L) {
  awio_stream **box = lua_touserdata(L, AT_TO);
  if (!*box)
    aw_lua_system_error(L, AW_ECLOSED, "write", "stream (finalized)");
  return *box;
}

static uint64_t integer_at(lua_State *L, int index) {
  return (uint64_t)lua_tointeger(L, index);
}

/* The same for a file, which takes bytes behind those that are queued. */
static const aw_operation *wait_for_disk(lua_State *L, awio_stream *to) {
  int rc = awio_disk_turn(to);
  if (rc < 0 && rc != UV_EAGAIN)
    awio_fail_stream(L, to, rc, "write");
  if (rc == UV_EAGAIN)
    return &awio_wait_to_disk;
  bool full = awio_buffer_length(&to->out) >= to->limits.high_water;
  return full || to->large ? &awio_wait_turn : NULL;
}

/* Return the operation to wait for, until nothing is queued in `to` before our
 * bytes; NULL if they can be written now. Raises. */
static const aw_operation *wait_for_turn(lua_State *L, awio_stream *to) {
  if (to->disk)
    return wait_for_disk(L, to);
  int rc = awio_stream_turn(to);
  if (rc == UV_EAGAIN)
    return &awio_wait_to;
  bool queued = awio_buffer_length(&to->out) > 0;
  if (queued) { /* its pump may have ended with its loop */
    rc = awio_stream_pump(to, aw_task_loop(aw_lua_task(L, NAME)));
    if (rc < 0)
      awio_fail_stream(L, to, rc, "write");
  }
  return queued || to->large ? &awio_wait_turn : NULL;
}

/* Hand bytes of `from.in`, at most `most`, to the kernel. Returns their number,
 * or an error.
 *
 *   full  receives whether the kernel has no room for more
 */
static ssize_t pass_on(lua_State *L, awio_stream *from, awio_stream *to,
                       uint64_t most, bool *full) {
  size_t size = awio_buffer_length(&from->in);
  if (size > most)
    size = (size_t)most;
  const char *data = from->in.data + from->in.start;
  bool queues = to->disk || to->secure;
  ssize_t put =
      queues
          ? awio_stream_send(to, aw_task_loop(aw_lua_task(L, NAME)), data, size)
          : awio_stream_put(to, data, size);
  *full = !queues &&
          (put == UV_EAGAIN || (put >= 0 && (size_t)put < size && !to->shared));
  if (put > 0)
    awio_stream_take(from, (size_t)put, from->taken);
  return put == UV_EAGAIN ? 0 : put;
}

static void note_copied(lua_State *L, uint64_t copied) {
  lua_pushinteger(L, (lua_Integer)copied);
  lua_replace(L, AT_COPIED);
}

static int copied_from(lua_State *L, int result, void *data);
static int copied_to(lua_State *L, int result, void *data);

static int finish(lua_State *L) {
  lua_pushvalue(L, AT_COPIED);
  return 1;
}

/* Read into `from.in` if it is empty. Returns the number of bytes in it; 0 at
 * the end; or UV_EAGAIN. Raises. */
static ssize_t have_bytes(lua_State *L, awio_stream *from) {
  size_t length = awio_buffer_length(&from->in);
  if (length > 0)
    return (ssize_t)length;
  if (from->ended)
    return 0;
  ssize_t got = awio_stream_fill(from, 0);
  if (got < 0 && got != UV_EAGAIN)
    awio_fail_stream(L, from, got, "read");
  return got;
}

static int copy_on(lua_State *L) {
  awio_stream *from = awio_check_stream(L, "read"), *to = target(L);
  uint64_t limit = integer_at(L, AT_LIMIT), begin = integer_at(L, AT_COPIED);
  for (uint64_t copied = begin; copied - begin < BURST;) {
    if (from->closed)
      return awio_fail_stream(L, from, AW_ECLOSED, "read");
    awio_check_writable(L, to);
    if (copied == limit)
      return finish(L);
    ssize_t length = have_bytes(L, from);
    if (length == 0)
      return finish(L);
    if (length == UV_EAGAIN)
      return aw_lua_await(L, &awio_wait_from, from, NAME, copied_from);
    const aw_operation *turn = wait_for_turn(L, to);
    if (turn)
      return aw_lua_await(L, turn, to, NAME, copied_to);
    bool full;
    ssize_t put = pass_on(L, from, to, limit - copied, &full);
    if (put < 0)
      return awio_fail_stream(L, to, put, "write");
    note_copied(L, copied += (uint64_t)put);
    if (full)
      return aw_lua_await(L, &awio_wait_to, to, NAME, copied_to);
  }
  return aw_lua_await(L, NULL, from, NAME, copied_from);
}

/* A wait that concerned `from` has ended. */
static int copied_from(lua_State *L, int result, void *data) {
  (void)data;
  if (result < 0)
    return awio_fail_stream(L, awio_check_stream(L, "read"), result, "read");
  return copy_on(L);
}

static int copied_to(lua_State *L, int result, void *data) {
  (void)data;
  if (result < 0)
    return awio_fail_stream(L, target(L), result, "write");
  return copy_on(L);
}

static awio_stream *check_stream_at(lua_State *L, int arg) {
  awio_stream **box = awio_to_stream(L, arg);
  if (!box)
    aw_lua_type_error(L, arg, "stream");
  if (!*box)
    aw_lua_system_error(L, AW_ECLOSED, NAME, "stream (finalized)");
  return *box;
}

/* aw.copy(from, to [, limit]) → bytes */
static int act_copy(lua_State *L) {
  awio_stream *from = check_stream_at(L, 1), *to = check_stream_at(L, 2);
  lua_Integer limit =
      lua_isnoneornil(L, 3) ? LUA_MAXINTEGER : aw_lua_check_integer(L, 3);
  aw_lua_arg_check(L, limit >= 0, 3, "a number of bytes, not negative");
  lua_settop(L, 2);
  lua_pushinteger(L, limit);
  lua_pushinteger(L, 0);
  lua_rotate(L, 2, 2); /* [from, limit, 0, to] */
  aw_lua_task(L, NAME);
  if (!from->can_read)
    return awio_fail_stream(L, from, UV_EBADF, "read");
  if (from == to && from->disk) /* it would never end */
    return awio_fail_stream(L, from, UV_EINVAL, NAME);
  if (from->ended && from->disk)
    awio_disk_look_again(from);
  awio_check_writable(L, to);
  return aw_lua_begin(L, from, NAME, copied_from);
}

/* Add aw.copy to the module's table, on top of the stack. */
void awio_open_copy(lua_State *L) {
  static const luaL_Reg functions[] = {{"copy", act_copy}, {NULL, NULL}};
  luaL_getmetatable(L, AWIO_STREAM_CLASS);
  aw_lua_set_functions(L, functions, 1);
}
