/* instruments_test.c - several instruments on the engines of a Lua state
 *
 * A tracer checks that each event fits those before, for any number of engines:
 * a task starts once and ends once, after its parent, and its steps and waits
 * follow one another. Scripts add and remove tracers in the middle of what runs
 * by listen(n) and leave(n).
 */
#include "failing.h"
#include "host_of_states.h"

enum { TRACERS = 3, TASKS = 4096 };

/* ---- the tracer ---- */

typedef struct track {
  const aw_engine *engine;
  uint64_t id;
  bool ended, stepping, waiting;
} track;

typedef struct tracer {
  aw_lua_instrument *own; /* NULL: it does not listen */
  track tracks[TASKS];
  size_t count, ended, steps, waits, blocks;
  bool tolerant; /* there are tasks of others whose start was not told */
} tracer;

static tracer tracers[TRACERS];

static track *find(tracer *to, const aw_task *task) {
  track *at = to->tracks;
  while (at < to->tracks + to->count &&
         (at->engine != aw_task_engine(task) || at->id != aw_task_id(task)))
    at++;
  return at < to->tracks + to->count ? at : NULL;
}

static track *living(tracer *to, const aw_task *task) {
  static track stranger;
  track *at = find(to, task);
  if (!at && to->tolerant) {
    stranger.stepping = stranger.waiting = true;
    return &stranger;
  }
  CHECK(at && !at->ended);
  return at;
}

static void task_started(void *data, const aw_task *task) {
  tracer *to = data;
  const aw_task *parent = aw_task_parent(task);
  CHECK(!find(to, task) && to->count < TASKS);
  CHECK(!parent || living(to, parent));
  to->tracks[to->count++] =
      (track){.engine = aw_task_engine(task), .id = aw_task_id(task)};
}

static void task_ended(void *data, const aw_task *task) {
  tracer *to = data;
  track *at = living(to, task);
  CHECK(to->tolerant || (!at->stepping && !at->waiting));
  at->ended = true;
  to->ended++;
}

static void task_cancelled(void *data, const aw_task *task) {
  (void)living(data, task);
  CHECK(aw_task_cancelled(task));
}

static void step_begins(void *data, const aw_task *task) {
  tracer *to = data;
  track *at = living(to, task);
  for (size_t i = 0; i < to->count; i++) /* one at a time in an engine */
    CHECK(!to->tracks[i].stepping || to->tracks[i].engine != at->engine);
  CHECK(to->tolerant || !at->waiting);
  at->stepping = true;
  to->steps++;
}

static void step_ends(void *data, const aw_task *task) {
  track *at = living(data, task);
  CHECK(at->stepping);
  at->stepping = false;
}

static void wait_begins(void *data, const aw_task *task, const char *label) {
  tracer *to = data;
  track *at = living(to, task);
  CHECK(label && (to->tolerant || (!at->stepping && !at->waiting)));
  at->waiting = true;
  to->waits++;
}

static void wait_ends(void *data, const aw_task *task, int result) {
  track *at = living(data, task);
  (void)result;
  CHECK(at->waiting);
  at->waiting = false;
}

static void before_blocking(void *data, uint64_t until) {
  tracer *to = data;
  CHECK(until > 0 && aw_lua_instrument_engine(to->own));
  to->blocks++;
}

static void after_blocking(void *data) {
  const tracer *to = data;
  CHECK(aw_lua_instrument_engine(to->own));
}

static int listen_as(lua_State *L, tracer *to) {
  const aw_instrument all = {.data = to,
                             .task_started = task_started,
                             .task_ended = task_ended,
                             .task_cancelled = task_cancelled,
                             .step_begins = step_begins,
                             .step_ends = step_ends,
                             .wait_begins = wait_begins,
                             .wait_ends = wait_ends,
                             .before_blocking = before_blocking,
                             .after_blocking = after_blocking,
                             .size = sizeof all};
  memset(to, 0, sizeof *to);
  return aw_lua_instrument_add(L, &all, &to->own);
}

static void forget(tracer *to) {
  aw_lua_instrument_remove(to->own);
  to->own = NULL;
}

/* All tasks have ended that the tracer was told of. */
static void check_balanced(const tracer *to) {
  CHECK(to->count == to->ended && to->count > 0);
  for (size_t i = 0; i < to->count; i++)
    CHECK(!to->tracks[i].stepping && !to->tracks[i].waiting);
}

/* ---- scripts ---- */

/* listen(n): tracer n listens from now on */
static int lua_listen(lua_State *L) {
  tracer *to = &tracers[luaL_checkinteger(L, 1)];
  CHECK(!to->own && listen_as(L, to) == 0);
  return 0;
}

/* leave(n) → how many tasks, and how many of them have ended */
static int lua_leave(lua_State *L) {
  tracer *to = &tracers[luaL_checkinteger(L, 1)];
  CHECK(to->own);
  forget(to);
  lua_pushinteger(L, (lua_Integer)to->count);
  lua_pushinteger(L, (lua_Integer)to->ended);
  return 2;
}

static void add_functions(lua_State *L) {
  lua_register(L, "listen", lua_listen);
  lua_register(L, "leave", lua_leave);
}

static lua_State *open_state(void) {
  lua_State *L = luaL_newstate();
  CHECK(L);
  luaL_openlibs(L);
  luaL_requiref(L, "aw", luaopen_aiowire, 1);
  lua_settop(L, 0);
  add_functions(L);
  lua_register(L, "say", lua_say);
  log_clear();
  return L;
}

static void run(lua_State *L, const char *text) {
  bool ends_well = luaL_dostring(L, text) == LUA_OK;
  if (!ends_well)
    fprintf(stderr, "%s\n", luaL_tolstring(L, -1, NULL));
  CHECK(ends_well);
}

/* Many tasks of all kinds, nested. `calm` says that no tracer comes or goes. */
static const char WORK[] =
    "function nop() end\n"
    "function work(n, meddle)\n"
    "  local ch = aw.channel(1)\n"
    "  local parts = {}\n"
    "  for i = 1, n do\n"
    "    parts[#parts + 1] = aw.Wire(function()\n"
    "      meddle(i)\n"
    "      aw.yield()\n"
    "      meddle(i)\n"
    "      aw.pcall(aw.timeout, 0.001, function() aw.sleep(1) end)\n"
    "    end)\n"
    "    parts[#parts + 1] = aw.Sleep(0.0005 * i) | aw.Sleep(1)\n"
    "    parts[#parts + 1] = aw.Call(function() ch:send(i) end)\n"
    "    parts[#parts + 1] = aw.Recv(ch) >> function() meddle(i) end\n"
    "    parts[#parts + 1] = aw.Call(nop) * 5 >> aw.Call(meddle, i)\n"
    "    parts[#parts + 1] = aw.Wire(function()\n"
    "      aw.scope(function(scope)\n"
    "        scope:start(aw.Sleep(0.0003))\n"
    "        scope:start(function() aw.sleep(0) meddle(i) end)\n"
    "        meddle(i)\n"
    "      end)\n"
    "    end)\n"
    "  end\n"
    "  return aw.All(parts)\n"
    "end\n";

static void two_from_the_start(void) {
  lua_State *L = open_state();
  run(L, WORK);
  CHECK(listen_as(L, &tracers[0]) == 0 && listen_as(L, &tracers[1]) == 0);
  run(L, "aw.run(work(4, nop))");
  for (int i = 0; i < 2; i++)
    check_balanced(&tracers[i]);
  CHECK(tracers[0].count == tracers[1].count);
  CHECK(tracers[0].steps == tracers[1].steps && tracers[0].steps > 40);
  CHECK(tracers[0].waits == tracers[1].waits && tracers[0].waits > 20);
  CHECK(tracers[0].blocks == tracers[1].blocks && tracers[0].blocks > 0);
  lua_close(L);
}

static void log_start(void *data, const aw_task *task) {
  const aw_task *parent = aw_task_parent(task);
  log_add("%s%s<%s ", (const char *)data, aw_task_name(task),
          parent ? aw_task_name(parent) : "");
}

static void log_step(void *data, const aw_task *task) {
  log_add("%s(%s ", (const char *)data, aw_task_name(task));
}

static void log_step_end(void *data, const aw_task *task) {
  log_add("%s%s) ", (const char *)data, aw_task_name(task));
}

static void log_wait(void *data, const aw_task *task, const char *label) {
  log_add("%s%s:%s ", (const char *)data, aw_task_name(task), label);
}

static int log_events(lua_State *L) {
  const aw_instrument logs = {.data = (void *)(uintptr_t)luaL_checkstring(L, 1),
                              .task_started = log_start,
                              .step_begins = log_step,
                              .step_ends = log_step_end,
                              .wait_begins = log_wait};
  aw_lua_instrument *own;
  CHECK(aw_lua_instrument_add(L, &logs, &own) == 0);
  return 0;
}

/* What is there when a listener comes: the first one, and a later one. */
static void told_of_what_is_there(void) {
  lua_State *L = open_state();
  lua_register(L, "log", log_events);
  run(L, "a, b = 'a.', 'b.' -- they live as long as the state\n"
         "aw.run(aw.Wire(function()\n"
         "  aw.scope(function(scope)\n"
         "    scope:start(aw.Sleep(0):named 'sleeper')\n"
         "    scope:start(aw.Wire(function() end):named 'ended')\n"
         "    scope:start(aw.Wire(function()\n"
         "      log(a) say '|' log(b) say '|'\n"
         "    end):named 'running')\n"
         "    aw.start(aw.Sleep(0):named 'other')\n"
         "    aw.yield()\n"
         "  end)\n"
         "end):named 'main')");
  CHECK_LOG("a.main< a.sleeper<main a.sleeper:sleep a.running<main a.other< "
            "a.(running | b.main< b.sleeper<main b.sleeper:sleep "
            "b.running<main b.other< b.(running | a.running) b.running) "
            "a.other:sleep b.other:sleep a.(main b.(main a.main) b.main) "
            "a.main:children b.main:children "
            "a.(main b.(main a.main) b.main) ");
  lua_close(L);
}

int main(void) {
  two_from_the_start();
  told_of_what_is_there();
  return 0;
}
