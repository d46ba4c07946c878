/* send.c - send() of a connection
 *
 * While it waits, the Lua stack is
 *
 *     [socket, data, offset of the next byte, end, start or nil]
 *
 * The results tell the index of the last byte that the kernel has taken.
 */
#include "base/socket.h"
#include "luasocket/luasocket.h"

#include <uv.h>

enum { DATA = 2, NEXT, END, START };

static int send_bytes_on(lua_State *L, int result, void *data);
static const awio_ls_call sending = {&awio_ls_wait_send, send_bytes_on, START};

static int send_ends(lua_State *L, int code, lua_Integer next) {
  awio_ls_refuse(L, code);
  if (code < 0) {
    lua_pushnil(L);
    lua_pushstring(L, awio_ls_text(code));
    lua_pushnumber(L, (lua_Number)next);
  } else {
    lua_pushnumber(L, (lua_Number)next);
    lua_pushnil(L);
    lua_pushnil(L);
  }
  return 3;
}

static ssize_t send_some(const awio_ls *s, const char *data, size_t size) {
  enum { MOST = 256 * 1024 };
  if (s->fd < 0)
    return AW_ECLOSED;
  return awio_socket_send(s->fd, data, size < MOST ? size : MOST);
}

static int send_bytes_on(lua_State *L, int result, void *data) {
  enum { SENDS = 8 }; /* calls of send(2) before other tasks have a turn */
  (void)data;
  awio_ls *s = awio_ls_again(L);
  const char *bytes = lua_tostring(L, DATA);
  lua_Integer next = lua_tointeger(L, NEXT), end = lua_tointeger(L, END);
  for (int i = 0; next < end && result >= 0; i++) {
    lua_pushinteger(L, next);
    lua_replace(L, NEXT);
    if (i >= SENDS && aw_lua_may_await(L))
      return aw_lua_await(L, NULL, s, sending.wait->label, send_bytes_on);
    ssize_t put = send_some(s, bytes + next, (size_t)(end - next));
    if (put == UV_EAGAIN) {
      if (awio_ls_may_wait(L, s, &sending))
        return awio_ls_wait(L, s, &sending);
      put = UV_ETIMEDOUT;
    }
    if (put > 0) {
      next += put;
      s->sent += (double)put;
    }
    result = put < 0 ? (int)put : 0;
  }
  return send_ends(L, result, next);
}

/* s:send(data [, i [, j]]) → index of the last byte sent; or nil, error, that
 * index */
int awio_ls_send(lua_State *L) {
  awio_ls *s = awio_ls_check(L, AWIO_LS_CLIENT);
  size_t size;
  aw_lua_check_string(L, DATA, &size);
  lua_Integer from = (lua_Integer)awio_ls_opt_number(L, NEXT, 1);
  lua_Integer to = (lua_Integer)awio_ls_opt_number(L, END, -1);
  from = from < 0 ? (lua_Integer)size + from + 1 : from;
  to = to < 0 ? (lua_Integer)size + to + 1 : to;
  from = from < 1 ? 1 : from;
  to = to > (lua_Integer)size ? (lua_Integer)size : to;
  lua_settop(L, DATA);
  lua_tostring(L, DATA); /* a number becomes its text */
  lua_pushinteger(L, from - 1);
  lua_pushinteger(L, to);
  lua_pushnil(L); /* START */
  return awio_ls_begin(L, s, &sending);
}
