/* socket.c - streams over connected sockets; see socket.h */
#include "stream/socket.h"

#include <lauxlib.h>

#include <stdio.h>
#include <unistd.h>

const awio_socket_options awio_socket_usual = {
    .limits = {AWIO_HIGH_WATER, AWIO_MAX_LINE, SIZE_MAX},
    .tcp = {.nodelay = true, .keepalive = -1}};

void awio_check_socket_options(lua_State *L, int arg,
                               awio_socket_options *options) {
  awio_check_limits(L, arg, &options->limits);
  awio_check_tcp_options(L, arg, &options->tcp);
}

/* ---- values ---- */

typedef struct connection {
  aw_lua_value value;
  int fd; /* -1: a Stream has it */
  awio_socket_options options;
} connection;

/* Name a stream after its peer; a unix socket also after its own path, since
 * most clients have none. */
static void name_socket(int fd, char *out, size_t size) {
  char text[AWIO_ADDRESS_TEXT] = "";
  awio_address address;
  if (awio_peer_address(fd, &address) < 0)
    address.length = 0;
  bool is_unix = address.length > 0 && address.any.sa_family == AF_UNIX;
  if (is_unix && address.length <= offsetof(struct sockaddr_un, sun_path))
    awio_own_address(fd, &address);
  if (address.length > 0)
    awio_address_text(&address, text);
  snprintf(out, size, "%s %s", is_unix ? "unix" : "tcp", text);
}

static awio_stream *new_socket_stream(connection *c) {
  char name[AWIO_ADDRESS_TEXT + 8];
  name_socket(c->fd, name, sizeof name);
  int fd = c->fd;
  c->fd = -1;
  awio_stream *s = awio_stream_new(fd, true, true, name);
  if (!s)
    return NULL;
  s->socket = true;
  s->limits = c->options.limits;
  s->tcp = c->options.tcp;
  return s;
}

/* If making the Stream raises, the value still has the descriptor. */
static int push_connection(lua_State *L, aw_lua_value *value) {
  connection *c = (connection *)value;
  awio_stream **box = awio_push_stream(L, 0);
  awio_fill_stream(L, box, new_socket_stream(c));
  if (!*box)
    return luaL_error(L, "not enough memory");
  return 1;
}

static void release_connection(aw_lua_value *value) {
  connection *c = (connection *)value;
  if (c->fd >= 0)
    close(c->fd);
  aw_free(c);
}

aw_value awio_socket_value(int fd, const awio_socket_options *options) {
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
  return aw_lua_box(&c->value);
}
