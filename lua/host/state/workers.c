/* workers.c - see workers.h
 *
 * A worker's state has an allocator of its own, as that of the program has, and
 * shows the same warnings.
 */
#include "state/workers.h"

#include "state/bytecode.h"
#include "state/error.h"

#include <aiowire_lua.h>

#include <lauxlib.h>
#include <lualib.h>

#include <stdlib.h>

/* Lua 5.5: use the generational collector, as lua5.5 does. Its full collections
 * no longer stop the program; the incremental one lets memory grow for ever
 * with garbage that has finalizers, at all settings.
 *
 * Lua 5.4: use the incremental collector, because the generational mode makes a
 * full collection now and then, which stops the program.
 *
 * An object with a finalizer survives one cycle more. With such garbage, memory
 * grows for ever at a pause of 200 (a cycle begins at twice the memory). At a
 * pause of 170 it grows to at most 5.7 times the live memory. The steps must be
 * larger, too, or the program allocates faster than finalizers are called. A
 * script may change these values. */
#if LUA_VERSION_NUM >= 505
static void tune_collector(lua_State *L) {
  lua_gc(L, LUA_GCGEN);
}
#else
enum { PAUSE = 170, STEP_MULTIPLIER = 400 }; /* Lua: 200, 100 */

static void tune_collector(lua_State *L) {
  lua_gc(L, LUA_GCINC, PAUSE, STEP_MULTIPLIER, 0);
}
#endif

lua_State *host_new_state(host_warnings *warnings, host_memory **memory) {
  lua_State *L = luaL_newstate();
  if (!L)
    return NULL;
  *memory = host_memory_use(L);
  host_warnings_use(L, warnings);
  tune_collector(L);
  return L;
}

/* ── workers ─────────────────────────────────────────────────────────────── */

typedef struct worker_state {
  host_memory *memory;
  host_warnings warnings;
} worker_state;

static int open_worker(lua_State *L) {
  host_open(L, lua_toboolean(L, 1));
  return 0;
}

static void close_worker(void *data, lua_State *L, void *memo) {
  worker_state *w = memo;
  (void)data;
  lua_close(L);
  host_memory_free(w->memory);
  free(w);
}

/* `data` is not NULL if environment variables do not count. */
static lua_State *make_worker_state(void *data, void **memo) {
  worker_state *w = calloc(1, sizeof *w);
  if (!w)
    return NULL;
  lua_State *L = host_new_state(&w->warnings, &w->memory);
  if (!L) {
    free(w);
    return NULL;
  }
  lua_pushcfunction(L, open_worker);
  lua_pushboolean(L, data != NULL);
  if (lua_pcall(L, 1, 0, 0) != LUA_OK) {
    close_worker(data, L, w);
    return NULL;
  }
  *memo = w;
  return L;
}

/* ── libraries ───────────────────────────────────────────────────────────── */

void host_open(lua_State *L, bool ignore_env) {
  static bool ignores = true;
  static const aw_lua_workers usual = {
      .make = make_worker_state, .close = close_worker, .text_only = true};
  static const aw_lua_workers ignoring = {.make = make_worker_state,
                                          .close = close_worker,
                                          .data = &ignores,
                                          .text_only = true};
  if (ignore_env) {
    lua_pushboolean(L, 1);
    lua_setfield(L, LUA_REGISTRYINDEX, "LUA_NOENV");
  }
  luaL_openlibs(L);
  lua_register(L, "print", aw_lua_print);
  host_set_error(L);
  host_text_only(L);
  luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_PRELOAD_TABLE);
  lua_pushcfunction(L, luaopen_aiowire);
  lua_setfield(L, -2, "aiowire");
  lua_pop(L, 1);
  aw_lua_install_host(L);
  aw_lua_set_workers(L, ignore_env ? &ignoring : &usual);
}
