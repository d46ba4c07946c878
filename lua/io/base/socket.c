/* socket.c - see socket.h */
#define _GNU_SOURCE /* accept4() */
#include "base/socket.h"

#include "base/system.h"

#include <aiowire_lua.h>

#include <uv.h>

#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>

/* ---- making ---- */

int awio_socket_open(int family, int type) {
  int fd = socket(family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  return fd < 0 ? -errno : awio_above_standard(fd);
}

/* A connection that failed before it was taken is no failure of the listening
 * socket; see accept(2). */
static bool concerns_connection(int error) {
  switch (error) {
  case ECONNABORTED:
  case EINTR:
  case ENETDOWN:
  case EPROTO:
  case ENOPROTOOPT:
  case EHOSTDOWN:
  case EHOSTUNREACH:
  case ENETUNREACH:
  case EOPNOTSUPP: return true;
#ifdef ENONET
  case ENONET: return true;
#endif
  default: return false;
  }
}

int awio_socket_accept(int listening, awio_address *peer) {
  enum { TRIES = 16 };
  for (int i = 0; i < TRIES; i++) {
    memset(peer, 0, sizeof *peer);
    peer->length = offsetof(awio_address, length);
    int fd = accept4(listening, &peer->any, &peer->length,
                     SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd >= 0)
      return awio_above_standard(fd);
    if (!concerns_connection(errno))
      return -errno;
  }
  return UV_EAGAIN;
}

ssize_t awio_socket_send(int fd, const void *data, size_t size) {
  ssize_t put;
  do
    put = send(fd, data, size, MSG_NOSIGNAL | MSG_DONTWAIT);
  while (put < 0 && errno == EINTR);
  return put < 0 ? -errno : put;
}

ssize_t awio_socket_receive(int fd, void *data, size_t size) {
  ssize_t got;
  do
    got = recv(fd, data, size, MSG_DONTWAIT);
  while (got < 0 && errno == EINTR);
  return got < 0 ? -errno : got;
}

int awio_socket_error(int fd) {
  int error = 0;
  socklen_t size = sizeof error;
  if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) < 0)
    return -errno;
  return -error;
}

/* ---- options ---- */

int awio_socket_set(int fd, int level, int option, int value) {
  return setsockopt(fd, level, option, &value, sizeof value) < 0 ? -errno : 0;
}

int awio_opt_whole(lua_State *L, int arg, const awio_whole *option,
                   int otherwise) {
  int is_whole = 1;
  lua_Integer value = otherwise;
  int type = lua_getfield(L, arg, option->name);
  if (type != LUA_TNIL && type != LUA_TNUMBER)
    aw_lua_bad_option(L, option->name, option->expected);
  if (type == LUA_TNUMBER) {
    value = lua_tointegerx(L, -1, &is_whole);
    if (!is_whole || value < option->least || value > option->most)
      aw_lua_error(L, "bad option '%s' (%s expected)", option->name,
                   option->expected);
  }
  lua_pop(L, 1);
  return (int)value;
}

static void check_keepalive(lua_State *L, int arg, awio_tcp_options *options) {
  enum { LONGEST = 32767 }; /* of TCP_KEEPIDLE */
  int type = lua_getfield(L, arg, "keepalive");
  if (type == LUA_TBOOLEAN) {
    options->keepalive = lua_toboolean(L, -1) ? 0 : -1;
  } else if (type != LUA_TNIL) {
    lua_Number seconds = lua_tonumber(L, -1);
    if (type != LUA_TNUMBER)
      aw_lua_bad_option(L, "keepalive", "boolean or seconds");
    if (!(seconds >= 1 && seconds <= LONGEST))
      aw_lua_error(L, "bad option 'keepalive' (1 to 32767 seconds expected)");
    options->keepalive = (int)seconds;
  }
  lua_pop(L, 1);
}

void awio_check_tcp_options(lua_State *L, int arg, awio_tcp_options *options) {
  options->nodelay = aw_lua_opt_flag(L, arg, "nodelay", options->nodelay);
  check_keepalive(L, arg, options);
}

static bool is_tcp(int fd) {
  int domain = 0;
  socklen_t size = sizeof domain;
  return getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &size) == 0 &&
         domain != AF_UNIX;
}

void awio_socket_configure(int fd, const awio_tcp_options *options,
                           const awio_tcp_options *before) {
  static const awio_tcp_options new = {.nodelay = false, .keepalive = -1};
  if (!before)
    before = &new;
  bool delay_differs = options->nodelay != before->nodelay;
  bool alive_differs = options->keepalive != before->keepalive;
  if (!(delay_differs || alive_differs) || !is_tcp(fd))
    return;
  if (delay_differs)
    awio_socket_set(fd, IPPROTO_TCP, TCP_NODELAY, options->nodelay);
  if (alive_differs)
    awio_socket_set(fd, SOL_SOCKET, SO_KEEPALIVE, options->keepalive >= 0);
  if (options->keepalive > 0)
    awio_socket_set(fd, IPPROTO_TCP, TCP_KEEPIDLE, options->keepalive);
}
