/* udp_open.c - makes UDP sockets, for aiowire/udp.lua
 *
 *   udp_plan()  checks the arguments of aw.udp.bind or aw.udp.connect, and
 *               keeps the options in a userdata
 *   names       udp.lua looks up the addresses of the host
 *   udp_open()  tries one address
 */
#include "io.h"
#include "net/udp.h"

#include <lauxlib.h>

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

static const char *const PLAN = "aiowire.udp_plan";

/* ---- arguments and options ---- */

static void check_bind_host(lua_State *L, const awio_udp_options *options) {
  const char *host =
      lua_isnoneornil(L, 1) ? "" : aw_lua_check_string(L, 1, NULL);
  if (*host == '\0' ? lua_rawlen(L, 1) == 0 : strcmp(host, "*") == 0)
    lua_pushstring(L, options->family == AF_INET6 ? "::" : "0.0.0.0");
  else
    lua_pushstring(L, awio_check_host(L, 1, "bind"));
}

/* Check the option local_host on top: "" and "*" are any address, as nil. */
static void check_udp_local_host(lua_State *L) {
  if (lua_isnil(L, -1))
    return;
  if (lua_type(L, -1) != LUA_TSTRING)
    aw_lua_bad_option(L, "local_host", "string");
  if (lua_rawlen(L, -1) == 0 || strcmp(lua_tostring(L, -1), "*") == 0) {
    lua_pushnil(L);
    lua_replace(L, -2);
  } else {
    awio_check_host(L, lua_gettop(L), "bind");
  }
}

/* Push the options local_host and local_port of the table at 3, or nils. */
static void push_local(lua_State *L) {
  if (lua_isnil(L, 3)) {
    lua_pushnil(L);
    lua_pushnil(L);
    return;
  }
  lua_getfield(L, 3, "local_host");
  check_udp_local_host(L);
  awio_push_port_option(L, 3, "local_port");
}

/* udp_plan(host, port, opts, connects) → plan, host, family or nil, local_host
 * or nil, local_port or nil. Checks the arguments of bind or connect. */
static int inner_udp_plan(lua_State *L) {
  static const char *const of_bind[] = {AWIO_UDP_CHANGEABLE, "reuseport",
                                        "ipv6only", "family", NULL};
  static const char *const of_connect[] = {
      AWIO_UDP_CHANGEABLE, "reuseport",  "ipv6only", "family",
      "local_host",        "local_port", NULL};
  lua_settop(L, 4);
  bool connects = lua_toboolean(L, 4);
  awio_udp_options options = awio_udp_usual;
  if (connects || !lua_isnil(L, 1))
    aw_lua_check_string(L, 1, NULL);
  awio_check_port(L, 2);
  if (!lua_isnil(L, 3)) {
    aw_lua_check_options(L, 3, connects ? of_connect : of_bind, false);
    awio_udp_check_options(L, 3, &options);
  }
  awio_udp_options *plan = lua_newuserdatauv(L, sizeof *plan, 0);
  *plan = options;
  luaL_setmetatable(L, PLAN);
  if (connects)
    lua_pushstring(L, awio_check_host(L, 1, "connect"));
  else
    check_bind_host(L, &options);
  awio_push_family(L, options.family);
  push_local(L);
  return 5;
}

/* ---- opening ---- */

/* What udp_open() was doing when it failed. */
typedef struct udp_step {
  const char *call;
  const awio_address *about;
} udp_step;

static int bind_udp(const awio_udp *s, const awio_address *local,
                    udp_step *step) {
  if (local->length == 0)
    return 0;
  *step = (udp_step){"bind", local};
  return bind(s->fd, &local->any, local->length) < 0 ? -errno : 0;
}

static int connect_udp(const awio_udp *s, const awio_address *peer,
                       udp_step *step) {
  if (peer->length == 0)
    return 0;
  *step = (udp_step){"connect", peer};
  return connect(s->fd, &peer->any, peer->length) < 0 ? -errno : 0;
}

static int open_udp(awio_udp_box *box, const awio_udp_options *options,
                    const awio_address *local, const awio_address *peer,
                    udp_step *step) {
  awio_udp *s = box->socket;
  const awio_address *main = peer->length > 0 ? peer : local;
  *step = (udp_step){peer->length > 0 ? "connect" : "bind", main};
  int rc = awio_udp_open(s, main->any.sa_family);
  if (rc < 0)
    return rc;
  box->fd = s->fd;
  s->only6 = s->family == AF_INET6 && options->ipv6only > 0;
  rc = awio_udp_prepare(s, options);
  if (rc == 0)
    rc = bind_udp(s, local, step);
  if (rc == 0)
    rc = connect_udp(s, peer, step);
  if (rc < 0)
    awio_udp_close(s, NULL);
  else
    awio_udp_note_name(s);
  return rc;
}

static void read_address(lua_State *L, int index, awio_address *out) {
  memset(out, 0, sizeof *out);
  if (!lua_isnoneornil(L, index))
    awio_address_parse(luaL_checkstring(L, index),
                       (int)luaL_checkinteger(L, index + 1), out);
}

/* udp_open(plan, is_last, local address or nil, port, peer's address or nil,
 * port) → a UdpSocket; or nil after a failure, which is raised if there is no
 * other address to try. The addresses are numeric. */
static int inner_udp_open(lua_State *L) {
  enum { LAST = 2, LOCAL, PEER = 5, ALL = 6 };
  awio_address local, peer;
  udp_step step;
  lua_settop(L, ALL);
  const awio_udp_options *options = luaL_checkudata(L, 1, PLAN);
  read_address(L, LOCAL, &local);
  read_address(L, PEER, &peer);
  int rc = open_udp(awio_udp_push_object(L), options, &local, &peer, &step);
  if (rc == 0)
    return 1;
  if (!lua_toboolean(L, LAST))
    return 0;
  char text[AWIO_ADDRESS_TEXT];
  awio_address_text(step.about, text);
  return aw_lua_system_error(L, rc, step.call, text);
}

/* ---- for Lua ---- */

void awio_open_udp(lua_State *L) {
  static const luaL_Reg inner[] = {{"udp_plan", inner_udp_plan},
                                   {"udp_open", inner_udp_open},
                                   {"udp_names", awio_udp_set_names},
                                   {NULL, NULL}};
  luaL_newmetatable(L, PLAN);
  lua_pop(L, 1);
  awio_udp_make_class(L);
  awio_add_inner(L, inner);
}
