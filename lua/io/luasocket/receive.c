/* receive.c - receive() of a connection
 *
 * Each turn: if `in` has all that the pattern wants, return it; else call
 * recv(2). While it waits, the Lua stack is
 *
 *     [socket, pattern or nil, prefix or nil, start or nil]
 *
 * Making a string may run finalizers, which may use this socket. So bytes are
 * taken only if `taken` is what it was before.
 */
#include "base/socket.h"
#include "luasocket/luasocket.h"

#include <lauxlib.h>
#include <uv.h>

#include <string.h>

enum { PATTERN = 2, PREFIX, START };

typedef struct wish {
  char kind;    /* 'l', 'a', 'n' */
  bool nothing; /* 'n': the prefix has so many bytes already */
  size_t count; /* 'n': bytes beside the prefix */
  size_t size;  /* bytes of `in` for the result, once found */
  size_t take;  /* the same with the end of the line */
} wish;

static size_t prefix_length(lua_State *L) {
  size_t size = 0;
  if (!lua_isnil(L, PREFIX))
    lua_tolstring(L, PREFIX, &size);
  return size;
}

static wish wish_for_bytes(lua_State *L) {
  double wanted = lua_tonumber(L, PATTERN);
  aw_lua_arg_check(L, wanted >= 0 && wanted < 1e15, PATTERN,
                   "invalid receive pattern");
  size_t all = (size_t)wanted, has = prefix_length(L);
  wish w = {.kind = 'n', .nothing = has > 0 && all <= has};
  w.count = all > has ? all - has : 0;
  return w;
}

static wish wish_of(lua_State *L) {
  if (lua_isnumber(L, PATTERN))
    return wish_for_bytes(L);
  const char *text = "*l";
  if (!lua_isnil(L, PATTERN))
    text = aw_lua_check_string(L, PATTERN, NULL);
  bool known = text[0] == '*' && (text[1] == 'l' || text[1] == 'a');
  aw_lua_arg_check(L, known, PATTERN, "invalid receive pattern");
  return (wish){.kind = text[1]};
}

static bool found_line(awio_ls *s, wish *w) {
  size_t length = awio_buffer_length(&s->in);
  const char *at = s->in.data ? s->in.data + s->in.start : "";
  const char *end = memchr(at + s->scanned, '\n', length - s->scanned);
  s->scanned = end ? s->scanned : length;
  w->size = end ? (size_t)(end - at) : length;
  w->take = w->size + (end ? 1 : 0);
  return end != NULL;
}

/* Look whether `in` has all that is wanted. */
static bool has_wish(awio_ls *s, wish *w) {
  size_t length = awio_buffer_length(&s->in);
  if (w->kind == 'l')
    return found_line(s, w);
  w->size = w->take = w->kind == 'n' && w->count < length ? w->count : length;
  if (w->nothing)
    w->size = w->take = 0;
  /* receive(0) waits for bytes, and takes none */
  return w->nothing || (w->kind == 'n' && length > 0 && w->count <= length);
}

/* Add bytes without '\r'. */
static void add_line(luaL_Buffer *out, const char *data, size_t size) {
  while (size > 0) {
    const char *found = memchr(data, '\r', size);
    size_t some = found ? (size_t)(found - data) : size;
    luaL_addlstring(out, data, some);
    some += found ? 1 : 0;
    data += some;
    size -= some;
  }
}

/* Push the prefix and what was found. */
static void push_joined(lua_State *L, const awio_ls *s, const wish *w) {
  uint64_t seen = s->taken;
  luaL_Buffer out;
  luaL_buffinit(L, &out);
  if (!lua_isnil(L, PREFIX)) {
    lua_pushvalue(L, PREFIX);
    luaL_addvalue(&out);
  }
  luaL_prepbuffsize(&out, w->size); /* finalizers run here */
  if (s->taken == seen && w->kind == 'l')
    add_line(&out, s->in.data + s->in.start, w->size);
  else if (s->taken == seen)
    luaL_addlstring(&out, s->in.data + s->in.start, w->size);
  luaL_pushresult(&out);
}

/* Push the prefix and what was found, and take it. Returns false, with nothing
 * done, if a finalizer has used the socket meanwhile. */
static bool push_wish(lua_State *L, awio_ls *s, const wish *w) {
  uint64_t seen = s->taken;
  const char *data = s->in.data ? s->in.data + s->in.start : "";
  bool plain =
      lua_isnil(L, PREFIX) && (w->kind != 'l' || !memchr(data, '\r', w->size));
  if (plain)
    lua_pushlstring(L, data, w->size);
  else if (w->size == 0)
    lua_pushvalue(L, PREFIX);
  else
    push_joined(L, s, w);
  if (s->taken != seen) {
    lua_pop(L, 1);
    return false;
  }
  awio_buffer_take(&s->in, w->take);
  s->received += (double)w->take;
  s->taken += w->take > 0;
  s->scanned = 0;
  return true;
}

static int receive_on(lua_State *L, int result, void *data);
static const awio_ls_call receiving = {&awio_ls_wait_receive, receive_on,
                                       START};

/* No more will come for this call: return what there is, with the reason. */
static int give_partial(lua_State *L, awio_ls *s, wish *w, int code) {
  awio_ls_refuse(L, code);
  const char *text = awio_ls_text(code);
  do
    has_wish(s, w);
  while (!push_wish(L, s, w));
  bool whole = w->kind == 'a' && code == AW_ECLOSED && w->take > 0;
  if (whole) {
    lua_pushnil(L);
    lua_pushnil(L);
    return 3;
  }
  lua_pushnil(L);
  lua_insert(L, -2);
  lua_pushstring(L, text);
  lua_insert(L, -2);
  return 3;
}

/* Returns the number of bytes added to `in`, or a negative code. */
static int fill_in(lua_State *L, awio_ls *s, const wish *w) {
  enum { LEAST = 8 * 1024, MOST = 256 * 1024 };
  if (s->fd < 0)
    return AW_ECLOSED;
  size_t length = awio_buffer_length(&s->in);
  size_t chunk = length > LEAST ? length : LEAST;
  if (w->kind == 'n' && w->count > length + chunk)
    chunk = w->count - length;
  if (chunk > MOST)
    chunk = MOST;
  if (!awio_buffer_room(&s->in, chunk))
    luaL_error(L, "not enough memory");
  ssize_t got = awio_socket_receive(s->fd, s->in.data + s->in.end, chunk);
  if (got > 0)
    s->in.end += (size_t)got;
  return got == 0 ? AW_ECLOSED : (int)got;
}

static int receive_from(lua_State *L, awio_ls *s, wish w, int result) {
  enum { FILLS = 8 }; /* calls of recv(2) before other tasks have a turn */
  for (int i = 0;; i++) {
    if (has_wish(s, &w)) {
      if (!push_wish(L, s, &w))
        continue;
      lua_pushnil(L);
      lua_pushnil(L);
      return 3;
    }
    if (result < 0)
      return give_partial(L, s, &w, result);
    if (i >= FILLS && aw_lua_may_await(L))
      return aw_lua_await(L, NULL, s, receiving.wait->label, receive_on);
    int got = fill_in(L, s, &w);
    if (got == UV_EAGAIN) {
      if (awio_ls_may_wait(L, s, &receiving))
        return awio_ls_wait(L, s, &receiving);
      got = UV_ETIMEDOUT;
    }
    result = got < 0 ? got : 0;
  }
}

static int receive_on(lua_State *L, int result, void *data) {
  (void)data;
  return receive_from(L, awio_ls_again(L), wish_of(L), result);
}

/* s:receive([pattern [, prefix]]) → data; or nil, error, partial */
int awio_ls_receive(lua_State *L) {
  awio_ls *s = awio_ls_check(L, AWIO_LS_CLIENT);
  lua_settop(L, PREFIX);
  if (!lua_isnil(L, PREFIX)) {
    aw_lua_check_string(L, PREFIX, NULL);
    lua_tostring(L, PREFIX); /* a number becomes its text */
  }
  wish w = wish_of(L);
  lua_pushnil(L); /* START */
  if (aw_lua_quick(s->here, L))
    return receive_from(L, s, w, 0);
  return awio_ls_begin(L, s, &receiving);
}
