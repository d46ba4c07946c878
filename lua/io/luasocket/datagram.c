/* datagram.c - sending and receiving of UDP
 *
 * While a call waits, the Lua stack is
 *
 *     [socket, size or data, start or nil, userdata of a message or nil]
 */
#define _GNU_SOURCE
#include "luasocket/luasocket.h"

#include <lauxlib.h>
#include <uv.h>

#include <errno.h>
#include <netdb.h>
#include <string.h>
#include <sys/socket.h>

enum { WHAT = 2, START, ADDRESS };
enum { USUAL_SIZE = 8192, LARGEST = 65536 };

/* ---- errors ---- */

/* A peer that refuses is "refused" in LuaSocket where a stream is "closed". */
static int fail_datagram(lua_State *L, int code) {
  if (code != AW_ECLOSED)
    return awio_ls_fail(L, code);
  lua_pushnil(L);
  lua_pushliteral(L, "refused");
  return 2;
}

/* ---- receiving ---- */

static int receive_datagram_on(lua_State *L, int result, void *data);
static int receivefrom_on(lua_State *L, int result, void *data);
static const awio_ls_call receiving_datagram = {&awio_ls_wait_receive,
                                                receive_datagram_on, START};
static const awio_ls_call receiving_from = {&awio_ls_wait_receive,
                                            receivefrom_on, START};

static ssize_t take_datagram(const awio_ls *s, char *data, size_t size,
                             awio_address *from) {
  if (s->fd < 0)
    return AW_ECLOSED;
  ssize_t got;
  from->length = sizeof from->in6;
  do
    got = recvfrom(s->fd, data, size, MSG_DONTWAIT, &from->any, &from->length);
  while (got < 0 && errno == EINTR);
  return got < 0 ? -errno : got;
}

/* Receive a datagram, or wait for it. `with_sender`: push its address, too. */
static int receive_one(lua_State *L, int result, const awio_ls_call *call,
                       bool with_sender) {
  awio_ls *s = awio_ls_again(L);
  char buffer[LARGEST];
  size_t size = (size_t)lua_tointeger(L, WHAT);
  awio_address from = {.length = 0};
  ssize_t got = result;
  if (result == 0)
    got = take_datagram(s, buffer, size, &from);
  if (got == UV_EAGAIN) {
    if (awio_ls_may_wait(L, s, call))
      return awio_ls_wait(L, s, call);
    got = UV_ETIMEDOUT;
  }
  if (got == AW_ECLOSED && !with_sender) /* as LuaSocket: an empty one */
    got = 0;
  if (got < 0)
    return fail_datagram(L, (int)got);
  lua_pushlstring(L, buffer, (size_t)got);
  return with_sender ? 1 + awio_push_address(L, &from) : 1;
}

static int receive_datagram_on(lua_State *L, int result, void *data) {
  (void)data;
  return receive_one(L, result, &receiving_datagram, false);
}

static int receivefrom_on(lua_State *L, int result, void *data) {
  (void)data;
  return receive_one(L, result, &receiving_from, true);
}

static int begin_receive(lua_State *L, unsigned roles,
                         const awio_ls_call *call) {
  awio_ls *s = awio_ls_check(L, roles);
  double size = awio_ls_opt_number(L, WHAT, USUAL_SIZE);
  aw_lua_arg_check(L, size >= 0, WHAT, "a size is not negative");
  lua_settop(L, 1);
  lua_pushinteger(L, size < LARGEST ? (lua_Integer)size : LARGEST);
  lua_pushnil(L); /* START */
  return awio_ls_begin(L, s, call);
}

/* s:receive([size]) → data; or nil, error */
int awio_ls_receive_datagram(lua_State *L) {
  return begin_receive(L, AWIO_LS_DATAGRAMS, &receiving_datagram);
}

/* s:receivefrom([size]) → data, host, port; or nil, error */
int awio_ls_receivefrom(lua_State *L) {
  return begin_receive(L, AWIO_LS_UNCONNECTED, &receiving_from);
}

/* ---- sending ---- */

static int send_datagram_on(lua_State *L, int result, void *data);
static const awio_ls_call sending_datagram = {&awio_ls_wait_send,
                                              send_datagram_on, START};

static ssize_t put_datagram(const awio_ls *s, const char *data, size_t size,
                            const awio_address *to) {
  ssize_t put;
  if (s->fd < 0)
    return AW_ECLOSED;
  do
    put = sendto(s->fd, data, size, MSG_NOSIGNAL | MSG_DONTWAIT,
                 to ? &to->any : NULL, to ? to->length : 0);
  while (put < 0 && errno == EINTR);
  return put < 0 ? -errno : put;
}

static int send_datagram_on(lua_State *L, int result, void *data) {
  (void)data;
  awio_ls *s = awio_ls_again(L);
  size_t size;
  const char *bytes = lua_tolstring(L, WHAT, &size);
  ssize_t put = result;
  if (result == 0)
    put = put_datagram(s, bytes, size, lua_touserdata(L, ADDRESS));
  if (put == UV_EAGAIN) {
    if (awio_ls_may_wait(L, s, &sending_datagram))
      return awio_ls_wait(L, s, &sending_datagram);
    put = UV_ETIMEDOUT;
  }
  if (put < 0)
    return fail_datagram(L, put == UV_EPIPE ? AW_ECLOSED : (int)put);
  lua_pushnumber(L, (lua_Number)put);
  return 1;
}

/* s:send(data) → number of bytes; or nil, error */
int awio_ls_send_datagram(lua_State *L) {
  awio_ls *s = awio_ls_check(L, AWIO_LS_CONNECTED);
  aw_lua_check_string(L, WHAT, NULL);
  lua_settop(L, WHAT);
  lua_tostring(L, WHAT);
  lua_pushnil(L); /* START */
  lua_pushnil(L); /* ADDRESS */
  return awio_ls_begin(L, s, &sending_datagram);
}

/* Read the numeric address of a sendto(). Returns 0 or a code of netdb.h. */
static int read_peer(const awio_ls *s, const char *host, const char *port,
                     awio_address *out) {
  struct addrinfo *found = NULL;
  struct addrinfo hints = {.ai_family = s->family, .ai_socktype = SOCK_DGRAM};
  hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV;
  int rc = getaddrinfo(host, port, &hints, &found);
  if (rc == 0) {
    memcpy(&out->any, found->ai_addr, found->ai_addrlen);
    out->length = found->ai_addrlen;
    freeaddrinfo(found);
  }
  return rc;
}

/* s:sendto(data, host, port) → number of bytes; or nil, error */
int awio_ls_sendto(lua_State *L) {
  enum { HOST = 3, PORT };
  awio_ls *s = awio_ls_check(L, AWIO_LS_UNCONNECTED);
  awio_address to = {.length = 0};
  aw_lua_check_string(L, WHAT, NULL);
  const char *host = aw_lua_check_string(L, HOST, NULL);
  aw_lua_check_string(L, PORT, NULL);
  int rc = read_peer(s, host, lua_tostring(L, PORT), &to);
  if (rc != 0) {
    lua_pushnil(L);
    lua_pushstring(L, gai_strerror(rc));
    return 2;
  }
  int made = awio_ls_make(L, s, to.any.sa_family);
  if (made < 0)
    return awio_ls_fail(L, made);
  lua_settop(L, WHAT);
  lua_tostring(L, WHAT);
  lua_pushnil(L); /* START */
  awio_address *kept = lua_newuserdatauv(L, sizeof *kept, 0);
  *kept = to;
  return awio_ls_begin(L, s, &sending_datagram);
}
