/* read_until.c - s:read_until: text up to a delimiter of any length
 *
 * Like every read, it takes bytes only when all that it wants are there [C10].
 * The text may come byte by byte, so the search goes on where it stopped,
 * unless bytes were taken meanwhile. While it waits, the Lua stack is
 *
 *     [stream, delimiter, max or nil, offset to search from, old `taken`]
 *
 * Neighbours: read.c has the other reads, and says why a string is made before
 * its bytes are taken.
 */
#define _GNU_SOURCE /* memmem() */
#include "stream/stream_object.h"

#include "stream/disk.h"

#include "io.h"

#include <uv.h>

#include <string.h>

enum { AT_STREAM = 1, AT_DELIMITER, AT_MOST, AT_FROM, AT_SEEN };

typedef struct cut {
  size_t size; /* length of the text */
  size_t take; /* with the delimiter */
} cut;

typedef enum looked { CUT, AT_END, GO_ON, OVER } looked;

static size_t most_of(lua_State *L, const awio_stream *s) {
  return lua_isnil(L, AT_MOST) ? s->limits.max_line
                               : (size_t)lua_tointeger(L, AT_MOST);
}

/* The offset before which no delimiter begins. */
static size_t searched(lua_State *L, const awio_stream *s) {
  bool known = (uint64_t)lua_tointeger(L, AT_SEEN) == s->taken;
  return known ? (size_t)lua_tointeger(L, AT_FROM) : 0;
}

static void note_searched(lua_State *L, const awio_stream *s, size_t offset) {
  lua_pushinteger(L, (lua_Integer)offset);
  lua_replace(L, AT_FROM);
  lua_pushinteger(L, (lua_Integer)s->taken);
  lua_replace(L, AT_SEEN);
}

/* Can the text still end early enough? That is so while the buffer is no longer
 * than `most`, or if a delimiter may begin at `most` or before. */
static bool may_fit(const char *at, size_t length, size_t most,
                    const char *delimiter, size_t width) {
  size_t first = length < width ? 0 : length - width + 1;
  for (size_t i = first; i < length && i <= most; i++)
    if (memcmp(at + i, delimiter, length - i) == 0)
      return true;
  return length <= most;
}

/* Look for the delimiter in the buffer. */
static looked look_for(lua_State *L, const awio_stream *s, cut *out) {
  size_t width;
  const char *delimiter = lua_tolstring(L, AT_DELIMITER, &width);
  size_t most = most_of(L, s), from = searched(L, s);
  size_t length = awio_buffer_length(&s->in);
  const char *at = s->in.data ? s->in.data + s->in.start : "";
  const char *end = length >= from + width
                        ? memmem(at + from, length - from, delimiter, width)
                        : NULL;
  if (end) {
    out->size = (size_t)(end - at);
    out->take = out->size + width;
    return out->size > most ? OVER : CUT;
  }
  if (s->ended) {
    out->size = out->take = length;
    return length > most ? OVER : length > 0 ? CUT : AT_END;
  }
  if (length >= from + width)
    note_searched(L, s, length - width + 1);
  return may_fit(at, length, most, delimiter, width) ? GO_ON : OVER;
}

static int over_most(lua_State *L, const awio_stream *s) {
  lua_pushfstring(L, "%s (no delimiter after %I bytes)", s->name,
                  (LUAI_UACINT)most_of(L, s));
  return aw_lua_system_error(L, UV_EMSGSIZE, "read_until", lua_tostring(L, -1));
}

/* Push the text, and return true unless a finalizer has changed the buffer. */
static bool push_cut(lua_State *L, awio_stream *s, const cut *c) {
  uint64_t seen = s->taken;
  lua_pushlstring(L, s->in.data + s->in.start, c->size);
  if (awio_stream_take(s, c->take, seen))
    return true;
  lua_pop(L, 1);
  return false;
}

static int until_on(lua_State *L, int result, void *data) {
  enum { FILLS = 8 }; /* calls of read(2) before other tasks have a turn */
  (void)data;
  awio_stream *s = awio_check_stream(L, "read_until");
  for (int i = 0; result >= 0;) {
    cut c;
    if (s->closed)
      return awio_fail_stream(L, s, AW_ECLOSED, "read_until");
    looked l = look_for(L, s, &c);
    if (l == OVER)
      return over_most(L, s);
    bool by_end = l == AT_END || (l == CUT && c.take == c.size);
    if (by_end && s->disk && awio_disk_grown(s))
      continue;
    if (l == AT_END)
      lua_pushnil(L);
    if (l == AT_END || (l == CUT && push_cut(L, s, &c)))
      return 1;
    if (l == CUT)
      continue;
    if (i++ >= FILLS)
      return aw_lua_await(L, NULL, s, awio_wait_until.label, until_on);
    ssize_t got = awio_stream_fill(s, 0);
    if (got == UV_EAGAIN)
      return aw_lua_await(L, &awio_wait_until, s, awio_wait_until.label,
                          until_on);
    result = got < 0 ? (int)got : 0;
  }
  return awio_fail_stream(L, s, result, "read_until");
}

/* s:read_until(delimiter [, max]) → the text before the delimiter; at the end
 * the rest, then nil */
static int stream_read_until(lua_State *L) {
  awio_stream *s = awio_check_stream(L, "read_until");
  size_t width;
  aw_lua_check_string(L, AT_DELIMITER, &width);
  aw_lua_arg_check(L, width > 0, AT_DELIMITER, "a delimiter is not empty");
  lua_settop(L, AT_MOST);
  if (!lua_isnil(L, AT_MOST))
    aw_lua_arg_check(L, aw_lua_check_integer(L, AT_MOST) >= 0, AT_MOST,
                     "a number of bytes, not negative");
  if (s->ended && s->disk)
    awio_disk_look_again(s);
  lua_tostring(L, AT_DELIMITER); /* a number becomes its text */
  lua_pushinteger(L, 0);
  lua_pushinteger(L, (lua_Integer)s->taken);
  return awio_begin_read(L, s, awio_wait_until.label, until_on);
}

/* Add the method to the class. */
void awio_open_read_until(lua_State *L) {
  static const luaL_Reg methods[] = {{"read_until", stream_read_until},
                                     {NULL, NULL}};
  awio_add_stream_methods(L, methods);
}
