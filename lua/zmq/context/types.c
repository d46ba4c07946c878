/* types.c - the types of sockets, by name and number */
#include "zmq.h"

#include <ctype.h>
#include <string.h>

#define BIT(number) (1u << (number))
enum { PAIR = 0, PUB = 1, PULL = 7, PUSH = 8, XPUB = 9, XSUB = 10 };
enum { /* drafts */
       SERVER = 12,
       CLIENT = 13,
       RADIO = 14,
       GATHER = 16,
       SCATTER = 17,
       DGRAM = 18,
       CHANNEL = 20
};

#define STABLE(...) \
  { __VA_ARGS__, .draft = false }
/* name, number, receives, sends, addressed, balanced, conflates, peers */
const awz_type awz_types[] = {
    STABLE("PAIR", PAIR, true, true, false, false, false, BIT(PAIR)),
    STABLE("PUB", PUB, false, true, false, false, true,
           BIT(AWZ_SUB) | BIT(XSUB)),
    STABLE("SUB", AWZ_SUB, true, false, false, false, true,
           BIT(PUB) | BIT(XPUB)),
    STABLE("REQ", AWZ_REQ, true, true, false, true, false,
           BIT(AWZ_REP) | BIT(AWZ_ROUTER)),
    STABLE("REP", AWZ_REP, true, true, false, false, false,
           BIT(AWZ_REQ) | BIT(AWZ_DEALER)),
    STABLE("DEALER", AWZ_DEALER, true, true, false, true, true,
           BIT(AWZ_REP) | BIT(AWZ_DEALER) | BIT(AWZ_ROUTER)),
    STABLE("ROUTER", AWZ_ROUTER, true, true, true, false, false,
           BIT(AWZ_REQ) | BIT(AWZ_DEALER) | BIT(AWZ_ROUTER)),
    STABLE("PULL", PULL, true, false, false, false, true, BIT(PUSH)),
    STABLE("PUSH", PUSH, false, true, false, true, true, BIT(PULL)),
    STABLE("XPUB", XPUB, true, true, false, false, false,
           BIT(AWZ_SUB) | BIT(XSUB)),
    STABLE("XSUB", XSUB, true, true, false, false, false, BIT(PUB) | BIT(XPUB)),
    STABLE("STREAM", AWZ_STREAM, true, true, true, false, false, 0),
    /* … draft, label, single */
    {"SERVER", SERVER, true, true, true, false, false, BIT(CLIENT), true,
     AWZ_PEER_NUMBER, true},
    {"CLIENT", CLIENT, true, true, false, false, false, BIT(SERVER), true,
     AWZ_NO_LABEL, true},
    {"RADIO", RADIO, false, true, false, false, false, BIT(AWZ_DISH), true,
     AWZ_GROUP, true},
    {"DISH", AWZ_DISH, true, false, false, false, false, BIT(RADIO), true,
     AWZ_GROUP, true},
    {"GATHER", GATHER, true, false, false, false, false, BIT(SCATTER), true,
     AWZ_NO_LABEL, true},
    {"SCATTER", SCATTER, false, true, false, false, false, BIT(GATHER), true,
     AWZ_NO_LABEL, true},
    {"DGRAM", DGRAM, true, true, false, false, false, 0, true, AWZ_NO_LABEL,
     false},
    {"CHANNEL", CHANNEL, true, true, false, false, false, BIT(CHANNEL), true,
     AWZ_NO_LABEL, true},
};
const size_t awz_type_count = sizeof awz_types / sizeof *awz_types;

bool awz_types_match(const awz_type *a, const awz_type *b) {
  return a->peers & BIT(b->number);
}

static const char *type_name_at(const void *list, size_t index) {
  (void)list;
  return index < awz_type_count ? awz_types[index].name : NULL;
}

/* Compares a name in capitals with one in any case. */
static bool same(const char *capitals, const char *any) {
  while (*capitals && *capitals == toupper((unsigned char)*any))
    capitals++, any++;
  return *capitals == *any;
}

void awz_push_nearest(lua_State *L, const char *name,
                      const char *(*get)(const void *list, size_t index)) {
  const char *best = aw_lua_nearest(name, get, NULL);
  if (best)
    lua_pushfstring(L, ", did you mean '%s'?", best);
  else
    lua_pushliteral(L, "");
}

void awz_push_entry(lua_State *L, const char *name, int number) {
  enum { FIELDS = 4 }; /* those of an option */
  lua_createtable(L, 0, FIELDS);
  lua_pushstring(L, name);
  lua_setfield(L, -2, "name");
  lua_pushinteger(L, number);
  lua_setfield(L, -2, "number");
}

/* If libzmq cannot be loaded, opening the socket will say so. */
static const awz_type *check_draft(lua_State *L, int arg,
                                   const awz_type *type) {
  int version[3];
  if (type->draft && awz_raw_version(version) == 0 && !awz_raw_has("draft"))
    aw_lua_arg_error(L, arg,
                     lua_pushfstring(L,
                                     "type %s is a draft of libzmq, and this "
                                     "libzmq was built without drafts",
                                     type->name));
  return type;
}

const awz_type *awz_check_type(lua_State *L, int arg) {
  bool is_number = lua_type(L, arg) == LUA_TNUMBER;
  lua_Integer number = is_number ? aw_lua_check_integer(L, arg) : -1;
  const char *name = is_number ? "" : aw_lua_check_string(L, arg, NULL);
  for (size_t i = 0; i < awz_type_count; i++)
    if (number == awz_types[i].number || same(awz_types[i].name, name))
      return check_draft(L, arg, &awz_types[i]);
  name = luaL_tolstring(L, arg, NULL);
  awz_push_nearest(L, name, type_name_at);
  aw_lua_arg_error(L, arg,
                   lua_pushfstring(L, "no type of socket '%s'%s", name,
                                   lua_tostring(L, -1)));
  return NULL;
}
