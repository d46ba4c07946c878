/* A coroutine puts N values into a table of 64 places, and yields when it is
 * full; another one takes them, and yields when it is empty. */
#include "floor.h"

enum { PLACES = 64 };

static int first, count; /* of the values in the table, upvalue 1 */

static int go_on(lua_State *L, int status, lua_KContext context);

static int put(lua_State *L) {
  if (count == PLACES)
    return lua_yieldk(L, 0, 0, go_on);
  return go_on(L, LUA_OK, 0);
}

static int go_on(lua_State *L, int status, lua_KContext context) {
  (void)status;
  (void)context;
  lua_settop(L, 1);
  lua_rawseti(L, lua_upvalueindex(1), (first + count++) % PLACES + 1);
  return 0;
}

static int taken(lua_State *L, int status, lua_KContext context) {
  (void)status;
  (void)context;
  lua_rawgeti(L, lua_upvalueindex(1), first + 1);
  first = (first + 1) % PLACES;
  count--;
  return 1;
}

static int take(lua_State *L) {
  if (count == 0)
    return lua_yieldk(L, 0, 0, taken);
  return taken(L, LUA_OK, 0);
}

static const char sender[] = "local count = ...\n"
                             "for i = 1, count do put(i) end\n";
static const char receiver[] = "local count = ...\n"
                               "for _ = 1, count do take() end\n";

static lua_State *load(lua_State *L, const char *source, lua_Integer n) {
  lua_State *co = lua_newthread(L);
  floor_load(co, source);
  lua_pushinteger(co, n);
  return co;
}

int main(int argc, char **argv) {
  lua_State *L = floor_open();
  lua_createtable(L, PLACES, 0);
  lua_pushvalue(L, -1);
  lua_pushcclosure(L, put, 1);
  lua_setglobal(L, "put");
  lua_pushcclosure(L, take, 1);
  lua_setglobal(L, "take");
  lua_Integer n = floor_count(argc, argv);
  lua_State *from = load(L, sender, n), *to = load(L, receiver, n);
  int results, status, arguments = 1;
  do {
    lua_resume(from, L, arguments, &results);
    status = lua_resume(to, L, arguments, &results);
    arguments = 0;
  } while (status == LUA_YIELD);
  lua_close(L);
  return 0;
}
