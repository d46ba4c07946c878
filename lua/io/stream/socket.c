/* socket.c - streams over connected sockets; see socket.h */
#include "stream/socket.h"

#include "io.h"
#include "stream/secure.h"
#include "stream/stream_object.h"
#include "tls/tls_error.h"

#include <lauxlib.h>
#include <uv.h>

#include <stddef.h>
#include <string.h>
#include <unistd.h>

const awio_socket_options awio_socket_usual = {
    .limits = {AWIO_HIGH_WATER, AWIO_MAX_LINE, SIZE_MAX},
    .tcp = {.nodelay = true, .keepalive = -1}};

void awio_check_socket_options(lua_State *L, int arg,
                               awio_socket_options *options) {
  awio_check_limits(L, arg, &options->limits);
  awio_check_tcp_options(L, arg, &options->tcp);
}

/* ---- methods ---- */

static int push_address_of(lua_State *L, const awio_stream *s,
                           const awio_address *address, int code,
                           const char *call) {
  return code < 0 ? awio_fail_stream(L, s, code, call)
                  : awio_push_address(L, address);
}

static awio_stream *check_open_stream(lua_State *L, const char *call) {
  awio_stream *s = awio_check_stream(L, call);
  if (s->closed || s->fd < 0)
    awio_fail_stream(L, s, AW_ECLOSED, call);
  return s;
}

/* s:peer() → host, port; or path */
static int stream_peer(lua_State *L) {
  const awio_stream *s = check_open_stream(L, "peer");
  if (s->peer.length > 0)
    return awio_push_address(L, &s->peer);
  awio_address address;
  int rc = awio_peer_address(s->fd, &address);
  return push_address_of(L, s, &address, rc, "peer");
}

/* s:name() → host, port; or path */
static int stream_name(lua_State *L) {
  const awio_stream *s = check_open_stream(L, "name");
  awio_address address;
  int rc = awio_own_address(s->fd, &address);
  return push_address_of(L, s, &address, rc, "name");
}

static bool has_tcp_option(lua_State *L, int arg) {
  bool has = lua_getfield(L, arg, "nodelay") != LUA_TNIL;
  has = lua_getfield(L, arg, "keepalive") != LUA_TNIL || has;
  lua_pop(L, 2);
  return has;
}

/* s:configure{max_line=, …, nodelay=, keepalive=} → s */
static int stream_configure(lua_State *L) {
  static const char *const known[] = {AWIO_SOCKET_OPTIONS, NULL};
  awio_stream *s = awio_check_stream(L, "configure");
  aw_lua_check_options(L, 2, known, false);
  awio_socket_options options = {.limits = s->limits, .tcp = s->tcp};
  awio_check_socket_options(L, 2, &options);
  if (has_tcp_option(L, 2)) {
    if (s->closed || s->fd < 0)
      awio_fail_stream(L, s, AW_ECLOSED, "configure");
    if (!s->socket)
      awio_fail_stream(L, s, UV_ENOTSOCK, "configure");
    awio_socket_configure(s->fd, &options.tcp, &s->tcp);
  }
  s->limits = options.limits;
  s->tcp = options.tcp;
  lua_settop(L, 1);
  return 1;
}

/* ---- values ---- */

typedef struct connection {
  aw_lua_value value;
  int fd; /* -1: a Stream has it */
  awio_socket_options options;
  awio_address peer; /* or none */
} connection;

/* Name a stream after its peer; a unix socket also after its own path, since
 * most clients have none. */
static void name_socket(int fd, const awio_address *peer,
                        char out[AWIO_ADDRESS_TEXT + 8]) {
  awio_address address = *peer;
  bool is_unix = address.length > 0 && address.any.sa_family == AF_UNIX;
  if (is_unix && address.length <= offsetof(struct sockaddr_un, sun_path))
    awio_own_address(fd, &address);
  strcpy(out, is_unix ? "unix " : "tcp ");
  if (address.length > 0)
    awio_address_text(&address, out + strlen(out));
}

static awio_stream *new_socket_stream(connection *c) {
  char name[AWIO_ADDRESS_TEXT + 8];
  awio_address peer = c->peer;
  if (peer.length == 0 && awio_peer_address(c->fd, &peer) < 0)
    peer.length = 0;
  name_socket(c->fd, &peer, name);
  int fd = c->fd;
  c->fd = -1;
  awio_stream *s = awio_stream_new(fd, true, true, name);
  if (!s)
    return NULL;
  s->socket = true;
  s->keeper.owned = true;
  s->peer = peer;
  s->limits = c->options.limits;
  s->tcp = c->options.tcp;
  return s;
}

/* The handshake begins when the stream is used. */
static void add_tls(lua_State *L, awio_stream *s, awio_tls_context *context) {
  awio_fault fault;
  if (!context ||
      awio_secure_begin(s, awio_stream_pump, context, NULL, 0, NULL, &fault))
    return;
  awio_stream_close(s, NULL);
  awio_tls_raise(L, &fault, "accept", s->name);
}

/* If making the Stream raises, the value still has the descriptor. */
static int push_connection(lua_State *L, aw_lua_value *value) {
  connection *c = (connection *)value;
  awio_stream **box = awio_push_stream(L, 0);
  awio_fill_stream(L, box, new_socket_stream(c));
  if (!*box)
    return luaL_error(L, "not enough memory");
  add_tls(L, *box, c->options.tls);
  return 1;
}

static void release_connection(aw_lua_value *value) {
  connection *c = (connection *)value;
  awio_tls_context_release(c->options.tls);
  if (c->fd >= 0)
    close(c->fd);
  aw_free(c);
}

aw_value awio_socket_value(int fd, const awio_socket_options *options,
                           const awio_address *peer) {
  connection *c = aw_allocate(sizeof *c);
  if (!c) {
    close(fd);
    return 0;
  }
  awio_socket_configure(fd, &options->tcp, NULL);
  c->value.push = push_connection;
  c->value.release = release_connection;
  c->fd = fd;
  c->options = *options;
  awio_tls_context_keep(options->tls);
  if (peer)
    c->peer = *peer;
  return aw_lua_box(&c->value);
}

/* ---- opening ---- */

/* socket_stream(fd) → a Stream of a connected socket, which it takes */
static int inner_socket_stream(lua_State *L) {
  int fd = (int)luaL_checkinteger(L, 1);
  connection c = {.fd = fd, .options = awio_socket_usual};
  return push_connection(L, &c.value);
}

/* stream_linger(stream, seconds): a limit for specs, which cannot wait long */
static int inner_stream_linger(lua_State *L) {
  awio_stream **box = awio_to_stream(L, 1);
  (*box)->linger = (uint64_t)(luaL_checknumber(L, 2) * (lua_Number)AW_SECOND);
  return 0;
}

/* Add the methods that need sockets to the class, which awio_open_stream() has
 * made. */
void awio_open_socket(lua_State *L) {
  static const luaL_Reg methods[] = {{"peer", stream_peer},
                                     {"name", stream_name},
                                     {"configure", stream_configure},
                                     {NULL, NULL}};
  awio_add_stream_methods(L, methods);
  lua_pushcfunction(L, inner_socket_stream);
  lua_setfield(L, -3, "socket_stream");
  lua_pushcfunction(L, inner_stream_linger);
  lua_setfield(L, -3, "stream_linger");
}
