/* read.c - methods of streams that read: read, read_some, lines
 *
 * A read takes bytes out of the stream's buffer only when all bytes that it
 * wants are there. So a cancelled read has taken nothing, and if several tasks
 * read, each gets whole lines [C10]. While a read waits, the Lua stack is
 *
 *     [stream, n, n formats...]    in read()
 *     [stream, -n, n formats...]   in lines()
 *
 * Making a string may run finalizers, which may close the stream, or read from
 * it in a loop of their own. So a read finds its bytes, makes the strings, and
 * takes the bytes only if `taken` has not changed; else it begins again.
 *
 * Neighbours: stream.c fills the buffer; stream_object.c has the class.
 */
#include "stream/stream_object.h"

#include "stream/disk.h"

#include "io.h"

#include <lauxlib.h>
#include <uv.h>

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

enum { AT_STREAM = 1, AT_COUNT = 2, AT_FORMATS = 3 };

typedef struct piece {
  char kind; /* 'l', 'L', 'a'; 'n': `count` bytes */
  size_t count;
  size_t size; /* length of the string, once found */
  size_t take; /* bytes to take from the buffer for the string */
} piece;

static piece check_format(lua_State *L, int arg) {
  piece p = {'n', 0, 0, 0};
  if (lua_type(L, arg) == LUA_TNUMBER) {
    lua_Integer count = aw_lua_check_integer(L, arg);
    aw_lua_arg_check(L, count >= 0, arg, "a number of bytes, not negative");
    p.count = (size_t)count;
    return p;
  }
  const char *format = aw_lua_check_string(L, arg, NULL);
  p.kind = *format == '*' ? format[1] : *format;
  if (p.kind != 'l' && p.kind != 'L' && p.kind != 'a')
    aw_lua_arg_error(L, arg, "invalid format");
  return p;
}

typedef enum found { FOUND, NOTHING, NEED_MORE, TOO_LONG } found;

/* Find the end of the line that begins `skip` bytes after the start of the
 * buffer. What was searched is not searched again, since a line may come byte
 * by byte. Returns the length of the line, or that of the rest. */
static size_t search_line(awio_stream *s, size_t skip, bool *has_end) {
  awio_span *seen = &s->no_line;
  bool known = seen->from <= skip && skip <= seen->to;
  size_t from = known ? seen->to : skip;
  size_t length = awio_buffer_length(&s->in);
  const char *at = s->in.data ? s->in.data + s->in.start : "";
  const char *end =
      length > from ? memchr(at + from, '\n', length - from) : NULL;
  *has_end = end != NULL;
  if (end)
    return (size_t)(end - at) - skip;
  *seen = (awio_span){known ? seen->from : skip, length};
  return length - skip;
}

static found find_line(awio_stream *s, size_t skip, piece *p) {
  bool end;
  size_t size = search_line(s, skip, &end);
  if (size > s->limits.max_line)
    return TOO_LONG;
  if (!end && !s->ended)
    return NEED_MORE;
  p->take = end ? size + 1 : size;
  p->size = p->kind == 'L' ? p->take : size;
  return p->take > 0 ? FOUND : NOTHING;
}

/* Find `p` in the buffer, `skip` bytes after its start. */
static found find_piece(awio_stream *s, size_t skip, piece *p) {
  if (p->kind == 'l' || p->kind == 'L')
    return find_line(s, skip, p);
  size_t length = awio_buffer_length(&s->in) - skip;
  bool all = p->kind == 'a';
  if (all && length > s->limits.max_output)
    return TOO_LONG;
  bool enough = !all && length > 0 && length >= p->count;
  if (!enough && !s->ended)
    return NEED_MORE;
  p->size = p->take = enough ? p->count : length;
  return all || enough || length > 0 ? FOUND : NOTHING;
}

static found find_all(lua_State *L, awio_stream *s, int count) {
  size_t skip = 0;
  for (int i = 0; i < count; i++) {
    piece p = check_format(L, AT_FORMATS + i);
    found f = find_piece(s, skip, &p);
    if (f != FOUND)
      return f == NOTHING ? FOUND : f; /* the results end with this nil */
    skip += p.take;
  }
  return FOUND;
}

/* Were the pieces found because the file ended, which is not so any more? */
static bool ends_later(lua_State *L, awio_stream *s, int count) {
  if (!s->disk || !s->ended)
    return false;
  s->ended = false;
  bool more = find_all(L, s, count) == NEED_MORE;
  s->ended = true;
  return more && awio_disk_grown(s);
}

/* Push the strings that find_all() has found, up to the first nil, as Lua's
 * files do. Returns their number. Returns -1, with nothing pushed or taken, if
 * a finalizer has changed the buffer: then find them again. */
static int take_all(lua_State *L, awio_stream *s, int count) {
  size_t skip = 0;
  uint64_t seen = s->taken;
  int top = lua_gettop(L);
  luaL_checkstack(L, count, "too many results");
  for (int i = 0; i < count && s->taken == seen; i++) {
    piece p = check_format(L, AT_FORMATS + i);
    if (find_piece(s, skip, &p) == NOTHING) {
      lua_pushnil(L);
      count = i + 1;
      break;
    }
    lua_pushlstring(L, s->in.data ? s->in.data + s->in.start + skip : "",
                    p.size); /* if this raises, nothing has been taken */
    skip += p.take;
  }
  if (awio_stream_take(s, skip, seen))
    return count;
  lua_settop(L, top);
  return -1;
}

static int too_long(lua_State *L, const awio_stream *s) {
  if (awio_buffer_length(&s->in) > s->limits.max_output)
    lua_pushfstring(L, "%s (over max_output, %I bytes)", s->name,
                    (LUAI_UACINT)s->limits.max_output);
  else
    lua_pushfstring(L, "%s (a line over max_line, %I bytes)", s->name,
                    (LUAI_UACINT)s->limits.max_line);
  return aw_lua_system_error(L, UV_EMSGSIZE, "read", lua_tostring(L, -1));
}

static size_t wanted(lua_State *L) {
  return lua_type(L, AT_FORMATS) == LUA_TNUMBER
             ? (size_t)lua_tointeger(L, AT_FORMATS)
             : 0;
}

/* How many bytes a thread should read at once, for the first format. */
static size_t wanted_of_disk(lua_State *L, const awio_stream *s) {
  size_t length = awio_buffer_length(&s->in);
  size_t most = s->limits.max_output;
  piece p = check_format(L, AT_FORMATS);
  if (p.kind == 'n')
    return p.count > length ? p.count - length : 0;
  if (p.kind != 'a')
    return 0;
  return most < SIZE_MAX / 4 ? most - length + 1 : SIZE_MAX / 4;
}

static int count_formats(lua_State *L) {
  return abs((int)lua_tointeger(L, AT_COUNT));
}

static const aw_operation *reading(lua_State *L) {
  return lua_tointeger(L, AT_COUNT) < 0 ? &awio_wait_line : &awio_wait_read;
}

static int read_on(lua_State *L, int result, void *data) {
  enum { FILLS = 8 }; /* calls of read(2) before other tasks have a turn */
  (void)data;
  awio_stream *s = awio_stream_again(L, "read");
  const aw_operation *wait = reading(L);
  int count = count_formats(L);
  for (int i = 0; result >= 0; i++) {
    if (s->closed)
      return awio_fail_stream(L, s, AW_ECLOSED, "read");
    found f = find_all(L, s, count);
    if (f == FOUND && !ends_later(L, s, count)) {
      int taken = take_all(L, s, count);
      if (taken >= 0)
        return taken;
      continue;
    }
    if (f == TOO_LONG)
      return too_long(L, s);
    if (i >= FILLS)
      return aw_lua_await(L, NULL, s, wait->label, read_on);
    ssize_t got =
        awio_stream_fill(s, s->disk ? wanted_of_disk(L, s) : wanted(L));
    if (got == UV_EAGAIN)
      return aw_lua_await_here(s->here, L, wait, s, wait->label, read_on);
    result = got < 0 ? (int)got : 0;
  }
  return awio_fail_stream(L, s, result, "read");
}

int awio_begin_read(lua_State *L, awio_stream *s, const char *what,
                    aw_lua_continue then) {
  bool at_once = aw_lua_quick(s->here, L) || aw_lua_at_once(L, what);
  if (!s->can_read)
    return awio_fail_stream(L, s, UV_EBADF, "read");
  return at_once ? then(L, 0, s) : aw_lua_await(L, NULL, s, what, then);
}

/* Read, with the stack as at the head of this file. */
static int read_formats(lua_State *L, awio_stream *s) {
  if (s->ended && s->disk)
    awio_disk_look_again(s);
  return awio_begin_read(L, s, reading(L)->label, read_on);
}

/* s:read([format …]) */
static int stream_read(lua_State *L) {
  awio_stream *s = awio_check_stream(L, "read");
  int count = lua_gettop(L) - 1;
  if (count == 0) {
    lua_pushliteral(L, "l");
    count = 1;
  }
  for (int i = 0; i < count; i++)
    check_format(L, AT_STREAM + 1 + i);
  lua_pushinteger(L, count);
  lua_insert(L, AT_COUNT);
  return read_formats(L, s);
}

static int some_on(lua_State *L, int result, void *data);

static int some_from(lua_State *L, awio_stream *s, int result) {
  size_t most = (size_t)lua_tointeger(L, 2);
  while (result >= 0) {
    if (s->closed)
      return awio_fail_stream(L, s, AW_ECLOSED, "read");
    size_t length = awio_buffer_length(&s->in);
    if (length > 0) {
      size_t size = length < most ? length : most;
      uint64_t seen = s->taken;
      lua_pushlstring(L, s->in.data + s->in.start, size);
      if (awio_stream_take(s, size, seen))
        return 1;
      lua_pop(L, 1);
      continue;
    }
    if (s->ended) {
      lua_pushnil(L);
      return 1;
    }
    ssize_t got = awio_stream_fill(s, most == LUA_MAXINTEGER ? 0 : most);
    if (got == UV_EAGAIN)
      return aw_lua_await_here(s->here, L, &awio_wait_some, s,
                               "stream:read_some", some_on);
    result = got < 0 ? (int)got : 0;
  }
  return awio_fail_stream(L, s, result, "read");
}

static int some_on(lua_State *L, int result, void *data) {
  (void)data;
  return some_from(L, awio_stream_again(L, "read"), result);
}

/* s:read_some([max]) → the bytes that are there, at least one; nil at the
 * end */
static int stream_read_some(lua_State *L) {
  awio_stream *s = awio_check_stream(L, "read");
  lua_Integer most =
      lua_isnoneornil(L, 2) ? LUA_MAXINTEGER : aw_lua_check_integer(L, 2);
  aw_lua_arg_check(L, most > 0, 2, "a positive number of bytes expected");
  lua_settop(L, 1);
  lua_pushinteger(L, most);
  if (s->ended && s->disk)
    awio_disk_look_again(s);
  if (s->can_read && aw_lua_quick(s->here, L))
    return some_from(L, s, 0);
  return awio_begin_read(L, s, "stream:read_some", some_on);
}

/* The iterator of lines() without formats. If the buffer has a line, it only
 * searches for its end and makes a string. */
static int next_line(lua_State *L) {
  awio_stream *s = awio_check_stream(L, "read");
  lua_settop(L, 1);
  bool at_once = aw_lua_quick(s->here, L) || aw_lua_at_once(L, "stream:lines");
  piece p = {'l', 0, 0, 0};
  if (at_once && !s->closed && find_piece(s, 0, &p) == FOUND &&
      (p.take > p.size || !s->disk)) {
    uint64_t seen = s->taken;
    lua_pushlstring(L, s->in.data + s->in.start, p.size);
    if (awio_stream_take(s, p.take, seen))
      return 1;
    lua_pop(L, 1);
  }
  if (s->ended && s->disk)
    awio_disk_look_again(s);
  lua_pushinteger(L, -1);
  lua_pushliteral(L, "l");
  return at_once ? read_on(L, 0, s)
                 : aw_lua_await(L, NULL, s, "stream:lines", read_on);
}

/* The iterator of lines() with formats. Upvalues: metatable, stream, number of
 * formats, formats. */
static int next_formats(lua_State *L) {
  lua_settop(L, 0);
  lua_pushvalue(L, lua_upvalueindex(2));
  awio_stream *s = awio_check_stream(L, "read");
  int count = (int)lua_tointeger(L, lua_upvalueindex(3));
  lua_pushinteger(L, -count);
  luaL_checkstack(L, count, "too many arguments");
  for (int i = 0; i < count; i++)
    lua_pushvalue(L, lua_upvalueindex(4 + i));
  return read_formats(L, s);
}

/* s:lines([format …]) → an iterator, without a closing value: Lua 5.4.4
 * mistreats closing values [LU21]. */
static int stream_lines(lua_State *L) {
  awio_stream *s = awio_check_stream(L, "read");
  int count = lua_gettop(L) - 1;
  if (!s->can_read)
    return awio_fail_stream(L, s, UV_EBADF, "read");
  enum { MOST = 250 };
  aw_lua_arg_check(L, count <= MOST, MOST, "too many arguments");
  for (int i = 0; i < count; i++)
    check_format(L, 2 + i);
  if (count == 0) {
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_pushcclosure(L, next_line, 1);
    lua_pushvalue(L, 1);
    return 2;
  }
  lua_pushinteger(L, count);
  lua_insert(L, 2); /* [stream, count, formats …] */
  lua_pushvalue(L, lua_upvalueindex(1));
  lua_insert(L, 1);
  lua_pushcclosure(L, next_formats, count + 3);
  return 1;
}

/* Read the bytes that are there now, not those that come meanwhile, until the
 * buffer has `most`. */
static void fill_now(awio_stream *s, size_t most) {
  int there = 0;
  if (s->closed || s->ended || s->disk || s->fd < 0 ||
      ioctl(s->fd, FIONREAD, &there) < 0)
    return;
  s->drained = false;
  ssize_t got = 1;
  for (ssize_t left = there; left > 0 && got > 0; left -= got) {
    if (awio_buffer_length(&s->in) >= most)
      return;
    got = awio_stream_fill(s, (size_t)left);
  }
}

int awio_unread(lua_State *L) {
  awio_stream **box = awio_to_stream(L, 1);
  lua_Number limit = lua_tonumber(L, 2);
  size_t most = limit < 1e15 ? (size_t)limit : SIZE_MAX;
  for (;;) {
    awio_stream *s = box ? *box : NULL;
    if (!s)
      return 0;
    if (lua_toboolean(L, 3))
      fill_now(s, most);
    uint64_t seen = s->taken;
    size_t length = awio_buffer_length(&s->in);
    size_t size = length < most ? length : most;
    lua_pushlstring(L, size > 0 ? s->in.data + s->in.start : "", size);
    if (awio_stream_take(s, size, seen))
      return 1;
    lua_pop(L, 1);
  }
}

/* Add the methods that read to the class, which awio_open_stream() has made. */
void awio_open_read(lua_State *L) {
  static const luaL_Reg methods[] = {{"read", stream_read},
                                     {"read_some", stream_read_some},
                                     {"lines", stream_lines},
                                     {NULL, NULL}};
  awio_add_stream_methods(L, methods);
}
