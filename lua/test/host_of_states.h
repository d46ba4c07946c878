/* host_of_states.h - helpers of the tests with Lua states on a host's engine */
#ifndef HOST_OF_STATES_H
#define HOST_OF_STATES_H

#include "check.h"

#include <aiowire_lua.h>

#include <lauxlib.h>
#include <lualib.h>

#include <stdatomic.h>

static atomic_size_t blocks; /* of the library */

static inline void *count_blocks(void *context, void *block, size_t size) {
  (void)context;
  if (size == 0) {
    blocks--;
    free(block);
    return NULL;
  }
  blocks += block == NULL;
  return realloc(block, size);
}

/* say(text): log it */
static inline int lua_say(lua_State *L) {
  log_add("%s ", luaL_tolstring(L, 1, NULL));
  return 0;
}

static inline void log_warning(void *data, const char *text, int more) {
  (void)data;
  if (*text == '@' || strstr(text, "nothing else could run"))
    return; /* the machine may be slow */
  log_add("%s%s", text, more ? "" : "\n");
}

static inline aw_engine *new_engine(void) {
  aw_engine_config config = {.size = sizeof config};
  aw_engine *engine;
  aw_lua_config(&config);
  CHECK(aw_engine_new(&config, &engine) == 0);
  log_clear();
  return engine;
}

static inline lua_State *new_state(aw_engine *engine) {
  lua_State *L = luaL_newstate();
  CHECK(L);
  luaL_openlibs(L);
  lua_register(L, "say", lua_say);
  lua_setwarnf(L, log_warning, NULL);
  CHECK(aw_lua_open(L, engine) == 0);
  CHECK(lua_gettop(L) == 0);
  CHECK(luaL_dostring(L, "aw = require 'aiowire'") == LUA_OK);
  return L;
}

/* Logs how a task has ended: `name=`, then its results or its error. */
static inline void log_end(lua_State *L, aw_task *task, int status, int count,
                           void *name) {
  (void)task;
  log_add("%s=", (const char *)name);
  if (!L)
    log_add("gone");
  else if (status == AW_ECANCELED)
    log_add("cancelled");
  else if (status < 0)
    log_add("error:%s", luaL_tolstring(L, 1, NULL));
  for (int i = 1; status == 0 && i <= count; i++)
    log_add(i > 1 ? ",%s" : "%s", luaL_tolstring(L, i, NULL));
  log_add(" ");
}

static inline int try_start(lua_State *L, const char *text, const char *name) {
  aw_lua_task_config config = {
      .size = sizeof config, .done = log_end, .data = (void *)(uintptr_t)name};
  return aw_lua_start_buffer(L, text, strlen(text), "=chunk", &config, NULL);
}

static inline void start_text(lua_State *L, const char *text,
                              const char *name) {
  CHECK(try_start(L, text, name) == 0);
  CHECK(lua_gettop(L) == 0);
}

/* Run a step, or pass over a notification: on a busy machine, steps are
 * slow. */
static inline void run_step(aw_engine *engine, const aw_step *step) {
  if (!aw_lua_step(engine, step))
    CHECK(step->what == AW_STEP_WOKEN || step->what == AW_STEP_SLOW);
}

/* Pull until the loop of L has ended. */
static inline void pull(lua_State *L) {
  aw_loop *loop = aw_lua_loop(L);
  aw_engine *engine = aw_loop_engine(loop);
  aw_step step;
  int rc;
  while ((rc = aw_next(engine, loop, &step)) == 1)
    run_step(engine, &step);
  CHECK(rc == 0);
}

/* All states have been closed. */
static inline void close_engine(aw_engine *engine) {
  check_stats(engine);
  CHECK(aw_engine_free(engine) == 0);
  CHECK(blocks == 0);
}

static inline void close_all(lua_State *L, aw_engine *engine) {
  CHECK(aw_lua_close(L) == 0);
  lua_close(L);
  close_engine(engine);
}

#endif
