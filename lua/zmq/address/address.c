/* address.c - checks addresses for bind and connect
 *
 * libzmq answers most mistakes with "invalid argument", and lets a socket wait
 * for ever for an inproc name of another context. The checks here raise errors
 * that name the mistake.
 */
#include "zmq.h"

#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

static const char *const transports[] = {"tcp",  "ipc",  "inproc", "pgm",
                                         "epgm", "tipc", "vmci",   "norm",
                                         "ws",   "wss",  "udp"};
enum { TRANSPORTS = sizeof transports / sizeof *transports };

bool awz_starts_with(const char *address, const char *start) {
  return strncmp(address, start, strlen(start)) == 0;
}

static const char *transport_name(const void *list, size_t index) {
  (void)list;
  return index < TRANSPORTS ? transports[index] : NULL;
}

static void check_transport(lua_State *L, int arg, const char *address) {
  const char *colon = strstr(address, "://");
  if (!colon)
    aw_lua_arg_error(L, arg,
                     lua_pushfstring(L,
                                     "bad address '%s' (transport://place "
                                     "expected, as tcp://127.0.0.1:5555)",
                                     address));
  lua_pushlstring(L, address, (size_t)(colon - address));
  const char *name = lua_tostring(L, -1);
  for (size_t i = 0; i < TRANSPORTS; i++)
    if (strcmp(transports[i], name) == 0)
      return;
  awz_push_nearest(L, name, transport_name);
  aw_lua_arg_error(L, arg,
                   lua_pushfstring(L, "no transport '%s' in address '%s'%s",
                                   name, address, lua_tostring(L, -1)));
}

/* Tells whether the address has a `*`, for all interfaces, any port, or a new
 * path. */
static bool has_star(const char *address) {
  if (!awz_starts_with(address, "tcp://"))
    return strcmp(address, "ipc://*") == 0;
  const char *port = strrchr(address, ':') + 1;
  return awz_starts_with(address, "tcp://*") || strcmp(port, "*") == 0;
}

/* An address with a `*` does not say where the peer is. */
static void check_star(lua_State *L, int arg, const char *address) {
  if (has_star(address))
    aw_lua_arg_error(L, arg,
                     lua_pushfstring(L,
                                     "'%s' is for bind: connect to what "
                                     "s.last_endpoint of the peer tells, or to "
                                     "its host and port",
                                     address));
}

/* Tells whether `text` is a number from 1 to 65535; or 0, for any port. */
static bool is_port(const char *text, awz_verb verb) {
  size_t digits = strspn(text, "0123456789");
  if (digits == 0 || digits > 5 || text[digits] != '\0')
    return false;
  long port = strtol(text, NULL, 10);
  return port <= 65535 && (port > 0 || verb == AWZ_BIND);
}

/* libzmq reads a port as atoi() does, and takes 16 bits of it: for 99999 it
 * binds to 34463. Text that does not begin as a number it refuses itself. */
static void check_port(lua_State *L, awz_verb verb, int arg,
                       const char *address) {
  const char *port = strrchr(address, ':') + 1;
  if (strspn(port, "+-0123456789 ") == 0 || is_port(port, verb))
    return;
  aw_lua_arg_error(L, arg,
                   lua_pushfstring(L,
                                   "no port '%s' in address '%s': a number "
                                   "from 1 to 65535 expected",
                                   port, address));
}

/* ---- ipc ---- */

static void check_path(lua_State *L, int arg, const char *address) {
  enum { LONGEST = sizeof((struct sockaddr_un *)0)->sun_path - 1 };
  const char *path = address + strlen("ipc://");
  if (strlen(path) > LONGEST)
    aw_lua_arg_error(
        L, arg,
        lua_pushfstring(L,
                        "the path of an ipc address has %d bytes at "
                        "most, this has %d",
                        LONGEST, (int)strlen(path)));
}

/* ---- inproc ---- */

static void check_context(lua_State *L, const awz_socket *s, int arg,
                          const char *address) {
  const awz_home *home = awz_home_of(L);
  if (awz_is_bound_local(s->context, address))
    return;
  for (const awz_context *c = home->first; c; c = c->next)
    if (c != s->context && awz_is_bound_local(c, address))
      aw_lua_arg_error(L, arg,
                       lua_pushfstring(L,
                                       "'%s' is bound by a socket of another "
                                       "context, which this one cannot reach",
                                       address));
}

const char *awz_check_address(lua_State *L, const awz_socket *s, awz_verb verb,
                              int arg) {
  size_t size;
  const char *address = aw_lua_check_string(L, arg, &size);
  aw_lua_arg_check(L, strlen(address) == size, arg,
                   "an address contains no zero byte");
  check_transport(L, arg, address);
  if (verb == AWZ_CONNECT)
    check_star(L, arg, address);
  if (awz_starts_with(address, "tcp://") && verb <= AWZ_CONNECT)
    check_port(L, verb, arg, address);
  if (awz_starts_with(address, "ipc://") && verb <= AWZ_CONNECT)
    check_path(L, arg, address);
  if (awz_starts_with(address, "inproc://") && !s->type->peers)
    aw_lua_arg_error(L, arg,
                     lua_pushfstring(L, "a %s socket has no peers in '%s'",
                                     s->type->name, address));
  if (awz_starts_with(address, "inproc://") && verb == AWZ_CONNECT)
    check_context(L, s, arg, address);
  return address;
}
