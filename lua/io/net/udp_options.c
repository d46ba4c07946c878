/* udp_options.c - options of UDP sockets, and groups of multicast; see udp.h
 *
 * An IPv6 socket may carry IPv4, too. So it gets the options of both; that
 * those of IPv4 fail is no error there.
 */
#define _GNU_SOURCE /* struct ip_mreqn */
#include "base/socket.h"
#include "net/udp.h"

#include <lauxlib.h>
#include <uv.h>

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <string.h>
#include <sys/socket.h>

const awio_udp_options awio_udp_usual = {
    .broadcast = -1,
    .ttl = -1,
    .loopback = -1,
    .reuseport = -1,
    .ipv6only = -1,
    .family = AF_UNSPEC,
};

/* ---- reading them ---- */

static const awio_whole ttl_option = {"ttl", 1, 255,
                                      "whole number from 1 to 255"};

static int flag_of(lua_State *L, int arg, const char *name) {
  int type = lua_getfield(L, arg, name);
  lua_pop(L, 1);
  return type == LUA_TNIL ? -1 : aw_lua_opt_flag(L, arg, name, false);
}

static unsigned interface_of(lua_State *L, int arg) {
  unsigned index = 0;
  int type = lua_getfield(L, arg, "interface");
  if (type != LUA_TNIL) {
    if (type != LUA_TSTRING)
      aw_lua_bad_option(L, "interface", "name of an interface");
    index = if_nametoindex(lua_tostring(L, -1));
    if (index == 0)
      aw_lua_error(L, "bad option 'interface' (no interface '%s' here)",
                   lua_tostring(L, -1));
  }
  lua_pop(L, 1);
  return index;
}

void awio_udp_check_options(lua_State *L, int arg, awio_udp_options *options) {
  options->broadcast = flag_of(L, arg, "broadcast");
  options->loopback = flag_of(L, arg, "loopback");
  options->reuseport = flag_of(L, arg, "reuseport");
  options->ipv6only = flag_of(L, arg, "ipv6only");
  options->ttl = awio_opt_whole(L, arg, &ttl_option, -1);
  options->family = awio_opt_family(L, arg);
  options->interface = interface_of(L, arg);
}

/* ---- applying them ---- */

/* Set an option of IPv4 and its counterpart of IPv6. A negative value: it is
 * not given. */
static int set_both(const awio_udp *s, int option4, int option6, int value) {
  if (value < 0)
    return 0;
  int rc = awio_socket_set(s->fd, IPPROTO_IP, option4, value);
  return s->family == AF_INET
             ? rc
             : awio_socket_set(s->fd, IPPROTO_IPV6, option6, value);
}

static int set_interface(const awio_udp *s, unsigned index) {
  if (index == 0)
    return 0;
  struct ip_mreqn from = {.imr_ifindex = (int)index};
  int rc = 0;
  if (setsockopt(s->fd, IPPROTO_IP, IP_MULTICAST_IF, &from, sizeof from) < 0)
    rc = -errno;
  return s->family == AF_INET ? rc
                              : awio_socket_set(s->fd, IPPROTO_IPV6,
                                                IPV6_MULTICAST_IF, (int)index);
}

int awio_udp_configure(const awio_udp *s, const awio_udp_options *options) {
  int rc = 0;
  if (options->broadcast >= 0)
    rc = awio_socket_set(s->fd, SOL_SOCKET, SO_BROADCAST, options->broadcast);
  if (rc == 0)
    rc = set_both(s, IP_TTL, IPV6_UNICAST_HOPS, options->ttl);
  if (rc == 0)
    rc = set_both(s, IP_MULTICAST_TTL, IPV6_MULTICAST_HOPS, options->ttl);
  if (rc == 0)
    rc = set_both(s, IP_MULTICAST_LOOP, IPV6_MULTICAST_LOOP, options->loopback);
  return rc < 0 ? rc : set_interface(s, options->interface);
}

int awio_udp_prepare(const awio_udp *s, const awio_udp_options *options) {
  int rc = 0;
  if (s->family == AF_INET6)
    rc = awio_socket_set(s->fd, IPPROTO_IPV6, IPV6_V6ONLY,
                         options->ipv6only > 0);
  if (rc == 0 && options->reuseport > 0)
    rc = awio_socket_set(s->fd, SOL_SOCKET, SO_REUSEPORT, 1);
  return rc < 0 ? rc : awio_udp_configure(s, options);
}

/* ---- groups ---- */

/* Return the number of the interface at `arg`; 0: the system chooses. For IPv4
 * the argument may also be an address of the interface: then write `address`
 * and return 0. Raises. */
static unsigned check_interface(lua_State *L, int arg, const char *call,
                                const awio_address *group,
                                struct in_addr *address) {
  if (lua_isnoneornil(L, arg))
    return group->any.sa_family == AF_INET6 ? group->in6.sin6_scope_id : 0;
  const char *name = aw_lua_check_string(L, arg, NULL);
  if (group->any.sa_family == AF_INET && inet_pton(AF_INET, name, address) == 1)
    return 0;
  unsigned index = if_nametoindex(name);
  if (index == 0)
    aw_lua_system_error(L, UV_ENODEV, call, name);
  return index;
}

static void change_groups(lua_State *L, const awio_udp *s, bool joins) {
  const char *call = joins ? "join" : "leave";
  const char *name = aw_lua_check_string(L, 2, NULL);
  awio_address group;
  if (!awio_address_parse(name, 0, &group))
    aw_lua_arg_error(L, 2,
                     lua_pushfstring(L,
                                     "the numeric address of a group "
                                     "expected, got '%s'",
                                     name));
  struct ip_mreqn member4 = {.imr_multiaddr = group.in.sin_addr};
  unsigned index = check_interface(L, 3, call, &group, &member4.imr_address);
  int rc;
  if (group.any.sa_family == AF_INET) {
    member4.imr_ifindex = (int)index;
    rc = setsockopt(s->fd, IPPROTO_IP,
                    joins ? IP_ADD_MEMBERSHIP : IP_DROP_MEMBERSHIP, &member4,
                    sizeof member4);
  } else {
    struct ipv6_mreq member6 = {group.in6.sin6_addr, index};
    rc = setsockopt(s->fd, IPPROTO_IPV6,
                    joins ? IPV6_JOIN_GROUP : IPV6_LEAVE_GROUP, &member6,
                    sizeof member6);
  }
  if (rc < 0)
    aw_lua_system_error(L, -errno, call, name);
}

void awio_udp_join(lua_State *L, const awio_udp *s) {
  change_groups(L, s, true);
}

void awio_udp_leave(lua_State *L, const awio_udp *s) {
  change_groups(L, s, false);
}
