/* slots_test.c - slots of C around the wires and bodies of Lua
 *
 * slotted(w) runs a wire with a slot, which logs "+" when it is entered and "-"
 * when it is left. count() logs how often it was called in this run, or "none"
 * outside of a slot; Count is a C step that does the same.
 */
#include "check.h"
#include "with_aw.h"

#include <aiowire_lua.h>

#include <lauxlib.h>

static int enter(aw_task *task, void *slot, void *data) {
  (void)task;
  (void)data;
  CHECK(*(int *)slot == 0);
  log_add("+ ");
  return 0;
}

static void leave(void *slot, void *data) {
  (void)slot;
  (void)data;
  log_add("- ");
}

static const aw_slot counter = {
    .size = sizeof(int), .enter = enter, .leave = leave};

static aw_turn count(aw_task *task, void *data) {
  int *calls = aw_task_slot(task, &counter);
  (void)data;
  if (calls)
    log_add("%d ", ++*calls);
  else
    log_add("none ");
  return AW_DONE;
}

static int count_here(lua_State *L) {
  count(aw_lua_task(L, "count"), NULL);
  return 0;
}

static int slotted(lua_State *L) {
  aw_wire *part = aw_lua_part(L, 1);
  aw_lua_push_wire(L, aw_with_slot(aw_wire_keep(part), &counter, NULL), 1);
  return 1;
}

static lua_State *open(void) {
  lua_State *L = new_state_with_aw();
  lua_register(L, "slotted", slotted);
  lua_register(L, "count", count_here);
  aw_lua_push_wire(L, aw_call(count, NULL), 0);
  lua_setglobal(L, "Count");
  return L;
}

static void run(lua_State *L, const char *text, const char *expected) {
  bool ends_well = luaL_dostring(L, text) == LUA_OK;
  if (!ends_well)
    fprintf(stderr, "%s\n", lua_tostring(L, -1));
  CHECK(ends_well);
  CHECK_LOG(expected);
}

static void bodies_see_their_slot(lua_State *L) {
  run(L,
      "aw.run(slotted(function()\n"
      "  count()\n"
      "  aw.sleep(0)\n"
      "  aw.await(Count)\n"
      "  aw.all{count, Count}\n"
      "end) >> count)\n",
      "+ 1 2 3 4 - none ");
}

static void each_run_has_its_own(lua_State *L) {
  run(L, "aw.run(slotted(count) * 2)", "+ 1 - + 1 - ");
  run(L, "aw.run(slotted(aw.Call(count) * 2 >> Count))", "+ 1 2 3 - ");
  run(L,
      "local tries = 0\n"
      "aw.run(slotted(function()\n"
      "  count()\n"
      "  tries = tries + 1\n"
      "  if tries < 3 then error 'again' end\n"
      "end):retry{times = 3})\n",
      "+ 1 - + 1 - + 1 - ");
  run(L,
      "local w = slotted(function() count() aw.sleep(0.001) count() end)\n"
      "aw.run(aw.All{w, w})\n",
      "+ 1 + 1 2 - 2 - ");
}

static void each_end_leaves_it(lua_State *L) {
  run(L, "aw.run(slotted(function() error 'it' end) // count)", "+ - none ");
  run(L, "aw.run(slotted(aw.Never):timeout(0.001) // count)", "+ - none ");
  run(L,
      "aw.run(function()\n"
      "  local task = aw.start(slotted(function()\n"
      "    pcall(aw.sleep, 10)\n"
      "    count()\n"
      "  end))\n"
      "  aw.sleep(0)\n"
      "  task:cancel_wait()\n"
      "end)\n",
      "+ 1 - ");
  run(L,
      "local ev = aw.EventLoop{timeout = 0.001, grace = 0}\n"
      "ev:start(slotted(function()\n"
      "  while true do pcall(aw.sleep, 10) end\n"
      "end))\n"
      "pcall(ev.run, ev)\n",
      "+ - ");
}

static void a_task_that_never_ran_has_none(lua_State *L) {
  run(L,
      "local ev = aw.EventLoop()\n"
      "ev:start(slotted(count))\n"
      "ev:close()\n",
      "");
}

static void texts_show_the_wire_inside(lua_State *L) {
  run(L,
      "local w = slotted(aw.Sleep(1) >> aw.Sleep(2))\n"
      "assert(tostring(w) == 'Sleep(1) >> Sleep(2)', tostring(w))\n"
      "w = w * 2\n"
      "assert(tostring(w) == '(Sleep(1) >> Sleep(2)) * 2', tostring(w))\n",
      "");
}

int main(void) {
  lua_State *L = open();
  bodies_see_their_slot(L);
  each_run_has_its_own(L);
  each_end_leaves_it(L);
  a_task_that_never_ran_has_none(L);
  texts_show_the_wire_inside(L);
  lua_close(L);
  return 0;
}
