/* scripts.h - runs scripts in Lua states of several threads, one state after
 * the other in each */
#ifndef SCRIPTS_H
#define SCRIPTS_H

#include "check.h"

#include <aiowire_lua.h>

#include <lauxlib.h>
#include <lualib.h>

#include <pthread.h>

enum { SCRIPT_THREADS = 2, SCRIPT_ROUNDS = 4 };

/* Add what the scripts of a test call to a new state; NULL: nothing. */
typedef void (*script_functions)(lua_State *L);

typedef struct script_run {
  const char *text;
  script_functions add;
} script_run;

static lua_State *new_script_state(script_functions add) {
  lua_State *L = luaL_newstate();
  CHECK(L);
  luaL_openlibs(L);
  luaL_requiref(L, "aiowire", luaopen_aiowire, 0);
  if (add)
    add(L);
  lua_settop(L, 0);
  return L;
}

static void run_script(const script_run *run) {
  lua_State *L = new_script_state(run->add);
  bool ends_well = luaL_dostring(L, run->text) == LUA_OK;
  if (!ends_well)
    fprintf(stderr, "%s\n", lua_tostring(L, -1));
  CHECK(ends_well);
  lua_close(L);
}

static void *run_in_states(void *data) {
  for (int i = 0; i < SCRIPT_ROUNDS; i++)
    run_script(data);
  return NULL;
}

static void run_on_threads(const char *text, script_functions add) {
  script_run run = {text, add};
  pthread_t threads[SCRIPT_THREADS];
  for (int i = 0; i < SCRIPT_THREADS; i++)
    CHECK(pthread_create(&threads[i], NULL, run_in_states, &run) == 0);
  for (int i = 0; i < SCRIPT_THREADS; i++)
    CHECK(pthread_join(threads[i], NULL) == 0);
}

#endif
