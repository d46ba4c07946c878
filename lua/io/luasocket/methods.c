/* methods.c - the small methods of aw.socket's objects, and their classes
 *
 * Methods that wait are in files of their own. socket_methods.lua adds those
 * that look up names.
 */
#include "base/waiters.h"
#include "luasocket/luasocket.h"

#include "io.h"

#include <lauxlib.h>

#include <math.h>
#include <string.h>
#include <sys/socket.h>

static int ls_close(lua_State *L) {
  aw_engine *engine = aw_lua_engine(L); /* first: it may run a finalizer */
  awio_ls_close(awio_ls_check(L, AWIO_LS_ANY), engine);
  return awio_ls_done(L);
}

static int ls_gc(lua_State *L) {
  awio_ls_finalize(L);
  return 0;
}

static int ls_tostring(lua_State *L) {
  awio_ls_push_text(L);
  return 1;
}

/* ---- small methods ---- */

static int ls_getfd(lua_State *L) {
  awio_ls *s = awio_ls_check(L, AWIO_LS_ANY);
  s->keeper.owned = false; /* others may close it now */
  lua_pushnumber(L, s->fd);
  return 1;
}

/* The old descriptor stays open: its new owner closes it. */
static int ls_setfd(lua_State *L) {
  aw_engine *engine = aw_lua_engine(L);
  awio_ls *s = awio_ls_check(L, AWIO_LS_ANY);
  aw_lua_arg_check(L, lua_isnumber(L, 2), 2, "number expected");
  awio_waits_end(&s->keeper, s->engine, engine, s->fd);
  aw_ready_done(&s->keeper);
  s->keeper.owned = false;
  s->fd = (int)lua_tonumber(L, 2);
  return 0;
}

static int ls_dirty(lua_State *L) {
  awio_ls *s = awio_ls_check(L, AWIO_LS_ANY);
  lua_pushboolean(L, awio_buffer_length(&s->in) > 0);
  return 1;
}

static int ls_getfamily(lua_State *L) {
  awio_ls *s = awio_ls_check(L, AWIO_LS_ANY);
  lua_pushstring(L, s->family == AF_INET6 ? "inet6" : "inet4");
  return 1;
}

static int ls_settimeout(lua_State *L) {
  awio_ls *s = awio_ls_check(L, AWIO_LS_ANY);
  double seconds = awio_ls_opt_number(L, 2, -1);
  const char *mode =
      lua_isnoneornil(L, 3) ? "b" : aw_lua_check_string(L, 3, NULL);
  aw_lua_arg_check(L, *mode == 'b' || *mode == 't' || *mode == 'r', 3,
                   "invalid timeout mode");
  aw_lua_arg_check(L, !isnan(seconds), 2, "a number of seconds expected");
  if (*mode == 'b')
    s->block = seconds;
  else
    s->total = seconds;
  return awio_ls_done(L);
}

static int ls_gettimeout(lua_State *L) {
  awio_ls *s = awio_ls_check(L, AWIO_LS_ANY);
  lua_pushnumber(L, s->block);
  lua_pushnumber(L, s->total);
  return 2;
}

static int ls_getstats(lua_State *L) {
  awio_ls *s = awio_ls_check(L, AWIO_LS_CLIENT);
  lua_pushnumber(L, s->received);
  lua_pushnumber(L, s->sent);
  lua_pushnumber(L, awio_ls_time_of_day() - s->born);
  return 3;
}

static int ls_setstats(lua_State *L) {
  awio_ls *s = awio_ls_check(L, AWIO_LS_CLIENT);
  s->received = trunc(awio_ls_opt_number(L, 2, s->received));
  s->sent = trunc(awio_ls_opt_number(L, 3, s->sent));
  if (lua_isnumber(L, 4))
    s->born = awio_ls_time_of_day() - lua_tonumber(L, 4);
  return awio_ls_done(L);
}

/* ---- classes ---- */

static const luaL_Reg common[] = {{"close", ls_close},
                                  {"dirty", ls_dirty},
                                  {"getfamily", ls_getfamily},
                                  {"getfd", ls_getfd},
                                  {"setfd", ls_setfd},
                                  {"settimeout", ls_settimeout},
                                  {"gettimeout", ls_gettimeout},
                                  {"getsockname", awio_ls_getsockname},
                                  {"getpeername", awio_ls_getpeername},
                                  {"setoption", awio_ls_setoption},
                                  {"getoption", awio_ls_getoption},
                                  {NULL, NULL}};
static const luaL_Reg of_streams[] = {
    {"accept", awio_ls_accept},     {"getstats", ls_getstats},
    {"setstats", ls_setstats},      {"listen", awio_ls_listen},
    {"receive", awio_ls_receive},   {"send", awio_ls_send},
    {"shutdown", awio_ls_shutdown}, {NULL, NULL}};
static const luaL_Reg of_datagrams[] = {{"receive", awio_ls_receive_datagram},
                                        {"receivefrom", awio_ls_receivefrom},
                                        {"send", awio_ls_send_datagram},
                                        {"sendto", awio_ls_sendto},
                                        {NULL, NULL}};
static const luaL_Reg meta[] = {{"__gc", ls_gc},
                                {"__close", ls_close},
                                {"__tostring", ls_tostring},
                                {NULL, NULL}};

/* Push the table of methods of a class, and make the class. */
static void make_class(lua_State *L, const awio_ls_class *c) {
  lua_newtable(L);
  aw_lua_set_functions(L, common, 0);
  aw_lua_set_functions(L, c->role & AWIO_LS_STREAMS ? of_streams : of_datagrams,
                       0);
  lua_pushstring(L, c->name);
  lua_setfield(L, -2, "class");
  lua_pushfstring(L, "aiowire.%s", c->name);
  luaL_newmetatable(L, lua_tostring(L, -1)); /* [methods, name, meta] */
  lua_pushstring(L, c->name);
  lua_setfield(L, -2, "__name");
  awio_ls_mark(L);
  aw_lua_set_functions(L, meta, 0);
  lua_pushvalue(L, -3);
  lua_setfield(L, -2, "__index");
  lua_pop(L, 2);
}

/* ls_new(family, datagrams) → a socket; family "inet", "inet6", "unix" or
 * nil */
static int inner_ls_new(lua_State *L) {
  bool datagrams = lua_toboolean(L, 2);
  int family = awio_to_family(L, 1);
  if (lua_isstring(L, 1) && strcmp(lua_tostring(L, 1), "unix") == 0)
    family = AF_UNIX;
  awio_ls_push(L, family, datagrams ? SOCK_DGRAM : SOCK_STREAM,
               datagrams ? AWIO_LS_UNCONNECTED : AWIO_LS_MASTER);
  return 1;
}

/* ls_state(socket, roles) → family or nil, seconds that a call may wait, is it
 * UDP?; raises for what is no socket with one of the roles. A failed attempt to
 * connect has not settled the family. */
static int inner_ls_state(lua_State *L) {
  awio_ls *s = awio_ls_check(L, (unsigned)lua_tointeger(L, 2));
  awio_push_family(L, s->tried ? AF_UNSPEC : s->family);
  lua_pushnumber(L, s->block < 0                          ? s->total
                    : s->total < 0 || s->block < s->total ? s->block
                                                          : s->total);
  lua_pushboolean(L, s->type == SOCK_DGRAM);
  return 3;
}

/* ls_become(socket, role) */
static int inner_ls_become(lua_State *L) {
  awio_ls *s = awio_ls_check(L, AWIO_LS_ANY);
  awio_ls_become(L, s, (unsigned)lua_tointeger(L, 2));
  return 0;
}

/* [inner, module]: inner.ls_methods = { [name of a class] = its methods } */
void awio_open_luasocket(lua_State *L) {
  static const luaL_Reg inner[] = {{"ls_new", inner_ls_new},
                                   {"ls_state", inner_ls_state},
                                   {"ls_become", inner_ls_become},
                                   {NULL, NULL}};
  awio_add_inner(L, inner);
  awio_add_inner(L, awio_ls_address_inner);
  awio_add_inner(L, awio_ls_poll_inner);
  lua_newtable(L);
  for (const awio_ls_class *c = awio_ls_classes; c->name; c++) {
    make_class(L, c);
    lua_setfield(L, -2, c->name);
  }
  lua_setfield(L, -3, "ls_methods");
}
