/* listen.c - making listening sockets, for listen.lua
 *
 *     socket(2), options, bind(2), listen(2) ─► awio_listener ─► Server
 *
 * Without a host, the socket listens on "::" for IPv6 and IPv4; where there is
 * no IPv6, on 0.0.0.0.
 *
 * A unix socket leaves its file behind when its process dies. A file where
 * connect(2) is refused is replaced. A socket that answers stays, and so does
 * any other file. The file gets its mode between bind(2) and listen(2), when
 * nobody can connect yet.
 */
#define _GNU_SOURCE /* SO_REUSEPORT, SO_DOMAIN */
#include "base/system.h"
#include "io.h"
#include "net/server.h"
#include "tls/context_box.h"
#include "tls/server_context.h"

#include <lauxlib.h>
#include <uv.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- options ---- */

typedef struct listen_options {
  int backlog;
  bool reuseport, ipv6only;
  int mode; /* of the file; -1: as the umask has it */
  awio_socket_options stream;
} listen_options;

static const awio_whole backlog_option = {"backlog", 0, INT_MAX,
                                          "number of connections"};
static const awio_whole mode_option = {
    "mode", 0, 0777, "permissions such as tonumber('660', 8)"};
static const awio_whole fd_option = {"fd", 0, INT_MAX, "descriptor"};

/* Read the options at `arg`.
 *
 *   known  their names; NULL: these are checked already
 */
static void check_listen_options(lua_State *L, int arg,
                                 const char *const *known,
                                 listen_options *out) {
  *out = (listen_options){
      .backlog = SOMAXCONN, .mode = -1, .stream = awio_socket_usual};
  if (lua_isnoneornil(L, arg))
    return;
  if (known)
    aw_lua_check_options(L, arg, known, false);
  out->backlog = awio_opt_whole(L, arg, &backlog_option, SOMAXCONN);
  out->reuseport = aw_lua_opt_flag(L, arg, "reuseport", false);
  out->ipv6only = aw_lua_opt_flag(L, arg, "ipv6only", false);
  out->mode = awio_opt_whole(L, arg, &mode_option, -1);
  awio_check_socket_options(L, arg, &out->stream);
}

#define TCP_OPTIONS "backlog", "reuseport", "ipv6only", AWIO_SOCKET_OPTIONS
#define FD_OPTIONS  "fd", AWIO_SOCKET_OPTIONS
static const char *const tcp_options[] = {TCP_OPTIONS, NULL};
static const char *const tls_options[] = {TCP_OPTIONS, AWIO_TLS_SERVER_OPTIONS,
                                          NULL};
static const char *const unix_options[] = {
    "backlog", "mode", "max_line", "high_water", "max_output", NULL};
static const char *const fd_options[] = {FD_OPTIONS, NULL};
static const char *const tls_fd_options[] = {FD_OPTIONS,
                                             AWIO_TLS_SERVER_OPTIONS, NULL};

/* ---- Servers ---- */

/* Make a Server of the listening socket `fd` (taken), in the userdata `box`,
 * which is on top. */
static awio_listener *fill_listening(lua_State *L, awio_listener **box, int fd,
                                     const awio_socket_options *options) {
  awio_fill_server(L, box, awio_listener_new(fd, options));
  if (!*box)
    aw_lua_error(L, "not enough memory");
  return *box;
}

/* Bind and listen. Returns 0 or -errno. */
static int bind_and_listen(int fd, const awio_address *address, int backlog) {
  if (bind(fd, &address->any, address->length) < 0 || listen(fd, backlog) < 0)
    return -errno;
  return 0;
}

/* ---- TCP ---- */

static int open_tcp(const awio_address *address, const listen_options *options,
                    bool only6) {
  int fd = awio_socket_open(address->any.sa_family, SOCK_STREAM);
  if (fd < 0)
    return fd;
  int rc = awio_socket_set(fd, SOL_SOCKET, SO_REUSEADDR, 1);
  if (rc == 0 && options->reuseport)
    rc = awio_socket_set(fd, SOL_SOCKET, SO_REUSEPORT, 1);
  if (rc == 0 && address->any.sa_family == AF_INET6)
    rc = awio_socket_set(fd, IPPROTO_IPV6, IPV6_V6ONLY, only6);
  if (rc == 0)
    rc = bind_and_listen(fd, address, options->backlog);
  if (rc < 0) {
    close(fd);
    return rc;
  }
  return fd;
}

static int open_any(int port, const listen_options *options) {
  awio_address address;
  awio_address_parse("::", port, &address);
  int fd = open_tcp(&address, options, options->ipv6only);
  bool has_no_ipv6 = fd == UV_EAFNOSUPPORT || fd == UV_EADDRNOTAVAIL;
  if (!has_no_ipv6 || options->ipv6only)
    return fd;
  awio_address_parse("0.0.0.0", port, &address);
  return open_tcp(&address, options, false);
}

/* listen_tcp(host, port, opts [, tls]) → Server; or nil, code if the system
 * refuses, or nil if `host` is no number. Without a host: any address. */
static int inner_listen_tcp(lua_State *L) {
  enum { OPTS = 3, TLS };
  listen_options options;
  awio_address address;
  const char *host = lua_isnil(L, 1) ? NULL : awio_check_host(L, 1, "listen");
  int port = awio_check_port(L, 2);
  lua_settop(L, TLS);
  awio_tls_context *tls = awio_tls_boxed(L, TLS);
  check_listen_options(L, OPTS, tls ? NULL : tcp_options, &options);
  options.stream.tls = tls;
  awio_listener **box = awio_push_server(L);
  if (host && !awio_address_parse(host, port, &address)) {
    lua_pushnil(L);
    return 1;
  }
  if (host && options.ipv6only && address.any.sa_family != AF_INET6)
    return aw_lua_error(L, "bad option 'ipv6only' (%s is an address of IPv4)",
                        host);
  int fd = host ? open_tcp(&address, &options, options.ipv6only)
                : open_any(port, &options);
  if (fd < 0) {
    lua_pushnil(L);
    lua_pushinteger(L, fd);
    return 2;
  }
  fill_listening(L, box, fd, &options.stream);
  return 1;
}

/* listen_failed(code, host, port): raise that listening has failed */
static int inner_listen_failed(lua_State *L) {
  const char *about =
      awio_push_where(L, lua_tostring(L, 2), (int)lua_tointeger(L, 3));
  return aw_lua_system_error(L, (int)lua_tointeger(L, 1), "listen", about);
}

/* ---- TLS ---- */

/* Check the host and the port before the options: who leaves one of them out
 * should not be told that there are no options. */
static void check_place(lua_State *L) {
  if (!lua_isnil(L, 1))
    aw_lua_check_string(L, 1, NULL);
  awio_check_port(L, 2);
}

/* tls_listening(…) → the context of the options; the arguments are those of
 * aw.tls.listen */
static int inner_tls_listening(lua_State *L) {
  enum { OPTS = 3 };
  lua_settop(L, OPTS);
  int arg = lua_istable(L, 1) ? 1 : OPTS;
  if (arg == OPTS)
    check_place(L);
  if (!lua_isnil(L, arg))
    aw_lua_check_options(L, arg, arg == 1 ? tls_fd_options : tls_options,
                         false);
  awio_tls_context **box = awio_tls_push_box(L);
  *box = awio_tls_server_context(L, arg, NULL, "listen");
  return 1;
}

/* ---- unix ---- */

/* Returns 0 if nobody listens at this file, which is a socket; EADDRINUSE if
 * somebody does, or if it is none; or the code with which trying has failed. */
static int check_dead(const awio_address *address) {
  struct stat before, after;
  const char *path = address->un.sun_path;
  if (lstat(path, &before) < 0 || !S_ISSOCK(before.st_mode))
    return UV_EADDRINUSE;
  int fd = awio_socket_open(AF_UNIX, SOCK_STREAM);
  if (fd < 0)
    return fd;
  bool refused =
      connect(fd, &address->any, address->length) < 0 && errno == ECONNREFUSED;
  close(fd);
  bool same = lstat(path, &after) == 0 && before.st_dev == after.st_dev &&
              before.st_ino == after.st_ino;
  return refused && same ? 0 : UV_EADDRINUSE;
}

static int bind_unix(int fd, const awio_address *address) {
  if (bind(fd, &address->any, address->length) == 0)
    return 0;
  if (errno != EADDRINUSE)
    return -errno;
  bool is_abstract = address->un.sun_path[0] == '\0';
  int rc = is_abstract ? UV_EADDRINUSE : check_dead(address);
  if (rc < 0)
    return rc;
  if (unlink(address->un.sun_path) < 0)
    return UV_EADDRINUSE;
  return bind(fd, &address->any, address->length) < 0 ? -errno : 0;
}

/* Returns the descriptor of a listening socket, or -errno. */
static int open_unix(const awio_address *address,
                     const listen_options *options) {
  const char *path = address->un.sun_path;
  int fd = awio_socket_open(AF_UNIX, SOCK_STREAM);
  if (fd < 0)
    return fd;
  int rc = bind_unix(fd, address);
  if (rc < 0)
    goto close_fd;
  bool has_mode = options->mode >= 0 && path[0] != '\0';
  if ((has_mode && chmod(path, (mode_t)options->mode) < 0) ||
      listen(fd, options->backlog) < 0) {
    rc = -errno;
    goto unlink_file;
  }
  return fd;

unlink_file:
  if (path[0] != '\0')
    unlink(path);
close_fd:
  close(fd);
  return rc;
}

/* listen_unix(path, opts) → Server */
static int inner_listen_unix(lua_State *L) {
  listen_options options;
  awio_address address;
  size_t size;
  aw_lua_check_type(L, 1, LUA_TSTRING); /* a number is a slip for a port */
  const char *path = lua_tolstring(L, 1, &size);
  check_listen_options(L, 2, unix_options, &options);
  lua_settop(L, 2);
  awio_listener **box = awio_push_server(L);
  int rc = awio_address_of_path(path, size, &address);
  if (rc < 0)
    return awio_refuse_path(L, rc, "listen", path, size);
  int fd = open_unix(&address, &options);
  if (fd < 0)
    return awio_refuse_path(L, fd, "listen", path, size);
  awio_listener *l = awio_listener_new(fd, &options.stream);
  rc = l && path[0] != '\0' ? awio_listener_own_file(l, path) : 0;
  if ((!l || rc < 0) && path[0] != '\0')
    unlink(path);
  awio_fill_server(L, box, l);
  if (!l || rc < 0)
    return aw_lua_error(L, "not enough memory");
  return 1;
}

/* ---- sockets that listen already ---- */

/* Returns 0, or why `fd` is no listening stream socket of the family. */
static int check_listening(int fd, bool is_unix) {
  int listens = 0, domain = 0, type = 0;
  socklen_t size = sizeof(int);
  if (getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &size) < 0 ||
      getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) < 0)
    return -errno;
  if (is_unix ? domain != AF_UNIX : domain != AF_INET && domain != AF_INET6)
    return UV_EAFNOSUPPORT;
  if (type != SOCK_STREAM)
    return UV_EPROTOTYPE;
  if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) < 0)
    return -errno;
  return listens ? 0 : UV_EINVAL;
}

static const char *listening_problem(int code) {
  switch (code) {
  case UV_EBADF: return "is not open";
  case UV_ENOTSOCK: return "is no socket";
  case UV_EAFNOSUPPORT: return "is a socket of another family";
  case UV_EPROTOTYPE: return "is no stream socket";
  case UV_EINVAL: return "is a socket that does not listen";
  case UV_EBUSY: return "belongs to a server already";
  default: return "cannot be used";
  }
}

/* Make `fd` like a socket of our own. Returns it, or -errno; then it is open as
 * before. A standard file stays open, and its copy is returned. */
static int adopt(int fd) {
  int flags = fcntl(fd, F_GETFL);
  if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0)
    return -errno;
  if (fd <= STDERR_FILENO)
    return awio_copy(fd);
  return fcntl(fd, F_SETFD, FD_CLOEXEC) < 0 ? -errno : fd;
}

/* listen_fd(opts, is_unix [, tls]) → a Server of the socket opts.fd */
static int inner_listen_fd(lua_State *L) {
  enum { TLS = 3 };
  listen_options options = {.stream = awio_socket_usual};
  lua_settop(L, TLS);
  awio_tls_context *tls = awio_tls_boxed(L, TLS);
  options.stream.tls = tls;
  if (!tls)
    aw_lua_check_options(L, 1, fd_options, false);
  awio_check_socket_options(L, 1, &options.stream);
  int fd = awio_opt_whole(L, 1, &fd_option, -1);
  if (fd < 0) {
    lua_pushnil(L);
    return aw_lua_bad_option(L, "fd", "descriptor");
  }
  int rc = check_listening(fd, lua_toboolean(L, 2));
  if (rc == 0 && awio_is_listening(L, fd))
    rc = UV_EBUSY;
  awio_listener **box = awio_push_server(L);
  int own = rc < 0 ? rc : adopt(fd);
  if (own < 0)
    return aw_lua_system_error(L, own, "listen",
                               lua_pushfstring(L, "descriptor %d, which %s", fd,
                                               listening_problem(own)));
  fill_listening(L, box, own, &options.stream);
  return 1;
}

void awio_open_listen(lua_State *L) {
  static const luaL_Reg inner[] = {{"listen_tcp", inner_listen_tcp},
                                   {"listen_failed", inner_listen_failed},
                                   {"tls_listening", inner_tls_listening},
                                   {"listen_unix", inner_listen_unix},
                                   {"listen_fd", inner_listen_fd},
                                   {NULL, NULL}};
  awio_add_inner(L, inner);
}
