/* options_test.c - tables of options, for awaitables in C */
#include "check.h"

#include <aiowire_lua.h>

#include <lauxlib.h>

static const char *const known[] = {"one", "two", NULL};

/* Push the table that the text of Lua returns. */
static void push_table(lua_State *L, const char *text) {
  CHECK(luaL_dostring(L, text) == LUA_OK);
}

static void an_unknown_option_is_found_and_pushed(lua_State *L) {
  push_table(L, "return {one = 1, three = 3}");
  int top = lua_gettop(L);
  CHECK(aw_lua_unknown_option(L, top, known, false));
  CHECK(strcmp(lua_tostring(L, -1), "three") == 0);
  lua_settop(L, top - 1);
}

static void the_index_may_count_from_the_top(lua_State *L) {
  push_table(L, "return {one = 1, two = 2}");
  int top = lua_gettop(L);
  CHECK(!aw_lua_unknown_option(L, -1, known, false));
  CHECK(lua_gettop(L) == top);
  lua_pop(L, 1);
}

static void a_list_may_have_items(lua_State *L) {
  push_table(L, "return {10, 20, two = 2}");
  int top = lua_gettop(L);
  CHECK(!aw_lua_unknown_option(L, -1, known, true));
  CHECK(aw_lua_unknown_option(L, -1, known, false));
  CHECK(lua_isinteger(L, -1));
  lua_settop(L, top - 1);
}

int main(void) {
  lua_State *L = luaL_newstate();
  CHECK(L);
  an_unknown_option_is_found_and_pushed(L);
  the_index_may_count_from_the_top(L);
  a_list_may_have_items(L);
  lua_close(L);
  return 0;
}
