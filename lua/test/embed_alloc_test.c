/* embed_alloc_test.c - every allocation of a host with Lua states fails in turn
 *
 * As alloc_test.c, for what a host program calls: the scenario is in C. The
 * states are opened, start tasks, are pulled and closed while request number k
 * fails, for k = 1, 2, … until a run has fewer than k requests: once, or from k
 * on. Each start that returned 0 is told of its end exactly once, and no block
 * of Lua or of the library may be left.
 */
#include "check.h"

#include <aiowire_lua.h>

#include <lauxlib.h>
#include <lualib.h>

#include "alloc_failing.h"
#include "state.h"

/* ---- the scenario ---- */

static int started, ended;

static void note_end(lua_State *L, aw_task *task, int status, int count,
                     void *wanted) {
  (void)task;
  (void)count;
  ended++;
  /* a state may be closed before its tasks have ended */
  bool well = status == *(const int *)wanted || status == AW_ECANCELED || !L;
  CHECK(well || memory.failures > 0);
}

static void start_task_of(lua_State *L, const char *text, const int *wanted) {
  aw_lua_task_config config = {.size = sizeof config,
                               .name = "task",
                               .done = note_end,
                               .data = (void *)(uintptr_t)wanted};
  int rc = aw_lua_start_buffer(L, text, strlen(text), "=t", &config, NULL);
  CHECK(rc == 0 || (rc == AW_ENOMEM && memory.failures > 0));
  started += rc == 0;
  lua_settop(L, 0);
}

static void start_tasks(lua_State *L) {
  static const int well = 0, badly = AW_EHOST, cancelled = AW_ECANCELED;
  start_task_of(L,
                "local aw = require 'aiowire'\n"
                "aw.sleep(0)\n"
                "local t = aw.start(aw.Sleep(0) >> aw.Value(1, {}))\n"
                "return t:wait()",
                &well);
  start_task_of(L,
                "local aw = require 'aiowire'\n"
                "local ch = aw.channel()\n"
                "return aw.All{ function() ch:send(1) end,\n"
                "  aw.Recv(ch), aw.Sleep(9) | aw.Sleep(0) }",
                &well);
  start_task_of(L, "error {}", &badly);
  start_task_of(
      L,
      "local aw = require 'aiowire'\n"
      "local a <close> = setmetatable({}, {__close = function() end})\n"
      "aw.sleep(99)",
      &cancelled);
}

/* Results that a C step makes; 0: out of memory. */
static void make_boxes(void) {
  const aw_value boxes[] = {aw_lua_box_integer(1), aw_lua_box_number(0.5),
                            aw_lua_box_boolean(true),
                            aw_lua_box_string("text", 4)};
  for (size_t i = 0; i < sizeof boxes / sizeof *boxes; i++) {
    CHECK(boxes[i] != 0 || memory.failures > 0);
    aw_lua_box_release(boxes[i]);
  }
}

static void step(aw_engine *engine, const aw_step *s) {
  if (!aw_lua_step(engine, s))
    aw_step_answer(engine, s);
}

/* Pull until only the sleeper is left. */
static void pull(aw_engine *engine, lua_State *L, int ends) {
  aw_loop *loop = aw_lua_loop(L);
  aw_step s;
  while (loop && aw_loop_state_of(loop) == AW_LOOP_RUNNING && ended < ends &&
         aw_next(engine, loop, &s) == 1)
    step(engine, &s);
}

static int open_libs(lua_State *L) {
  luaL_openlibs(L);
  return 0;
}

/* A state that fails to open has no tasks. */
static lua_State *open_state(aw_engine *engine) {
  memory.armed = false;
  lua_State *L = new_state(lua_alloc);
  CHECK(L);
  lua_pushcfunction(L, open_libs);
  CHECK(lua_pcall(L, 0, 0, 0) == LUA_OK);
  memory.armed = true;
  int rc = aw_lua_open(L, engine);
  CHECK(rc == 0 || (rc == AW_ENOMEM && memory.failures > 0));
  CHECK(lua_gettop(L) == 0);
  if (rc == 0)
    start_tasks(L);
  return L;
}

static void run(bool close_first) {
  aw_engine_config config = {.size = sizeof config};
  aw_engine *engine = NULL;
  started = ended = 0;
  memory.armed = true;
  aw_lua_config(&config);
  if (aw_engine_new(&config, &engine) < 0) {
    CHECK(memory.failures > 0);
    memory.armed = false;
    return;
  }
  make_boxes();
  lua_State *a = open_state(engine), *b = open_state(engine);
  pull(engine, a, started / 2 - 1);
  if (close_first)
    CHECK(aw_lua_close(a) == 0 || memory.failures > 0);
  lua_close(a);
  pull(engine, b, started - 1);
  if (close_first)
    CHECK(aw_lua_close(b) == 0 || memory.failures > 0);
  lua_close(b);
  memory.armed = false;
  CHECK(aw_engine_free(engine) == 0);
}

static size_t sweep(bool sticky, bool close_first) {
  size_t k = 0;
  do {
    memset(&memory, 0, sizeof memory);
    memory.fail_at = k;
    memory.mode = sticky ? STICKY : ONCE;
    run(close_first);
    if (started != ended || !all_is_freed())
      fprintf(stderr,
              "request %zu failing %s: %d of %d ends, %zu blocks left\n", k,
              sticky ? "from then on" : "once", ended, started, memory.live);
    CHECK(started == ended && all_is_freed());
    k += 1 + k / 400; /* skip some if there are many */
  } while (memory.failures > 0 || memory.fail_at == 0);
  return k;
}

int main(int argc, char **argv) {
  aw_set_allocator(own_alloc, NULL);
  for (int i = 0; i < 4; i++) {
    size_t count = sweep(i & 1, i & 2);
    if (argc > 1 && strcmp(argv[1], "-v") == 0)
      printf("%zu requests\n", count);
  }
  return 0;
}
