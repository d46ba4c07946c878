/* attach.c - see attach.h */
#include "address/attach.h"

#include "address/host_address.h"
#include "address/host_name.h"
#include "security/curve.h"
#include "security/guard.h"

#include <uv.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

static const char *const verbs[] = {[AWZ_BIND] = "bind",
                                    [AWZ_CONNECT] = "connect",
                                    [AWZ_UNBIND] = "unbind",
                                    [AWZ_DISCONNECT] = "disconnect"};

static void remember(awz_socket *s, awz_verb verb, const char *address) {
  if (verb == AWZ_BIND || (verb == AWZ_CONNECT && !*s->address)) {
    s->bound = verb == AWZ_BIND;
    snprintf(s->address, sizeof s->address, "%s", address);
  } else if (strcmp(s->address, address) == 0 ||
             (verb == AWZ_UNBIND && s->bound && !s->endpoints)) {
    s->bound = false;
    *s->address = '\0';
  }
}

/* libzmq does not know this address of the socket. */
static const char *push_unknown(lua_State *L, const awz_socket *s,
                                awz_verb verb, const char *address) {
  if (verb == AWZ_DISCONNECT)
    return lua_pushfstring(L, "this socket is not connected to '%s'", address);
  const char *other = awz_bound_like(s, address);
  if (!other)
    return lua_pushfstring(L, "this socket is not bound to '%s'", address);
  return lua_pushfstring(L,
                         "this socket is not bound to '%s' but to '%s', as "
                         "s.last_endpoint tells after a bind",
                         address, other);
}

/* libzmq does not look up host names for a bind; it takes them for devices. */
static const char *push_no_device(lua_State *L, const char *address) {
  const char *host = strstr(address, "://") + 3;
  const char *port = strrchr(host, ':');
  lua_pushlstring(L, host, port ? (size_t)(port - host) : strlen(host));
  if (strchr(lua_tostring(L, -1), ':'))
    return lua_pushfstring(L,
                           "'%s' is an address of IPv6: set option 'ipv6' of "
                           "the socket first, and put brackets around it",
                           lua_tostring(L, -1));
  return lua_pushfstring(L,
                         "libzmq binds to numbers and to interfaces of this "
                         "machine, and '%s' is neither: use 127.0.0.1 for "
                         "this machine alone, * for all that reach it",
                         lua_tostring(L, -1));
}

static bool is_without_port(const char *address) {
  return awz_starts_with(address, "tcp://") &&
         !strchr(address + strlen("tcp://"), ':');
}

/* Why libzmq refuses the address, for errors that have a reason of their own;
 * NULL: `code` says it. */
static const char *push_refusal(lua_State *L, const awz_socket *s,
                                awz_verb verb, const char *address, int code) {
  const char *format = NULL;
  if (code == -EINVAL)
    format = is_without_port(address)
                 ? "bad address '%s' (a port is missing, as in "
                   "tcp://127.0.0.1:5555)"
                 : "bad address '%s'";
  else if (code == -EPROTOTYPE)
    format = "'%s' would join this socket with itself, or with one of a type "
             "it does not talk to";
  else if (code == -EBUSY && verb == AWZ_DISCONNECT)
    format = "'%s' is not bound yet: until then libzmq cannot disconnect from "
             "it";
  else if (code == -EBUSY && verb == AWZ_CONNECT)
    format = "a socket with 'conflate' connects to an inproc name that is "
             "bound, and '%s' is not";
  else if (code == -EDESTADDRREQ && verb == AWZ_CONNECT)
    format = "a peer that is named by 'connect_routing_id' needs an address "
             "with a number, and '%s' has the name of a host";
  else if (code == -EOPNOTSUPP && verb == AWZ_CONNECT)
    format = "a socket with 'immediate' cannot name its peer at '%s' by "
             "'connect_routing_id'";
  else if (code == -EALREADY && verb == AWZ_BIND)
    format = "a peer at '%s' could take the name that 'connect_routing_id' has "
             "for the next connect: connect first";
  else if (code == -ENOPROTOOPT)
    format = "peers at '%s' would come without a handshake, so that the "
             "options of this socket for CURVE, PLAIN or a domain could keep "
             "nobody out";
  if (format)
    return lua_pushfstring(L, format, address);
  if (code == -ENOENT && verb >= AWZ_UNBIND)
    return push_unknown(L, s, verb, address);
  if (code == -ENODEV && verb == AWZ_BIND && awz_starts_with(address, "tcp://"))
    return push_no_device(L, address);
  return NULL;
}

static int refuse_address(lua_State *L, const awz_socket *s, awz_verb verb,
                          const char *address, int code) {
  const char *why = push_refusal(L, s, verb, address, code);
  if (why)
    return aw_lua_arg_error(L, 2, why);
  return aw_lua_system_error(L, code, verbs[verb], address);
}

static int attach_raw(lua_State *L, awz_socket *s, awz_verb verb,
                      const char *address) {
  int rc;
  switch (verb) {
  case AWZ_BIND:
    rc = awz_host_bind(s, address, NULL);
    return rc != 0 ? rc : awz_bind(s, address);
  case AWZ_CONNECT:
    rc = awz_host_connect(s, address, aw_lua_engine(L));
    return rc != 0 ? rc : awz_connect(s, address);
  case AWZ_UNBIND:
    rc = awz_host_unbind(s, address);
    return rc != 0 ? rc : awz_unbind(s, address);
  case AWZ_DISCONNECT:
    rc = awz_host_disconnect(s, address);
    return rc != 0 ? rc : awz_disconnect(s, address);
  }
  return AW_EINVAL;
}

/* The call has succeeded: return the socket. A warning may close it. */
static int attached(lua_State *L, awz_socket *s, awz_verb verb,
                    const char *address) {
  remember(s, verb, address);
  if (verb == AWZ_BIND || verb == AWZ_CONNECT) {
    awz_guard_attached(s, address, aw_lua_where(L));
    awz_tell_missing_key(L, s, address);
  }
  lua_settop(L, 1);
  return 1;
}

/* Return the socket at 1, and the address at 2. Raises. The check of an address
 * may run finalizers, which may close the socket. Nothing may be added to a
 * closed socket, as its close would not take it away. */
static awz_socket *check_both(lua_State *L, awz_verb verb,
                              const char **address) {
  *address = awz_check_address(L, awz_check_socket(L, verbs[verb]), verb, 2);
  return awz_check_socket(L, verbs[verb]);
}

/* s:bind(address) → s */
static int attach(lua_State *L, awz_verb verb) {
  const char *address;
  awz_socket *s = check_both(L, verb, &address);
  int rc = awz_room_for_files();
  if (rc == 0)
    rc = attach_raw(L, s, verb, address);
  if (rc < 0)
    return refuse_address(L, s, verb, address, rc);
  return attached(L, s, verb, address);
}

/* host_to_bind(s, address) → host, its family or nil; nothing if the address
 * has no name that must be looked up first */
static int host_to_bind(lua_State *L) {
  const char *address;
  awz_socket *s = check_both(L, AWZ_BIND, &address);
  awz_host host;
  if (awz_host_in(address, true, &host) != AWZ_HOST_NAME)
    return 0;
  lua_pushstring(L, host.name);
  if (awz_host_family(s) == AF_UNSPEC)
    return 1;
  lua_pushliteral(L, "inet");
  return 2;
}

/* bind_number(s, address, number, …) → s: bind to the first of the numbers of
 * its host that can be bound to */
static int bind_number(lua_State *L) {
  int last = lua_gettop(L); /* a check may push */
  const char *address;
  awz_socket *s = check_both(L, AWZ_BIND, &address);
  int rc = UV_EAI_NONAME;
  for (int i = 3; i <= last && rc < 0 && rc != AW_ENOMEM; i++) {
    rc = awz_room_for_files();
    if (rc == 0)
      rc = awz_host_bind(s, address, lua_tostring(L, i));
  }
  if (rc < 0)
    return refuse_address(L, s, AWZ_BIND, address, rc);
  return attached(L, s, AWZ_BIND, address);
}

static int socket_bind(lua_State *L) {
  return attach(L, AWZ_BIND);
}

static int socket_connect(lua_State *L) {
  return attach(L, AWZ_CONNECT);
}

static int socket_unbind(lua_State *L) {
  return attach(L, AWZ_UNBIND);
}

static int socket_disconnect(lua_State *L) {
  return attach(L, AWZ_DISCONNECT);
}

const luaL_Reg awz_attach_methods[] = {{"connect", socket_connect},
                                       {"unbind", socket_unbind},
                                       {"disconnect", socket_disconnect},
                                       {NULL, NULL}};

const luaL_Reg awz_bind_functions[] = {{"bind", socket_bind},
                                       {"host_to_bind", host_to_bind},
                                       {"bind_number", bind_number},
                                       {NULL, NULL}};
