/* record.c - the info of an error, as the binding keeps it
 *
 * Most errors are handled, and few handlers look at their infos. So a record is
 * small and cheap to make: a userdata with the task in C, and with the other
 * facts in user values, which need no keys. The facts are values that exist
 * anyway: texts that other errors share (traceback.c), names and places. Lists
 * and other texts are made of them when somebody looks (info.c). A record
 * refers to no function, coroutine, wire or Task, so an error that is kept for
 * long keeps alive nothing but its own value.
 *
 * Users see a record only through an Info, a table over it. An Info is an info,
 * too, and has its facts in fields: an error of a handler keeps such an Info.
 *
 * Neighbours: info.c fills records, and makes Infos; raised.c and core_error.c
 * keep records.
 */
#include "errors/record.h"

#include <string.h>

static const char *const fields[] = {
    [AWL_FACT_ERR] = "err",
    [AWL_FACT_TRACEBACK] = "traceback",
    [AWL_FACT_CHAIN] = "chain",
    [AWL_FACT_NAME] = "name",
    [AWL_FACT_STARTED_AT] = "started_at",
    [AWL_FACT_REPLACED] = "replaced",
};

/* Tells a record from a userdata that a user has put in its place in an Info. A
 * metatable would do so, too, but would have to be set for each record. */
static const char MARK = 'r';

awl_record *awl_push_record(lua_State *L, int error) {
  error = lua_absindex(L, error);
  awl_record *record = lua_newuserdatauv(L, sizeof *record, AWL_FACTS);
  *record = (awl_record){&MARK, 0, 0};
  lua_pushvalue(L, error);
  lua_setiuservalue(L, -2, AWL_FACT_ERR);
  return record;
}

awl_record *awl_test_record(lua_State *L, int index) {
  if (lua_type(L, index) != LUA_TUSERDATA ||
      lua_rawlen(L, index) != sizeof(awl_record))
    return NULL;
  awl_record *record = lua_touserdata(L, index);
  return record->mark == &MARK ? record : NULL;
}

bool awl_is_info(lua_State *L, int index) {
  int type = lua_type(L, index);
  return type == LUA_TUSERDATA || type == LUA_TTABLE;
}

int awl_push_fact(lua_State *L, int index, awl_fact fact) {
  if (lua_type(L, index) == LUA_TUSERDATA)
    return lua_getiuservalue(L, index, (int)fact);
  return lua_getfield(L, index, fields[fact]);
}

void awl_set_fact(lua_State *L, int index, awl_fact fact) {
  if (lua_type(L, index) == LUA_TUSERDATA)
    lua_setiuservalue(L, index, (int)fact);
  else
    lua_setfield(L, index, fields[fact]);
}

bool awl_is_info_of(lua_State *L, int index, int error) {
  error = lua_absindex(L, error);
  awl_push_fact(L, index, AWL_FACT_ERR);
  bool same = lua_rawequal(L, -1, error);
  lua_pop(L, 1);
  return same;
}

awl_fact awl_fact_named(const char *key) {
  for (int fact = AWL_FACT_ERR; fact <= AWL_FACT_STARTED_AT; fact++)
    if (strcmp(key, fields[fact]) == 0)
      return (awl_fact)fact;
  return (awl_fact)0;
}
