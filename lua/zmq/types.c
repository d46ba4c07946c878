/* types.c - the types of sockets, by name and number */
#include "zmq.h"

#include <ctype.h>
#include <string.h>

/* name, number, receives, sends, addressed, balanced */
const awz_type awz_types[] = {
    {"PAIR", 0, true, true, false, false},
    {"PUB", 1, false, true, false, false},
    {"SUB", AWZ_SUB, true, false, false, false},
    {"REQ", AWZ_REQ, true, true, false, true},
    {"REP", AWZ_REP, true, true, false, false},
    {"DEALER", AWZ_DEALER, true, true, false, true},
    {"ROUTER", AWZ_ROUTER, true, true, true, false},
    {"PULL", 7, true, false, false, false},
    {"PUSH", 8, false, true, false, true},
    {"XPUB", 9, true, true, false, false},
    {"XSUB", 10, true, true, false, false},
    {"STREAM", AWZ_STREAM, true, true, true, false},
};
const size_t awz_type_count = sizeof awz_types / sizeof *awz_types;

static const char *name_of(size_t index) {
  return awz_types[index].name;
}

/* Are they the same, but for the case of `any`? */
static bool same(const char *capitals, const char *any) {
  while (*capitals && *capitals == toupper((unsigned char)*any))
    capitals++, any++;
  return *capitals == *any;
}

const awz_type *awz_check_type(lua_State *L, int arg) {
  bool is_number = lua_type(L, arg) == LUA_TNUMBER;
  lua_Integer number = is_number ? luaL_checkinteger(L, arg) : -1;
  const char *name = is_number ? "" : luaL_checkstring(L, arg);
  for (size_t i = 0; i < awz_type_count; i++)
    if (number == awz_types[i].number || same(awz_types[i].name, name))
      return &awz_types[i];
  name = luaL_tolstring(L, arg, NULL);
  awz_push_nearest(L, name, awz_type_count, name_of);
  luaL_argerror(L, arg,
                lua_pushfstring(L, "no type of socket '%s'%s", name,
                                lua_tostring(L, -1)));
  return NULL;
}
