/* open.c - opens ZeroMQ for a Lua state
 *
 * The home, a userdata in the registry, owns the contexts of the state and ends
 * them with the state. It has no finalizer: finalizers of older objects run
 * later and may make contexts. The state releases it instead, after all objects
 * of this folder (see aw_lua_held).
 */
#include "open.h"

#include "security/auth_object.h"
#include "security/curve.h"
#include "watch/monitor.h"
#include "watch/subscribers.h"
#include "watch/wait_peers.h"
#include "zmq.h"

#include <stddef.h>

static const char HOME_KEY = 'h'; /* its address is the key */

static void close_home(aw_lua_held *held) {
  awz_home_close((awz_home *)((char *)held - offsetof(awz_home, held)));
}

awz_home *awz_home_of(lua_State *L) {
  (void)aw_lua_place(L); /* raises if the state has ended */
  lua_rawgetp(L, LUA_REGISTRYINDEX, &HOME_KEY);
  awz_home *home = lua_touserdata(L, -1);
  lua_pop(L, 1);
  return home;
}

static void make_home(lua_State *L) {
  awz_home *home = lua_newuserdatauv(L, sizeof *home, 0);
  *home = (awz_home){.held = {.release = close_home}};
  lua_rawsetp(L, LUA_REGISTRYINDEX, &HOME_KEY); /* may raise: not held yet */
  aw_lua_hold(L, &home->held);
}

/* version() → major, minor, patch */
static int zmq_version(lua_State *L) {
  int version[3];
  int rc = awz_raw_version(version);
  if (rc < 0)
    return aw_lua_system_error(L, rc, "open", "libzmq.so.5");
  for (int i = 0; i < 3; i++)
    lua_pushinteger(L, version[i]);
  return 3;
}

/* has(capability), as "ipc" or "curve" */
static int zmq_has(lua_State *L) {
  lua_pushboolean(L, awz_raw_has(aw_lua_check_string(L, 1, NULL)));
  return 1;
}

/* types() → list of { name, number } */
static int zmq_types(lua_State *L) {
  lua_createtable(L, (int)awz_type_count, 0);
  for (size_t i = 0; i < awz_type_count; i++) {
    awz_push_entry(L, awz_types[i].name, awz_types[i].number);
    lua_rawseti(L, -2, (lua_Integer)i + 1);
  }
  return 1;
}

static int zmq_options(lua_State *L) {
  awz_push_options(L);
  return 1;
}

int awz_open(lua_State *L) {
  static const luaL_Reg functions[] = {{"version", zmq_version},
                                       {"has", zmq_has},
                                       {"types", zmq_types},
                                       {"options", zmq_options},
                                       {NULL, NULL}};
  make_home(L);
  luaL_newlibtable(L, functions);
  aw_lua_set_functions(L, functions, 0);
  awz_open_context(L);
  awz_open_socket(L);
  awz_open_curve(L);
  awz_open_proxy(L);
  awz_open_monitor(L);
  awz_open_wait_peers(L);
  awz_open_auth(L);
  awz_open_subscribers(L);
  return 1;
}
