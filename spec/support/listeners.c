/* listeners.c - peers of sockets for specs, made without the library
 *
 *   local listeners = require "spec_listeners"
 *   listeners.tcp(host [, backlog])    → fd, port     "127.0.0.1" or "::1"; nil
 *                                        without that family
 *   listeners.unix(path [, backlog])   → fd
 *   listeners.accept(fd)               → fd; blocks
 *   listeners.waiting(fd)              → can accept() return at once?
 *   listeners.peer(fd)                 → host, port of its peer (IPv4 only)
 *   listeners.is_socket(fd)
 *   listeners.reset(fd)                close, and tell the peer ECONNRESET
 */
#include <aiowire.h>

#include <lauxlib.h>

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static int check(lua_State *L, int rc) {
  return rc < 0 ? luaL_error(L, "%s", strerror(errno)) : rc;
}

static int check_fd(lua_State *L) {
  return (int)luaL_checkinteger(L, 1);
}

static int open_listener(lua_State *L, const struct sockaddr *address,
                         socklen_t size) {
  int backlog = (int)luaL_optinteger(L, 2, 64);
  int fd = socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0 || bind(fd, address, size) < 0 || listen(fd, backlog) < 0) {
    if (fd >= 0)
      close(fd);
    return -1;
  }
  lua_pushinteger(L, fd);
  return fd;
}

static int l_tcp(lua_State *L) {
  const char *host = luaL_checkstring(L, 1);
  struct sockaddr_in in = {.sin_family = AF_INET};
  struct sockaddr_in6 in6 = {.sin6_family = AF_INET6};
  int fd;
  if (inet_pton(AF_INET, host, &in.sin_addr) == 1)
    fd = open_listener(L, (struct sockaddr *)&in, sizeof in);
  else if (inet_pton(AF_INET6, host, &in6.sin6_addr) == 1)
    fd = open_listener(L, (struct sockaddr *)&in6, sizeof in6);
  else
    return luaL_argerror(L, 1, "an address");
  if (fd < 0)
    return 0;
  socklen_t size = sizeof in6;
  check(L, getsockname(fd, (struct sockaddr *)&in6, &size));
  lua_pushinteger(L, ntohs(in6.sin6_port)); /* at the same place for both */
  return 2;
}

static int l_unix(lua_State *L) {
  size_t size;
  const char *path = luaL_checklstring(L, 1, &size);
  struct sockaddr_un un = {.sun_family = AF_UNIX};
  luaL_argcheck(L, size < sizeof un.sun_path, 1, "too long");
  memcpy(un.sun_path, path, size);
  check(L, open_listener(L, (struct sockaddr *)&un, sizeof un));
  return 1;
}

static int l_accept(lua_State *L) {
  lua_pushinteger(L, check(L, accept(check_fd(L), NULL, NULL)));
  return 1;
}

static int l_waiting(lua_State *L) {
  struct pollfd poll_fd = {.fd = check_fd(L), .events = POLLIN};
  lua_pushboolean(L, poll(&poll_fd, 1, 0) == 1);
  return 1;
}

static int l_peer(lua_State *L) {
  struct sockaddr_in in = {0};
  socklen_t size = sizeof in;
  char host[INET_ADDRSTRLEN];
  check(L, getpeername(check_fd(L), (struct sockaddr *)&in, &size));
  lua_pushstring(L, inet_ntop(AF_INET, &in.sin_addr, host, sizeof host));
  lua_pushinteger(L, ntohs(in.sin_port));
  return 2;
}

static int l_is_socket(lua_State *L) {
  struct stat file;
  int fd = check_fd(L);
  lua_pushboolean(L, fstat(fd, &file) == 0 && S_ISSOCK(file.st_mode));
  return 1;
}

static int l_reset(lua_State *L) {
  struct linger none = {.l_onoff = 1};
  int fd = check_fd(L);
  check(L, setsockopt(fd, SOL_SOCKET, SO_LINGER, &none, sizeof none));
  check(L, close(fd));
  return 0;
}

AW_API int luaopen_spec_listeners(lua_State *L);

int luaopen_spec_listeners(lua_State *L) {
  static const luaL_Reg functions[] = {
      {"tcp", l_tcp},         {"unix", l_unix}, {"accept", l_accept},
      {"waiting", l_waiting}, {"peer", l_peer}, {"is_socket", l_is_socket},
      {"reset", l_reset},     {NULL, NULL}};
  luaL_newlib(L, functions);
  return 1;
}
