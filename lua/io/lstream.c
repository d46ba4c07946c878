/* lstream.c - streams for Lua: read, lines, write, shutdown, close
 *
 * A read looks for all that it was asked for in the stream's buffer, and takes
 * it only when all is there: a cancelled one has taken nothing, and several
 * tasks that read get whole lines each [C10]. While it waits the stack is
 *
 *     read    [stream, n, n formats …]; lines: -n
 *     write   [stream, string]
 *
 * so that the functions that go on after a wait find there what they do.
 */
#include "io.h"
#include "stream.h"

#include <lauxlib.h>
#include <uv.h>

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static const char *const CLASS = "aiowire.Stream";

enum { AT_STREAM = 1, AT_COUNT = 2, AT_FORMATS = 3 };

/* The Stream at 1; upvalue 1 is its metatable. */
static awio_stream *check_stream(lua_State *L) {
  awio_stream **box = lua_touserdata(L, AT_STREAM);
  if (box && lua_getmetatable(L, AT_STREAM)) {
    bool is = lua_rawequal(L, -1, lua_upvalueindex(1));
    lua_pop(L, 1);
    if (is && *box)
      return *box;
  }
  luaL_typeerror(L, AT_STREAM, "stream");
  return NULL;
}

static int fail(lua_State *L, const awio_stream *s, ssize_t code,
                const char *call) {
  if (code == AW_ENOMEM)
    return luaL_error(L, "not enough memory");
  return aw_lua_system_error(L, (int)code, call, s->name);
}

/* ---- reading ---- */

typedef struct piece {
  char kind; /* 'l', 'L', 'a'; 'n': `count` bytes */
  size_t count;
  size_t size; /* of the string, once found */
  size_t take; /* bytes it takes from the buffer */
} piece;

static piece check_format(lua_State *L, int arg) {
  piece p = {'n', 0, 0, 0};
  if (lua_type(L, arg) == LUA_TNUMBER) {
    lua_Integer count = luaL_checkinteger(L, arg);
    luaL_argcheck(L, count >= 0, arg, "a number of bytes, not negative");
    p.count = (size_t)count;
    return p;
  }
  const char *format = luaL_checkstring(L, arg);
  p.kind = *format == '*' ? format[1] : *format;
  if (p.kind != 'l' && p.kind != 'L' && p.kind != 'a')
    luaL_argerror(L, arg, "invalid format");
  return p;
}

typedef enum found { FOUND, NOTHING, NEED_MORE, TOO_LONG } found;

static found find_line(const awio_stream *s, const char *at, size_t length,
                       piece *p) {
  const char *end = length > 0 ? memchr(at, '\n', length) : NULL;
  size_t size = end ? (size_t)(end - at) : length;
  if (size > s->limits.max_line)
    return TOO_LONG;
  if (!end && !s->ended)
    return NEED_MORE;
  p->take = end ? size + 1 : size;
  p->size = p->kind == 'L' ? p->take : size;
  return p->take > 0 ? FOUND : NOTHING;
}

/* Find `p` in what is read, `skip` bytes on. */
static found find(const awio_stream *s, size_t skip, piece *p) {
  const char *at = s->in.data ? s->in.data + s->in.start + skip : NULL;
  size_t length = awio_buffer_length(&s->in) - skip;
  if (p->kind == 'l' || p->kind == 'L')
    return find_line(s, at, length, p);
  bool all = p->kind == 'a';
  if (all && length > s->limits.max_output)
    return TOO_LONG;
  bool enough = !all && length > 0 && length >= p->count;
  if (!enough && !s->ended)
    return NEED_MORE;
  p->size = p->take = enough ? p->count : length;
  return all || enough || length > 0 ? FOUND : NOTHING;
}

static found find_all(lua_State *L, const awio_stream *s, int count) {
  size_t skip = 0;
  for (int i = 0; i < count; i++) {
    piece p = check_format(L, AT_FORMATS + i);
    found f = find(s, skip, &p);
    if (f != FOUND)
      return f == NOTHING ? FOUND : f; /* and nothing after it */
    skip += p.take;
  }
  return FOUND;
}

/* Push what find_all() has found, as Lua's files do: up to the first nil. */
static int take_all(lua_State *L, awio_stream *s, int count) {
  size_t skip = 0;
  luaL_checkstack(L, count, "too many results");
  for (int i = 0; i < count; i++) {
    piece p = check_format(L, AT_FORMATS + i);
    if (find(s, skip, &p) == NOTHING) {
      lua_pushnil(L);
      count = i + 1;
      break;
    }
    lua_pushlstring(L, s->in.data ? s->in.data + s->in.start + skip : "",
                    p.size); /* may raise: nothing is taken yet */
    skip += p.take;
  }
  awio_buffer_take(&s->in, skip);
  return count;
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

static int count_formats(lua_State *L) {
  return abs((int)lua_tointeger(L, AT_COUNT));
}

static const aw_operation *reading(lua_State *L) {
  return lua_tointeger(L, AT_COUNT) < 0 ? &awio_wait_line : &awio_wait_read;
}

static int read_on(lua_State *L, int result, void *data) {
  enum { FILLS = 8 }; /* then others run: half a megabyte or so */
  awio_stream *s = data;
  const aw_operation *wait = reading(L);
  int count = count_formats(L);
  for (int i = 0; result >= 0; i++) {
    if (s->closed)
      return fail(L, s, AW_ECLOSED, "read");
    found f = find_all(L, s, count);
    if (f == FOUND)
      return take_all(L, s, count);
    if (f == TOO_LONG)
      return too_long(L, s);
    if (i == FILLS)
      return aw_lua_await(L, NULL, s, wait->label, read_on);
    ssize_t got = awio_stream_fill(s, wanted(L));
    if (got == UV_EAGAIN)
      return aw_lua_await(L, wait, s, wait->label, read_on);
    result = got < 0 ? (int)got : 0;
  }
  return fail(L, s, result, "read");
}

/* The stack is as read_on() wants it. */
static int read_formats(lua_State *L, awio_stream *s) {
  const char *what = reading(L)->label;
  bool at_once = aw_lua_at_once(L, what);
  if (!s->can_read)
    return fail(L, s, UV_EBADF, "read");
  if (!at_once)
    return aw_lua_await(L, NULL, s, what, read_on);
  return read_on(L, 0, s);
}

/* s:read([format …]) */
static int stream_read(lua_State *L) {
  awio_stream *s = check_stream(L);
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

static int some_on(lua_State *L, int result, void *data) {
  awio_stream *s = data;
  size_t most = (size_t)lua_tointeger(L, 2);
  while (result >= 0) {
    if (s->closed)
      return fail(L, s, AW_ECLOSED, "read");
    size_t length = awio_buffer_length(&s->in);
    if (length > 0) {
      size_t size = length < most ? length : most;
      lua_pushlstring(L, s->in.data + s->in.start, size);
      awio_buffer_take(&s->in, size);
      return 1;
    }
    if (s->ended) {
      lua_pushnil(L);
      return 1;
    }
    ssize_t got = awio_stream_fill(s, most);
    if (got == UV_EAGAIN)
      return aw_lua_await(L, &awio_wait_some, s, "stream:read_some", some_on);
    result = got < 0 ? (int)got : 0;
  }
  return fail(L, s, result, "read");
}

/* s:read_some([max]): what there is, at least a byte; nil at the end */
static int stream_read_some(lua_State *L) {
  awio_stream *s = check_stream(L);
  lua_Integer most = luaL_optinteger(L, 2, LUA_MAXINTEGER);
  luaL_argcheck(L, most > 0, 2, "a positive number of bytes expected");
  lua_settop(L, 1);
  lua_pushinteger(L, most);
  bool at_once = aw_lua_at_once(L, "stream:read_some");
  if (!s->can_read)
    return fail(L, s, UV_EBADF, "read");
  if (!at_once)
    return aw_lua_await(L, NULL, s, "stream:read_some", some_on);
  return some_on(L, 0, s);
}

/* The iterator of lines(): a line that is there costs a search and a string. */
static int next_line(lua_State *L) {
  awio_stream *s = check_stream(L);
  lua_settop(L, 1);
  if (s->closed)
    return fail(L, s, AW_ECLOSED, "read");
  bool at_once = aw_lua_at_once(L, "stream:lines");
  piece p = {'l', 0, 0, 0};
  if (at_once && find(s, 0, &p) == FOUND) {
    lua_pushlstring(L, s->in.data + s->in.start, p.size);
    awio_buffer_take(&s->in, p.take);
    return 1;
  }
  lua_pushinteger(L, -1);
  lua_pushliteral(L, "l");
  return at_once ? read_on(L, 0, s)
                 : aw_lua_await(L, NULL, s, "stream:lines", read_on);
}

/* The same with formats: upvalues 2, the stream, and 3 …, what read gets. */
static int next_formats(lua_State *L) {
  lua_settop(L, 0);
  lua_pushvalue(L, lua_upvalueindex(2));
  awio_stream *s = check_stream(L);
  int count = (int)lua_tointeger(L, lua_upvalueindex(3));
  lua_pushinteger(L, -count);
  luaL_checkstack(L, count, "too many arguments");
  for (int i = 0; i < count; i++)
    lua_pushvalue(L, lua_upvalueindex(4 + i));
  return read_formats(L, s);
}

/* s:lines([format …]). No closing value: Lua 5.4.4 mistreats those [F6]. */
static int stream_lines(lua_State *L) {
  awio_stream *s = check_stream(L);
  int count = lua_gettop(L) - 1;
  if (!s->can_read)
    return fail(L, s, UV_EBADF, "read");
  enum { MOST = 250 };
  luaL_argcheck(L, count <= MOST, MOST, "too many arguments");
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

/* ---- writing ---- */

/* Raise if nothing can be written any more. */
static void check_writable(lua_State *L, const awio_stream *s) {
  if (s->closed)
    fail(L, s, AW_ECLOSED, "write");
  if (!s->can_write)
    fail(L, s, UV_EBADF, "write");
  if (s->error)
    fail(L, s, s->error, "write");
  if (s->shut)
    fail(L, s, UV_EPIPE, "write");
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

/* Wait with a write half done. Of a cancelled task the wait is refused, and
 * not disarmed: it breaks the stream all the same. */
static int await_large(lua_State *L, awio_stream *s) {
  if (aw_task_cancelled(aw_lua_task(L, "stream:write"))) {
    s->broken = true;
    end_large(s);
  }
  return aw_lua_await(L, &awio_wait_large, s, "stream:write", write_rest);
}

/* Send from `sent` on. */
static int send_on(lua_State *L, awio_stream *s, size_t sent) {
  size_t size;
  const char *data = lua_tolstring(L, 2, &size);
  ssize_t more = awio_stream_send(s, loop_here(L), data + sent, size - sent);
  if (more >= 0 && sent + (size_t)more < size) {
    s->large = true;
    s->sent = sent + (size_t)more;
    return await_large(L, s);
  }
  if (s->large)
    end_large(s);
  if (more < 0)
    return fail(L, s, more, "write");
  lua_settop(L, 1);
  return 1;
}

static int write_rest(lua_State *L, int result, void *data) {
  awio_stream *s = data;
  if (result < 0 || s->closed || s->error) {
    end_large(s);
    check_writable(L, s);
    return fail(L, s, result, "write");
  }
  if (awio_buffer_length(&s->out) > AWIO_LOW_WATER)
    return await_large(L, s);
  return send_on(L, s, s->sent);
}

/* Nothing of it is submitted yet: a cancel here changes nothing. */
static int write_on(lua_State *L, int result, void *data) {
  awio_stream *s = data;
  check_writable(L, s);
  if (result < 0)
    return fail(L, s, result, "write");
  if (s->large || awio_buffer_length(&s->out) >= s->limits.high_water)
    return aw_lua_await(L, &awio_wait_room, s, "stream:write", write_on);
  return send_on(L, s, 0);
}

/* s:write(…) → s */
static int stream_write(lua_State *L) {
  awio_stream *s = check_stream(L);
  int count = lua_gettop(L) - 1;
  for (int i = 0; i < count; i++)
    luaL_checkstring(L, 2 + i);
  lua_concat(L, count);
  bool at_once = aw_lua_at_once(L, "stream:write");
  check_writable(L, s);
  if (!at_once)
    return aw_lua_await(L, NULL, s, "stream:write", write_on);
  return write_on(L, 0, s);
}

static int shutdown_on(lua_State *L, int result, void *data) {
  awio_stream *s = data;
  if (s->shut)
    return 0;
  check_writable(L, s);
  if (result < 0)
    return fail(L, s, result, "shutdown");
  bool queued = awio_buffer_length(&s->out) > 0;
  if (queued) {
    int rc = awio_stream_pump(s, loop_here(L));
    if (rc < 0)
      return fail(L, s, rc, "shutdown");
  }
  if (queued || s->large)
    return aw_lua_await(L, &awio_wait_sent, s, "stream:shutdown", shutdown_on);
  awio_stream_shut(s, aw_lua_engine(L));
  return 0;
}

/* s:shutdown(): all is sent, and the other side sees the end */
static int stream_shutdown(lua_State *L) {
  awio_stream *s = check_stream(L);
  lua_settop(L, 1);
  bool at_once = aw_lua_at_once(L, "stream:shutdown");
  if (!at_once)
    return aw_lua_await(L, NULL, s, "stream:shutdown", shutdown_on);
  return shutdown_on(L, 0, s);
}

/* ---- the rest ---- */

static int stream_close(lua_State *L) {
  awio_stream_close(check_stream(L), aw_lua_engine(L));
  return 0;
}

/* The last resort. */
static int stream_gc(lua_State *L) {
  awio_stream **box = lua_touserdata(L, 1);
  if (*box) {
    awio_stream_close(*box, (*box)->engine ? aw_lua_engine(L) : NULL);
    awio_stream_release(*box);
  }
  *box = NULL;
  return 0;
}

static const char *state_of(const awio_stream *s) {
  if (s->closed)
    return "closed";
  if (s->broken)
    return "broken";
  if (s->error)
    return aw_error_name(s->error);
  if (s->ended && awio_buffer_length(&s->in) == 0)
    return "at its end";
  return s->shut ? "shut down" : "open";
}

static int stream_tostring(lua_State *L) {
  const awio_stream *s = check_stream(L);
  lua_pushfstring(L, "stream '%s' (%s)", s->name, state_of(s));
  return 1;
}

static void check_limit(lua_State *L, int arg, const char *field,
                        size_t *limit) {
  int type = lua_getfield(L, arg, field);
  if (type != LUA_TNIL) {
    lua_Number number = lua_tonumber(L, -1);
    if (type != LUA_TNUMBER || !(number >= 1))
      luaL_error(L, "bad option '%s' (positive number of bytes expected)",
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

/* s:configure{max_line=, high_water=, max_output=} → s */
static int stream_configure(lua_State *L) {
  awio_stream *s = check_stream(L);
  luaL_checktype(L, 2, LUA_TTABLE);
  awio_limits limits = s->limits;
  awio_check_limits(L, 2, &limits);
  s->limits = limits;
  lua_settop(L, 1);
  return 1;
}

/* For the poller [Q6]: the descriptor, and whether data were read already. */
static int stream_getfd(lua_State *L) {
  const awio_stream *s = check_stream(L);
  if (s->closed || s->fd < 0)
    return fail(L, s, AW_ECLOSED, "getfd");
  lua_pushinteger(L, s->fd);
  return 1;
}

static int stream_dirty(lua_State *L) {
  const awio_stream *s = check_stream(L);
  lua_pushboolean(L, awio_buffer_length(&s->in) > 0);
  return 1;
}

awio_stream **awio_push_stream(lua_State *L, int anchor) {
  anchor = anchor ? lua_absindex(L, anchor) : 0;
  awio_stream **box = lua_newuserdatauv(L, sizeof *box, 1);
  *box = NULL;
  luaL_setmetatable(L, CLASS);
  if (anchor != 0) {
    lua_pushvalue(L, anchor);
    lua_setiuservalue(L, -2, 1);
  }
  return box;
}

static const luaL_Reg methods[] = {
    {"read", stream_read},           {"read_some", stream_read_some},
    {"lines", stream_lines},         {"write", stream_write},
    {"shutdown", stream_shutdown},   {"close", stream_close},
    {"configure", stream_configure}, {"getfd", stream_getfd},
    {"dirty", stream_dirty},         {NULL, NULL}};

static const luaL_Reg meta[] = {{"__close", stream_close},
                                {"__gc", stream_gc},
                                {"__tostring", stream_tostring},
                                {NULL, NULL}};

static void make_class(lua_State *L) {
  luaL_newmetatable(L, CLASS);
  lua_pushvalue(L, -1);
  luaL_setfuncs(L, meta, 1);
  lua_pushboolean(L, 0);
  lua_setfield(L, -2, "__metatable"); /* locked */
  luaL_newlibtable(L, methods);
  lua_pushvalue(L, -2);
  luaL_setfuncs(L, methods, 1);
  lua_setfield(L, -2, "__index");
  lua_pop(L, 1);
}

void awio_open_stream(lua_State *L) {
  static const char *const standard[] = {"stdin", "stdout", "stderr"};
  make_class(L);
  for (int fd = 0; fd < 3; fd++) {
    awio_stream **box = awio_push_stream(L, 0);
    *box = awio_stream_new(fd, fd == 0, fd != 0, standard[fd]);
    if (!*box)
      luaL_error(L, "not enough memory");
    lua_setfield(L, -2, standard[fd]);
  }
}
