/* address.c - bind, connect, listen, accept, and the names of both ends
 *
 * socket.lua has looked up the addresses, and calls these with one of them.
 * A socket without a family gets its descriptor by the first of these calls, as
 * in LuaSocket, and a new one for an address of another family.
 */
#define _GNU_SOURCE
#include "base/socket.h"
#include "base/waiters.h"
#include "luasocket/luasocket.h"

#include <lauxlib.h>
#include <uv.h>

#include <errno.h>
#include <netdb.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* ---- making the descriptor ---- */

static int make_once(awio_ls *s, int family) {
  if (s->fd >= 0 && s->family == family)
    return 0;
  int fd = awio_socket_open(family, s->type);
  if (fd < 0)
    return fd;
  if (family == AF_INET6)
    awio_socket_set(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1);
  if (s->fd >= 0) { /* of another family: nobody has waited for it */
    aw_ready_done(&s->keeper);
    close(s->fd);
  }
  s->fd = fd;
  s->family = family;
  s->keeper.owned = true;
  return 0;
}

/* A program that is out of descriptors may have sockets that nobody uses any
 * more; the collector closes them. */
int awio_ls_make(lua_State *L, awio_ls *s, int family) {
  int rc = make_once(s, family);
  if (rc == UV_EMFILE || rc == UV_ENFILE) {
    lua_gc(L, LUA_GCCOLLECT, 0);
    rc = make_once(s, family);
  }
  return rc;
}

/* Push the text of a code, nil for 0; return 1. */
static int push_ls_error(lua_State *L, int code) {
  awio_ls_refuse(L, code);
  lua_pushstring(L, awio_ls_text(code));
  return 1;
}

/* ls_make(socket, family) → nothing, or an error */
static int inner_ls_make(lua_State *L) {
  awio_ls *s = awio_ls_again(L);
  return push_ls_error(L, awio_ls_make(L, s, awio_to_family(L, 2)));
}

/* Read the address at 2 and 3: a numeric host and a port; or a path at 2. */
static int read_end(lua_State *L, const awio_ls *s, awio_address *out) {
  size_t size;
  const char *host = lua_tolstring(L, 2, &size);
  if (s->family == AF_UNIX)
    return awio_address_of_path(host, size, out);
  int port = (int)(lua_tointeger(L, 3) & 0xffff);
  return awio_address_parse(host, port, out) ? 0 : UV_EINVAL;
}

/* ls_bind(socket, host or path, port) → nothing, or an error */
static int inner_ls_bind(lua_State *L) {
  awio_ls *s = awio_ls_again(L);
  awio_address at;
  int rc = read_end(L, s, &at);
  if (rc == 0)
    rc = awio_ls_make(L, s, at.any.sa_family);
  if (rc == 0 && bind(s->fd, &at.any, at.length) < 0)
    rc = -errno;
  return push_ls_error(L, rc);
}

/* ---- connecting ---- */

enum { CONNECT_START = 4 };
static int connect_on(lua_State *L, int result, void *data);
static const awio_ls_call connecting = {&awio_ls_wait_connect, connect_on,
                                        CONNECT_START};

/* Linux refuses the first connect(2) after a failed one by ECONNABORTED; the
 * host may have other addresses. */
static int connect_once(const awio_ls *s, const awio_address *to) {
  int rc, aborts = 0;
  do
    rc = connect(s->fd, &to->any, to->length);
  while (rc < 0 &&
         (errno == EINTR || (errno == ECONNABORTED && aborts++ == 0)));
  return rc < 0 ? -errno : 0;
}

/* Let the socket have a descriptor to connect. The kernel goes on with an
 * attempt that was timed out, and refuses another one (EALREADY). So, as in
 * LuaSocket, a descriptor that connect() has made is replaced after a failure,
 * but not one of settimeout(0): that attempt is to go on. */
static int make_for_connect(lua_State *L, awio_ls *s, int family) {
  if (s->fd >= 0 && s->waits > 0) /* as an attempt of another task */
    return 0;
  if (s->tried)
    awio_ls_close(s, aw_lua_engine(L));
  bool made_here = s->fd < 0;
  int rc = awio_ls_make(L, s, family);
  s->tried = rc == 0 && made_here && s->type == SOCK_STREAM && s->block != 0 &&
             s->total != 0;
  return rc;
}

static int connect_ended(lua_State *L, awio_ls *s, int code) {
  if (code == 0)
    s->tried = false;
  return push_ls_error(L, code);
}

static int connect_on(lua_State *L, int result, void *data) {
  (void)data;
  awio_ls *s = awio_ls_again(L);
  if (result < 0)
    return push_ls_error(L, result);
  if (lua_toboolean(L, CONNECT_START + 1)) /* it has waited */
    return connect_ended(L, s,
                         s->fd < 0 ? AW_ECLOSED : awio_socket_error(s->fd));
  awio_address to;
  int rc = read_end(L, s, &to);
  if (rc == 0)
    rc = make_for_connect(L, s, to.any.sa_family);
  if (rc == 0)
    rc = connect_once(s, &to);
  if (rc != -EINPROGRESS && rc != UV_EAGAIN)
    return connect_ended(L, s, rc);
  if (!awio_ls_may_wait(L, s, &connecting))
    return push_ls_error(L, UV_ETIMEDOUT);
  lua_pushboolean(L, true);
  lua_replace(L, CONNECT_START + 1);
  return awio_ls_wait(L, s, &connecting);
}

/* ls_connect(socket, host or path, port) → nothing, or an error */
static int inner_ls_connect(lua_State *L) {
  awio_ls *s = awio_ls_again(L);
  lua_settop(L, CONNECT_START + 1);
  if (s->type == SOCK_DGRAM) /* only notes the address */
    return connect_on(L, 0, s);
  return awio_ls_begin(L, s, &connecting);
}

/* ls_disconnect(socket): let a UDP socket have no peer */
static int inner_ls_disconnect(lua_State *L) {
  const awio_ls *s = awio_ls_again(L);
  struct sockaddr none = {.sa_family = AF_UNSPEC};
  if (s->fd >= 0)
    (void)connect(s->fd, &none, sizeof none);
  return 0;
}

/* ls_service(name, udp) → the port of a service, or nil. getservbyname() is not
 * for several threads; getaddrinfo() reads the same list, without the network
 * if it gets no name of a host. */
static int inner_ls_service(lua_State *L) {
  struct addrinfo hints = {.ai_family = AF_INET,
                           .ai_socktype =
                               lua_toboolean(L, 2) ? SOCK_DGRAM : SOCK_STREAM};
  struct addrinfo *found;
  if (getaddrinfo(NULL, lua_tostring(L, 1), &hints, &found) != 0)
    return 0;
  struct sockaddr_in address;
  memcpy(&address, found->ai_addr, sizeof address);
  freeaddrinfo(found);
  lua_pushinteger(L, ntohs(address.sin_port));
  return 1;
}

/* ls_hostname() → the name of this machine; or nil, error */
static int inner_ls_hostname(lua_State *L) {
  char name[257];
  if (gethostname(name, sizeof name - 1) < 0)
    return awio_ls_fail(L, -errno);
  name[sizeof name - 1] = '\0';
  lua_pushstring(L, name);
  return 1;
}

/* ---- serving ---- */

enum { ACCEPT_START = 2 };
static int accept_on(lua_State *L, int result, void *data);
static const awio_ls_call accepting = {&awio_ls_wait_accept, accept_on,
                                       ACCEPT_START};

static int accept_on(lua_State *L, int result, void *data) {
  (void)data;
  awio_ls *s = awio_ls_again(L);
  if (result < 0 || s->fd < 0)
    return awio_ls_fail(L, result < 0 ? result : AW_ECLOSED);
  awio_ls *client = awio_ls_push(L, s->family, SOCK_STREAM, AWIO_LS_CLIENT);
  awio_address peer;
  int fd = s->fd < 0 ? AW_ECLOSED : awio_socket_accept(s->fd, &peer);
  if (fd >= 0) {
    client->fd = fd;
    client->keeper.owned = true;
    return 1;
  }
  lua_pop(L, 1);
  if (fd != UV_EAGAIN)
    return awio_ls_fail(L, fd);
  if (!awio_ls_may_wait(L, s, &accepting))
    return awio_ls_fail(L, UV_ETIMEDOUT);
  return awio_ls_wait(L, s, &accepting);
}

/* s:accept() → socket; or nil, error */
int awio_ls_accept(lua_State *L) {
  awio_ls *s = awio_ls_check(L, AWIO_LS_SERVER);
  lua_settop(L, 1);
  lua_pushnil(L); /* ACCEPT_START */
  return awio_ls_begin(L, s, &accepting);
}

/* s:listen([backlog]) → 1; or nil, error */
int awio_ls_listen(lua_State *L) {
  awio_ls *s = awio_ls_check(L, AWIO_LS_MASTER);
  int backlog = (int)awio_ls_opt_number(L, 2, 32);
  if (listen(s->fd, backlog) < 0)
    return awio_ls_fail(L, -errno);
  awio_ls_become(L, s, AWIO_LS_SERVER);
  return awio_ls_done(L);
}

/* s:shutdown([mode]) → 1 */
int awio_ls_shutdown(lua_State *L) {
  static const char *const modes[] = {"receive", "send", "both"};
  awio_ls *s = awio_ls_check(L, AWIO_LS_CLIENT);
  const char *mode =
      lua_isnoneornil(L, 2) ? "both" : aw_lua_check_string(L, 2, NULL);
  int how = SHUT_RD;
  while (how <= SHUT_RDWR && strcmp(mode, modes[how]) != 0)
    how++;
  if (how > SHUT_RDWR)
    aw_lua_arg_error(L, 2, lua_pushfstring(L, "invalid option '%s'", mode));
  shutdown(s->fd, how); /* LuaSocket does not tell whether it failed */
  return awio_ls_done(L);
}

/* ---- names ---- */

static int push_ls_end(lua_State *L, const awio_ls *s, int rc,
                       const awio_address *at) {
  if (rc < 0)
    return awio_ls_fail(L, rc);
  int count = awio_push_address(L, at);
  if (s->family == AF_UNIX)
    return count;
  lua_pushstring(L, s->family == AF_INET    ? "inet"
                    : s->family == AF_INET6 ? "inet6"
                                            : "unspec");
  return count + 1;
}

/* s:getpeername() → host, port, family; or nil, error */
int awio_ls_getpeername(lua_State *L) {
  const awio_ls *s = awio_ls_check(L, AWIO_LS_STREAMS | AWIO_LS_CONNECTED);
  awio_address at;
  int rc = awio_peer_address(s->fd, &at);
  return push_ls_end(L, s, rc, &at);
}

/* s:getsockname() → host, port, family; or nil, error */
int awio_ls_getsockname(lua_State *L) {
  const awio_ls *s = awio_ls_check(L, AWIO_LS_ANY);
  awio_address at;
  int rc = awio_own_address(s->fd, &at);
  return push_ls_end(L, s, rc, &at);
}

const luaL_Reg awio_ls_address_inner[] = {
    {"ls_make", inner_ls_make},
    {"ls_bind", inner_ls_bind},
    {"ls_connect", inner_ls_connect},
    {"ls_disconnect", inner_ls_disconnect},
    {"ls_service", inner_ls_service},
    {"ls_hostname", inner_ls_hostname},
    {NULL, NULL}};
