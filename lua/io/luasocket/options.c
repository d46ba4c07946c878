/* options.c - setoption and getoption, with LuaSocket's names and values
 *
 * A row for each option: what it is in the kernel, the kind of its value, and
 * which sockets have it. The kinds beyond numbers and booleans have functions.
 */
#define _GNU_SOURCE
#include "luasocket/luasocket.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>

typedef enum kind {
  FLAG,
  WHOLE,
  LINGER,
  DEVICE,
  ERROR,
  IP,
  GROUP,
  GROUP6
} kind;

enum { SETS = 1, GETS = 2, TCP = 4, UDP = 8, UNIX = 16 };
enum { BOTH = SETS | GETS, ALL = TCP | UDP };

typedef struct option {
  const char *name;
  int level, number;
  kind kind;
  unsigned has; /* of the constants above */
} option;

static const option options[] = {
    {"bindtodevice", SOL_SOCKET, SO_BINDTODEVICE, DEVICE, BOTH | TCP},
    {"keepalive", SOL_SOCKET, SO_KEEPALIVE, FLAG, BOTH | TCP},
    {"keepalive", SOL_SOCKET, SO_KEEPALIVE, FLAG, SETS | UNIX},
    {"reuseaddr", SOL_SOCKET, SO_REUSEADDR, FLAG, BOTH | ALL},
    {"reuseaddr", SOL_SOCKET, SO_REUSEADDR, FLAG, SETS | UNIX},
    {"reuseport", SOL_SOCKET, SO_REUSEPORT, FLAG, BOTH | ALL},
    {"dontroute", SOL_SOCKET, SO_DONTROUTE, FLAG, BOTH | UDP},
    {"broadcast", SOL_SOCKET, SO_BROADCAST, FLAG, BOTH | UDP},
    {"tcp-nodelay", IPPROTO_TCP, TCP_NODELAY, FLAG, BOTH | TCP},
    {"tcp-keepidle", IPPROTO_TCP, TCP_KEEPIDLE, WHOLE, BOTH | TCP},
    {"tcp-keepcnt", IPPROTO_TCP, TCP_KEEPCNT, WHOLE, BOTH | TCP},
    {"tcp-keepintvl", IPPROTO_TCP, TCP_KEEPINTVL, WHOLE, BOTH | TCP},
    {"tcp-defer-accept", IPPROTO_TCP, TCP_DEFER_ACCEPT, WHOLE, SETS | TCP},
    {"tcp-fastopen", IPPROTO_TCP, TCP_FASTOPEN, WHOLE, SETS | TCP},
    {"recv-buffer-size", SOL_SOCKET, SO_RCVBUF, WHOLE, BOTH | ALL},
    {"send-buffer-size", SOL_SOCKET, SO_SNDBUF, WHOLE, BOTH | ALL},
    {"linger", SOL_SOCKET, SO_LINGER, LINGER, BOTH | TCP},
    {"linger", SOL_SOCKET, SO_LINGER, LINGER, SETS | UNIX},
    {"error", SOL_SOCKET, SO_ERROR, ERROR, GETS | ALL},
    {"ipv6-v6only", IPPROTO_IPV6, IPV6_V6ONLY, FLAG, SETS | TCP},
    {"ipv6-v6only", IPPROTO_IPV6, IPV6_V6ONLY, FLAG, BOTH | UDP},
    {"ip-multicast-if", IPPROTO_IP, IP_MULTICAST_IF, IP, BOTH | UDP},
    {"ip-multicast-ttl", IPPROTO_IP, IP_MULTICAST_TTL, WHOLE, SETS | UDP},
    {"ip-multicast-loop", IPPROTO_IP, IP_MULTICAST_LOOP, FLAG, BOTH | UDP},
    {"ip-add-membership", IPPROTO_IP, IP_ADD_MEMBERSHIP, GROUP, SETS | UDP},
    {"ip-drop-membership", IPPROTO_IP, IP_DROP_MEMBERSHIP, GROUP, SETS | UDP},
    {"ipv6-unicast-hops", IPPROTO_IPV6, IPV6_UNICAST_HOPS, WHOLE, BOTH | UDP},
    {"ipv6-multicast-hops", IPPROTO_IPV6, IPV6_MULTICAST_HOPS, WHOLE,
     BOTH | UDP},
    {"ipv6-multicast-loop", IPPROTO_IPV6, IPV6_MULTICAST_LOOP, FLAG,
     BOTH | UDP},
    {"ipv6-add-membership", IPPROTO_IPV6, IPV6_ADD_MEMBERSHIP, GROUP6,
     SETS | UDP},
    {"ipv6-drop-membership", IPPROTO_IPV6, IPV6_DROP_MEMBERSHIP, GROUP6,
     SETS | UDP},
};

enum { NAME = 2, VALUE };

/* Return the option that the string at 2 names, and that the socket has. */
static const option *find_ls_option(lua_State *L, const awio_ls *s,
                                    unsigned way) {
  const char *name = aw_lua_check_string(L, NAME, NULL);
  unsigned is = s->type == SOCK_DGRAM ? UDP : s->family == AF_UNIX ? UNIX : TCP;
  for (size_t i = 0; i < sizeof options / sizeof *options; i++)
    if (strcmp(name, options[i].name) == 0 && (options[i].has & is) &&
        (options[i].has & way))
      return &options[i];
  aw_lua_arg_error(L, NAME,
                   lua_pushfstring(L, "unsupported option `%s'", name));
  return NULL;
}

/* ---- setting ---- */

static int apply_ls_option(lua_State *L, const awio_ls *s, const option *o,
                           const void *value, socklen_t size) {
  if (setsockopt(s->fd, o->level, o->number, value, size) < 0) {
    lua_pushnil(L);
    lua_pushliteral(L, "setsockopt failed");
    return 2;
  }
  return awio_ls_done(L);
}

static void check_table(lua_State *L) {
  if (!lua_istable(L, VALUE))
    aw_lua_type_error(L, VALUE, "table");
}

static int set_flag(lua_State *L, const awio_ls *s, const option *o) {
  if (!lua_isboolean(L, VALUE))
    aw_lua_type_error(L, VALUE, "boolean");
  int value = lua_toboolean(L, VALUE);
  return apply_ls_option(L, s, o, &value, sizeof value);
}

static int apply_linger(lua_State *L, const awio_ls *s, const option *o) {
  struct linger value;
  check_table(L);
  lua_getfield(L, VALUE, "on");
  lua_getfield(L, VALUE, "timeout");
  aw_lua_arg_check(L, lua_isboolean(L, -2), VALUE,
                   "boolean 'on' field expected");
  aw_lua_arg_check(L, lua_isnumber(L, -1), VALUE,
                   "number 'timeout' field expected");
  value.l_onoff = lua_toboolean(L, -2);
  value.l_linger = (int)lua_tonumber(L, -1) & 0xffff;
  return apply_ls_option(L, s, o, &value, sizeof value);
}

static int set_ip(lua_State *L, const awio_ls *s, const option *o) {
  struct in_addr value = {htonl(INADDR_ANY)};
  const char *ip = aw_lua_check_string(L, VALUE, NULL);
  aw_lua_arg_check(L, strcmp(ip, "*") == 0 || inet_aton(ip, &value), VALUE,
                   "ip expected");
  return apply_ls_option(L, s, o, &value, sizeof value);
}

/* Push the field, a string. */
static const char *text_field(lua_State *L, const char *name) {
  lua_getfield(L, VALUE, name);
  if (!lua_isstring(L, -1))
    aw_lua_arg_error(L, VALUE,
                     lua_pushfstring(L, "string '%s' field expected", name));
  return lua_tostring(L, -1);
}

static int set_group(lua_State *L, const awio_ls *s, const option *o) {
  struct ip_mreq value;
  check_table(L);
  const char *group = text_field(L, "multiaddr");
  aw_lua_arg_check(L, inet_aton(group, &value.imr_multiaddr), VALUE,
                   "invalid 'multiaddr' ip address");
  const char *interface = text_field(L, "interface");
  value.imr_interface.s_addr = htonl(INADDR_ANY);
  aw_lua_arg_check(L,
                   strcmp(interface, "*") == 0 ||
                       inet_aton(interface, &value.imr_interface),
                   VALUE, "invalid 'interface' ip address");
  return apply_ls_option(L, s, o, &value, sizeof value);
}

static int set_group6(lua_State *L, const awio_ls *s, const option *o) {
  struct ipv6_mreq value;
  memset(&value, 0, sizeof value);
  check_table(L);
  const char *group = text_field(L, "multiaddr");
  aw_lua_arg_check(L, inet_pton(AF_INET6, group, &value.ipv6mr_multiaddr) == 1,
                   VALUE, "invalid 'multiaddr' ip address");
  lua_getfield(L, VALUE, "interface");
  aw_lua_arg_check(L, lua_isnil(L, -1) || lua_isnumber(L, -1), VALUE,
                   "number 'interface' field expected");
  value.ipv6mr_interface = (unsigned)lua_tonumber(L, -1);
  return apply_ls_option(L, s, o, &value, sizeof value);
}

/* s:setoption(name, value) → 1; or nil, error */
int awio_ls_setoption(lua_State *L) {
  const awio_ls *s = awio_ls_check(L, AWIO_LS_ANY);
  const option *o = find_ls_option(L, s, SETS);
  switch (o->kind) {
  case FLAG: return set_flag(L, s, o);
  case LINGER: return apply_linger(L, s, o);
  case IP: return set_ip(L, s, o);
  case GROUP: return set_group(L, s, o);
  case GROUP6: return set_group6(L, s, o);
  case DEVICE: {
    size_t size;
    const char *device = aw_lua_check_string(L, VALUE, &size);
    return apply_ls_option(L, s, o, device, (socklen_t)size + 1);
  }
  case ERROR:
  case WHOLE: break;
  }
  int value = (int)lua_tonumber(L, VALUE);
  return apply_ls_option(L, s, o, &value, sizeof value);
}

/* ---- getting ---- */

/* Large enough for the value of each option. */
typedef union value {
  int whole;
  struct linger linger;
  struct in_addr ip;
  char device[IFNAMSIZ];
} value;

static void push_option(lua_State *L, const option *o, const value *v) {
  switch (o->kind) {
  case FLAG: lua_pushboolean(L, v->whole); return;
  case ERROR: lua_pushstring(L, awio_ls_text(-v->whole)); return;
  case IP: lua_pushstring(L, inet_ntoa(v->ip)); return;
  case DEVICE: lua_pushstring(L, v->device); return;
  case LINGER:
    lua_createtable(L, 0, 2);
    lua_pushboolean(L, v->linger.l_onoff);
    lua_setfield(L, -2, "on");
    lua_pushinteger(L, v->linger.l_linger);
    lua_setfield(L, -2, "timeout");
    return;
  case GROUP:
  case GROUP6:
  case WHOLE: break;
  }
  lua_pushnumber(L, v->whole);
}

/* s:getoption(name) → value; or nil, error */
int awio_ls_getoption(lua_State *L) {
  const awio_ls *s = awio_ls_check(L, AWIO_LS_ANY);
  const option *o = find_ls_option(L, s, GETS);
  value v;
  memset(&v, 0, sizeof v);
  socklen_t size = o->kind == LINGER   ? sizeof v.linger
                   : o->kind == DEVICE ? sizeof v.device
                                       : sizeof v.whole;
  if (getsockopt(s->fd, o->level, o->number, &v, &size) < 0) {
    lua_pushnil(L);
    lua_pushliteral(L, "getsockopt failed");
    return 2;
  }
  push_option(L, o, &v);
  return 1;
}
