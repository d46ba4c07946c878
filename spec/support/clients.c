/* clients.c - sockets for specs of servers, by plain system calls
 *
 *   local c = require "spec_clients"
 *   c.connect(port [, host])  → descriptor; host is numeric, "127.0.0.1" if nil
 *   c.connect_path(path)      → descriptor of a unix socket
 *   c.begin(port)             → descriptor whose connection may not be made yet
 *   c.send(fd, text)
 *   c.receive(fd [, size])    → text, "" at the end; blocks
 *   c.shut(fd)                ends the output
 *   c.reset(fd)               closes with a reset
 *   c.close(fd)
 *   c.own_port(fd)            → port
 *   c.listening([path])       → a listening descriptor, on any port or a path
 *   c.bound(path)             → a unix socket that is bound and does not listen
 *   c.datagram(path)          → a bound datagram socket
 *   c.mode(fd)                → non-blocking?, closed by exec?
 *   c.is_open(fd)
 *   c.limit(n)                sets the limit of descriptors
 *
 * Calls raise the text of strerror(3), such as "Connection refused".
 */
#include <aiowire.h>

#include <lauxlib.h>

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static int check(lua_State *L, int rc) {
  return rc < 0 ? luaL_error(L, "%s", strerror(errno)) : rc;
}

static int check_fd(lua_State *L) {
  return (int)luaL_checkinteger(L, 1);
}

/* Close `fd` if `rc` says that its set-up has failed, and raise. */
static int give(lua_State *L, int fd, int rc) {
  if (rc < 0) {
    int error = errno;
    close(fd);
    errno = error;
  }
  check(L, rc);
  lua_pushinteger(L, fd);
  return 1;
}

static int connect_tcp(lua_State *L, int flags) {
  int port = (int)luaL_checkinteger(L, 1);
  const char *host = luaL_optstring(L, 2, "127.0.0.1");
  struct sockaddr_in a4 = {.sin_family = AF_INET,
                           .sin_port = htons((uint16_t)port)};
  struct sockaddr_in6 a6 = {.sin6_family = AF_INET6,
                            .sin6_port = htons((uint16_t)port)};
  bool is6 = inet_pton(AF_INET, host, &a4.sin_addr) != 1;
  if (is6)
    luaL_argcheck(L, inet_pton(AF_INET6, host, &a6.sin6_addr) == 1, 2, "host");
  int fd = check(L, socket(is6 ? AF_INET6 : AF_INET,
                           SOCK_STREAM | SOCK_CLOEXEC | flags, 0));
  int rc = connect(fd, is6 ? (struct sockaddr *)&a6 : (struct sockaddr *)&a4,
                   is6 ? sizeof a6 : sizeof a4);
  if (rc < 0 && flags && errno == EINPROGRESS)
    rc = 0;
  return give(L, fd, rc);
}

static int c_connect(lua_State *L) {
  return connect_tcp(L, 0);
}

static int c_begin(lua_State *L) {
  return connect_tcp(L, SOCK_NONBLOCK);
}

static struct sockaddr_un path_at(lua_State *L, int arg) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  size_t size;
  const char *path = luaL_checklstring(L, arg, &size);
  luaL_argcheck(L, size < sizeof address.sun_path, arg, "too long");
  memcpy(address.sun_path, path, size);
  return address;
}

static socklen_t length_of(const struct sockaddr_un *address) {
  size_t before = offsetof(struct sockaddr_un, sun_path);
  if (address->sun_path[0] == '\0') /* abstract: one zero, then the name */
    return (socklen_t)(before + 1 + strlen(address->sun_path + 1));
  return sizeof *address;
}

static int c_connect_path(lua_State *L) {
  struct sockaddr_un address = path_at(L, 1);
  int fd = check(L, socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  return give(L, fd,
              connect(fd, (struct sockaddr *)&address, length_of(&address)));
}

static int c_send(lua_State *L) {
  size_t size;
  const char *text = luaL_checklstring(L, 2, &size);
  check(L, (int)send(check_fd(L), text, size, MSG_NOSIGNAL));
  return 0;
}

static int c_receive(lua_State *L) {
  char text[4096];
  size_t size = (size_t)luaL_optinteger(L, 2, sizeof text);
  luaL_argcheck(L, size <= sizeof text, 2, "too much");
  int got = check(L, (int)recv(check_fd(L), text, size, 0));
  lua_pushlstring(L, text, (size_t)got);
  return 1;
}

static int c_shut(lua_State *L) {
  check(L, shutdown(check_fd(L), SHUT_WR));
  return 0;
}

static int c_reset(lua_State *L) {
  struct linger now = {.l_onoff = 1, .l_linger = 0};
  check(L, setsockopt(check_fd(L), SOL_SOCKET, SO_LINGER, &now, sizeof now));
  check(L, close(check_fd(L)));
  return 0;
}

static int c_close(lua_State *L) {
  check(L, close(check_fd(L)));
  return 0;
}

static int c_own_port(lua_State *L) {
  struct sockaddr_in address = {.sin_family = AF_INET};
  socklen_t size = sizeof address;
  check(L, getsockname(check_fd(L), (struct sockaddr *)&address, &size));
  lua_pushinteger(L, ntohs(address.sin_port));
  return 1;
}

static int c_listening(lua_State *L) {
  if (lua_isnoneornil(L, 1)) {
    struct sockaddr_in address = {.sin_family = AF_INET};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = check(L, socket(AF_INET, SOCK_STREAM, 0));
    int rc = bind(fd, (struct sockaddr *)&address, sizeof address);
    return give(L, fd, rc < 0 ? rc : listen(fd, 16));
  }
  struct sockaddr_un address = path_at(L, 1);
  int fd = check(L, socket(AF_UNIX, SOCK_STREAM, 0));
  int rc = bind(fd, (struct sockaddr *)&address, sizeof address);
  return give(L, fd, rc < 0 ? rc : listen(fd, 16));
}

static int c_bound(lua_State *L) {
  struct sockaddr_un address = path_at(L, 1);
  int fd = check(L, socket(AF_UNIX, SOCK_STREAM, 0));
  return give(L, fd, bind(fd, (struct sockaddr *)&address, sizeof address));
}

static int c_datagram(lua_State *L) {
  struct sockaddr_un address = path_at(L, 1);
  int fd = check(L, socket(AF_UNIX, SOCK_DGRAM, 0));
  return give(L, fd, bind(fd, (struct sockaddr *)&address, sizeof address));
}

static int c_mode(lua_State *L) {
  lua_pushboolean(L, check(L, fcntl(check_fd(L), F_GETFL)) & O_NONBLOCK);
  lua_pushboolean(L, check(L, fcntl(check_fd(L), F_GETFD)) & FD_CLOEXEC);
  return 2;
}

static int c_is_open(lua_State *L) {
  lua_pushboolean(L, fcntl(check_fd(L), F_GETFD) >= 0);
  return 1;
}

static int c_limit(lua_State *L) {
  struct rlimit limit;
  check(L, getrlimit(RLIMIT_NOFILE, &limit));
  lua_pushinteger(L, (lua_Integer)limit.rlim_cur);
  limit.rlim_cur = (rlim_t)luaL_checkinteger(L, 1);
  check(L, setrlimit(RLIMIT_NOFILE, &limit));
  return 1;
}

AW_API int luaopen_spec_clients(lua_State *L);

int luaopen_spec_clients(lua_State *L) {
  static const luaL_Reg functions[] = {
      {"connect", c_connect},   {"connect_path", c_connect_path},
      {"begin", c_begin},       {"send", c_send},
      {"receive", c_receive},   {"shut", c_shut},
      {"reset", c_reset},       {"close", c_close},
      {"own_port", c_own_port}, {"listening", c_listening},
      {"bound", c_bound},       {"datagram", c_datagram},
      {"mode", c_mode},         {"is_open", c_is_open},
      {"limit", c_limit},       {NULL, NULL}};
  luaL_newlib(L, functions);
  return 1;
}
