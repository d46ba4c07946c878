/* hooks_test.c - hooks of C programs are called in bodies [D5]
 *
 * A hook set by lua_sethook() works as one set by debug.sethook(), with and
 * without Lua's library `debug`.
 */
#include "check.h"

#include <aiowire_lua.h>

#include <lauxlib.h>
#include <lualib.h>

static int lines; /* of the script, counted by the hook */

static void count_line(lua_State *L, lua_Debug *ar) {
  CHECK(lua_getinfo(L, "S", ar));
  if (ar->source[0] == 'b') /* the source of such a script is its text */
    lines++;
}

/* Raises in bodies only: the code that runs them cannot yield. */
static void raise_in_body(lua_State *L, lua_Debug *ar) {
  (void)ar;
  if (lua_isyieldable(L))
    luaL_error(L, "by the host");
}

/* hook(): count lines in the coroutine that calls this */
static int set_here(lua_State *L) {
  lua_sethook(L, count_line, LUA_MASKLINE, 0);
  return 0;
}

static const char TWO_BODIES[] = "body = function()\n"
                                 "  local a = 1\n"
                                 "  aw.sleep(0)\n"
                                 "  local b = 2\n"
                                 "end\n"
                                 "aw.run(aw.All{body, body})\n";

static const char ONE_SETS_IT[] = "body = function()\n"
                                  "  hook()\n"
                                  "  aw.sleep(0)\n"
                                  "  local b = 2\n"
                                  "end\n"
                                  "aw.run(aw.Call(body) >> function()\n"
                                  "  local c = 3\n"
                                  "end)\n";

static const char IT_RAISES[] =
    "b = aw.EventLoop()\n"
    "b:start(function() heard = 1 end, function(_, err) heard = err end)\n"
    "b:run()\n"
    "assert(tostring(heard):find 'by the host', heard)\n";

static void run(lua_State *L, const char *text) {
  bool ends_well = luaL_dostring(L, text) == LUA_OK;
  if (!ends_well)
    fprintf(stderr, "%s\n", lua_tostring(L, -1));
  CHECK(ends_well);
}

static void try_all(bool with_debug) {
  lua_State *L = luaL_newstate();
  CHECK(L);
  luaL_requiref(L, "_G", luaopen_base, 1);
  luaL_requiref(L, "string", luaopen_string, 1);
  luaL_requiref(L, "table", luaopen_table, 1);
  luaL_requiref(L, "math", luaopen_math, 1);
  if (with_debug)
    luaL_requiref(L, "debug", luaopen_debug, 1);
  luaL_requiref(L, "aw", luaopen_aiowire, 1);
  lua_register(L, "hook", set_here);
  lua_settop(L, 0);

  lines = 0;
  lua_sethook(L, count_line, LUA_MASKLINE, 0);
  run(L, TWO_BODIES);
  CHECK(lua_gethook(L) == count_line);
  CHECK(lua_gethookmask(L) == LUA_MASKLINE);
  lua_sethook(L, NULL, 0, 0);
  CHECK(lines >= 2 * 4);

  lines = 0;
  run(L, TWO_BODIES);
  CHECK(lines == 0);
  run(L, ONE_SETS_IT);
  CHECK(lines == 3); /* lines 3 to 5, in the body that set the hook */

  lua_sethook(L, raise_in_body, LUA_MASKCALL | LUA_MASKLINE, 0);
  run(L, IT_RAISES);
  lua_close(L);
}

int main(void) {
  try_all(true);
  try_all(false);
  return 0;
}
