/* poller_gate.c - the gate at which the task of a Poller waits; the Poller is
 * in aiowire/poller.lua
 *
 * A gate lets one task pass each time it is opened: the task that waits, or
 * else the next one that comes.
 */
#include "io.h"

#include <aiowire_lua.h>

#include <lauxlib.h>

typedef struct gate {
  aw_task *waiting; /* the task at the gate, or NULL */
  bool open;        /* opened while no task waited */
} gate;

static const char *const GATE = "aiowire.gate";

static int gate_arm(aw_task *task, void *data) {
  gate *g = data;
  if (g->open) {
    g->open = false;
    return 1;
  }
  g->waiting = task;
  return 0;
}

static void gate_disarm(aw_task *task, void *data) {
  (void)task;
  ((gate *)data)->waiting = NULL;
}

static const aw_operation gate_operation = {
    .label = "Poller", .arm = gate_arm, .disarm = gate_disarm};

/* gate() → a gate */
static int inner_gate(lua_State *L) {
  gate *g = lua_newuserdatauv(L, sizeof *g, 0);
  *g = (gate){NULL, false};
  luaL_setmetatable(L, GATE);
  return 1;
}

static int gate_passed(lua_State *L, int result, void *data) {
  (void)result;
  (void)data;
  (void)L;
  return 0;
}

/* pass(gate): wait until the gate is opened */
static int inner_pass(lua_State *L) {
  gate *g = luaL_checkudata(L, 1, GATE);
  return aw_lua_await(L, &gate_operation, g, "Poller", gate_passed);
}

/* open(gate): let one task pass */
static int inner_open(lua_State *L) {
  gate *g = luaL_checkudata(L, 1, GATE);
  aw_task *task = g->waiting;
  if (task) {
    g->waiting = NULL;
    aw_wait_complete(task, 0);
  } else {
    g->open = true;
  }
  return 0;
}

void awio_open_poller_gate(lua_State *L) {
  static const luaL_Reg inner[] = {{"gate", inner_gate},
                                   {"pass", inner_pass},
                                   {"open", inner_open},
                                   {NULL, NULL}};
  luaL_newmetatable(L, GATE);
  lua_pop(L, 1);
  awio_add_inner(L, inner);
}
