/* descriptors.c - calls with descriptors for specs, which Lua does not have
 *
 *   local d = require "spec_descriptors"
 *   d.pipe()           → the reading end, the writing end
 *   d.event()          → an eventfd
 *   d.dup(fd [, to])   → another descriptor of the same open file
 *   d.write(fd, text)
 *   d.read(fd, size)   → text
 *   d.close(fd)
 *   d.sockets([kind])  → two connected sockets: "unix" or "tcp" (127.0.0.1)
 *   d.reset(fd)        close a socket so that its peer gets ECONNRESET
 *   d.narrow(fd)       let a socket buffer little
 *   d.prompt(fd)       let a TCP socket send each write at once
 *   d.inode(fd)        → the inode number of its file, as /proc shows it
 */
#include <aiowire.h>

#include <lauxlib.h>

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

static int check(lua_State *L, int rc) {
  return rc < 0 ? luaL_error(L, "%s", strerror(errno)) : rc;
}

static int check_fd(lua_State *L) {
  return (int)luaL_checkinteger(L, 1);
}

static int d_pipe(lua_State *L) {
  int ends[2];
  check(L, pipe(ends));
  lua_pushinteger(L, ends[0]);
  lua_pushinteger(L, ends[1]);
  return 2;
}

static int d_event(lua_State *L) {
  lua_pushinteger(L, check(L, eventfd(0, EFD_CLOEXEC)));
  return 1;
}

static int d_dup(lua_State *L) {
  int fd = check_fd(L), to = (int)luaL_optinteger(L, 2, -1);
  lua_pushinteger(L, check(L, to < 0 ? dup(fd) : dup2(fd, to)));
  return 1;
}

static int d_write(lua_State *L) {
  size_t size;
  const char *text = luaL_checklstring(L, 2, &size);
  check(L, (int)write(check_fd(L), text, size));
  return 0;
}

static int d_read(lua_State *L) {
  char text[64];
  size_t size = (size_t)luaL_checkinteger(L, 2);
  luaL_argcheck(L, size <= sizeof text, 2, "too much");
  lua_pushlstring(L, text,
                  (size_t)check(L, (int)read(check_fd(L), text, size)));
  return 1;
}

static int d_close(lua_State *L) {
  check(L, close(check_fd(L)));
  return 0;
}

static void connect_pair(lua_State *L, int ends[2]) {
  struct sockaddr_in at = {.sin_family = AF_INET,
                           .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t size = sizeof at;
  struct sockaddr *any = (struct sockaddr *)&at;
  int listening = check(L, socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  check(L, bind(listening, any, size));
  check(L, listen(listening, 1));
  check(L, getsockname(listening, any, &size));
  ends[0] = check(L, socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  check(L, connect(ends[0], any, size));
  ends[1] = check(L, accept(listening, NULL, NULL));
  check(L, close(listening));
}

static int d_sockets(lua_State *L) {
  static const char *const kinds[] = {"unix", "tcp", NULL};
  int ends[2];
  if (luaL_checkoption(L, 1, "unix", kinds) == 0)
    check(L, socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends));
  else
    connect_pair(L, ends);
  for (int i = 0; i < 2; i++) {
    check(L, fcntl(ends[i], F_SETFL, O_NONBLOCK));
    check(L, fcntl(ends[i], F_SETFD, FD_CLOEXEC));
    lua_pushinteger(L, ends[i]);
  }
  return 2;
}

static int d_reset(lua_State *L) {
  struct linger at_once = {.l_onoff = 1, .l_linger = 0};
  int fd = check_fd(L);
  check(L, setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once));
  check(L, close(fd));
  return 0;
}

static int d_narrow(lua_State *L) {
  int size = 4096;
  int fd = check_fd(L);
  check(L, setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof size));
  check(L, setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size));
  return 0;
}

static int d_prompt(lua_State *L) {
  int on = 1;
  check(L, setsockopt(check_fd(L), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on));
  return 0;
}

static int d_inode(lua_State *L) {
  struct stat file;
  check(L, fstat(check_fd(L), &file));
  lua_pushinteger(L, (lua_Integer)file.st_ino);
  return 1;
}

AW_API int luaopen_spec_descriptors(lua_State *L);

int luaopen_spec_descriptors(lua_State *L) {
  static const luaL_Reg functions[] = {
      {"pipe", d_pipe},     {"event", d_event},     {"dup", d_dup},
      {"write", d_write},   {"read", d_read},       {"close", d_close},
      {"inode", d_inode},   {"sockets", d_sockets}, {"reset", d_reset},
      {"narrow", d_narrow}, {"prompt", d_prompt},   {NULL, NULL}};
  luaL_newlib(L, functions);
  return 1;
}
