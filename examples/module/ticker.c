/* ticker.c - a C module for Lua: ticks at even distances
 *
 *   cc -shared -fPIC ticker.c $(pkg-config --cflags aiowire-lua) -o ticker.so
 *
 * or by CMake:
 *
 *   add_library(ticker MODULE ticker.c)
 *   target_link_libraries(ticker aiowire::aiowire_module)
 *
 * It links no library. It works under lua5.4 with aiowire.so, in the program
 * `aiowire`, and in a host that has opened aiowire: see aiowire_module.h, and
 * ticking.lua beside this file for its use.
 *
 *   t = ticker.every(seconds)   a ticker; the first tick is one period from now
 *   t:wait()                    awaits the next tick; returns its number
 *   t:Tick()                    a wire that does the same, without the number
 *   t:ticks()                   how many ticks have been awaited
 */
#include <aiowire_module.h>

AW_MODULE_DEFINE

static const char CLASS[] = "ticker";

typedef struct ticker {
  uint64_t period, next; /* ns */
  lua_Integer ticks;
} ticker;

/* ---- the operation: wait until the next tick ---- */

static int arm(aw_task *task, void *data) {
  ticker *t = data;
  return aw_alarm_arm(task, t->next);
}

static void disarm(aw_task *task, void *data) {
  (void)data;
  aw_alarm_disarm(task);
}

static void due(aw_task *task, void *data) {
  (void)data;
  aw_wait_complete(task, 0);
}

static const aw_operation until_tick = {
    .label = "tick", .arm = arm, .disarm = disarm, .due = due};

static void count(ticker *t) {
  t->ticks += 1;
  t->next += t->period;
}

/* ---- methods ---- */

static ticker *check_ticker(lua_State *L) {
  return luaL_checkudata(L, 1, CLASS);
}

/* The wait is over: the stack is as it was. */
static int after_wait(lua_State *L, int result, void *data) {
  ticker *t = data;
  if (result < 0)
    return aw_lua_system_error(L, result, "tick", NULL);
  count(t);
  lua_pushinteger(L, t->ticks);
  return 1;
}

static int ticker_wait(lua_State *L) {
  ticker *t = check_ticker(L); /* at index 1, so it lives as long as the wait */
  return aw_lua_await(L, &until_tick, t, "ticker:wait", after_wait);
}

/* A C step. */
static aw_turn count_tick(aw_task *task, void *data) {
  (void)task;
  count(data);
  return AW_DONE;
}

static int ticker_tick(lua_State *L) {
  ticker *t = check_ticker(L);
  aw_wire *wire = aw_then(aw_wait_for(&until_tick, t), aw_call(count_tick, t));
  aw_lua_push_wire(L, wire, 1); /* takes; keeps the ticker alive */
  return 1;
}

static int ticker_ticks(lua_State *L) {
  lua_pushinteger(L, check_ticker(L)->ticks);
  return 1;
}

/* ---- the module ---- */

static int every(lua_State *L) {
  lua_Number seconds = luaL_checknumber(L, 1);
  luaL_argcheck(L, seconds > 0 && seconds < 1e9, 1, "out of range");
  ticker *t = lua_newuserdatauv(L, sizeof *t, 0);
  t->period = (uint64_t)(seconds * (lua_Number)AW_SECOND);
  t->next = aw_engine_now(aw_lua_engine(L)) + t->period;
  t->ticks = 0;
  luaL_setmetatable(L, CLASS);
  return 1;
}

static const luaL_Reg methods[] = {{"wait", ticker_wait},
                                   {"Tick", ticker_tick},
                                   {"ticks", ticker_ticks},
                                   {NULL, NULL}};

LUAMOD_API int luaopen_ticker(lua_State *L) {
  aw_module_load(L); /* before anything else of aiowire */
  luaL_newmetatable(L, CLASS);
  lua_newtable(L);
  aw_lua_set_functions(L, methods, 0);
  lua_setfield(L, -2, "__index");
  lua_pop(L, 1);
  lua_newtable(L);
  aw_lua_push_function(L, every, 0, "ticker.every");
  lua_setfield(L, -2, "every");
  return 1;
}
