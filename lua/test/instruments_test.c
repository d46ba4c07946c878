/* instruments_test.c - several instruments on the engines of a Lua state
 *
 * A tracer checks that each event fits those before, for any number of engines:
 * a task starts once and ends once, after its parent, and its steps and waits
 * follow one another. Scripts add and remove tracers in the middle of what runs
 * by listen(n) and leave(n).
 */
#include "host_of_states.h"

enum { TRACERS = 3, TASKS = 4096 };

static int until_failure = -1; /* requests that succeed; -1: all of them */

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

/* The living task; an engine may have the address of one that was freed. */
static track *find(tracer *to, const aw_task *task) {
  track *at = to->tracks;
  while (at < to->tracks + to->count &&
         (at->ended || at->engine != aw_task_engine(task) ||
          at->id != aw_task_id(task)))
    at++;
  return at < to->tracks + to->count ? at : NULL;
}

/* NULL: it is older than the tracer, in another loop of a host's engine. */
static track *living(tracer *to, const aw_task *task) {
  track *at = find(to, task);
  CHECK(at || to->tolerant);
  return at;
}

static void task_started(void *data, const aw_task *task) {
  tracer *to = data;
  const aw_task *parent = aw_task_parent(task);
  CHECK(!find(to, task) && to->count < TASKS);
  CHECK(!parent || living(to, parent) || to->tolerant);
  to->tracks[to->count++] =
      (track){.engine = aw_task_engine(task), .id = aw_task_id(task)};
}

static void task_ended(void *data, const aw_task *task) {
  tracer *to = data;
  track *at = living(to, task);
  if (!at)
    return;
  CHECK(!at->stepping && !at->waiting);
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
  if (!at)
    return;
  for (size_t i = 0; i < to->count; i++) /* one at a time in an engine */
    CHECK(!to->tracks[i].stepping || to->tracks[i].engine != at->engine);
  CHECK(!at->waiting);
  at->stepping = true;
  to->steps++;
}

static void step_ends(void *data, const aw_task *task) {
  track *at = living(data, task);
  CHECK(!at || at->stepping);
  if (at)
    at->stepping = false;
}

static void wait_begins(void *data, const aw_task *task, const char *label) {
  tracer *to = data;
  track *at = living(to, task);
  if (!at)
    return;
  CHECK(label && !at->stepping && !at->waiting);
  at->waiting = true;
  to->waits++;
}

static void wait_ends(void *data, const aw_task *task, int result) {
  track *at = living(data, task);
  (void)result;
  CHECK(!at || at->waiting);
  if (at)
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

/* Count blocks, and fail on demand. */
static void *count_or_fail(void *context, void *block, size_t size) {
  (void)context;
  bool fails = size > 0 && until_failure == 0;
  until_failure -= size > 0 && until_failure > 0;
  return fails ? NULL : count_blocks(NULL, block, size);
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

/* The end of the state removes what listens. */
static void close_state(lua_State *L) {
  lua_close(L);
  for (int i = 0; i < TRACERS; i++)
    tracers[i].own = NULL;
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
  while (tracers[0].blocks == 0) /* on a busy machine, no sleep may block */
    run(L, "aw.run(aw.Sleep(0.002))");
  for (int i = 0; i < 2; i++)
    check_balanced(&tracers[i]);
  CHECK(tracers[0].count == tracers[1].count);
  CHECK(tracers[0].steps == tracers[1].steps && tracers[0].steps > 40);
  CHECK(tracers[0].waits == tracers[1].waits && tracers[0].waits > 20);
  CHECK(tracers[0].blocks == tracers[1].blocks && tracers[0].blocks > 0);
  close_state(L);
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
  close_state(L);
}

/* ---- coming and going ---- */

/* Tracers come and go in the middle of everything, in several engines. */
static void come_and_go_at_random(void) {
  lua_State *L = open_state();
  run(L, WORK);
  run(L, "local here, moves = {}, 0\n"
         "local function meddle()\n"
         "  if math.random(3) > 1 then return end\n"
         "  local n = math.random(0, 2)\n"
         "  if here[n] then leave(n) else listen(n) end\n"
         "  here[n], moves = not here[n], moves + 1\n"
         "end\n"
         "for seed = 1, 20 do\n"
         "  math.randomseed(seed)\n"
         "  aw.run(aw.Wire(function()\n"
         "    local ev = aw.EventLoop{clock = 'virtual', seed = seed}\n"
         "    ev:start(work(5, meddle))\n"
         "    ev:run()\n"
         "    meddle()\n"
         "    if seed % 3 == 0 then ev:start(work(2, meddle)) ev = nil end\n"
         "    collectgarbage()\n"
         "  end) & work(3, meddle))\n"
         "  meddle()\n"
         "end\n"
         "assert(moves > 200)\n");
  close_state(L); /* with those that are there */
}

static void without_a_listener_again(void) {
  lua_State *L = open_state();
  run(L, "aw.run(function()\n"
         "  local t = aw.start(aw.Sleep(0))\n"
         "  aw.yield()\n"
         "  listen(0)\n"
         "  t:wait()\n"
         "  local n, ended = leave(0)\n"
         "  assert(n == 2 and ended == 1)\n"
         "  t = aw.start(aw.Sleep(0))\n"
         "  t:wait()\n"
         "  listen(0)\n"
         "  n, ended = leave(0)\n"
         "  assert(n == 1 and ended == 0)\n"
         "end)\n"
         "listen(0)\n"
         "n, ended = leave(0)\n"
         "assert(n == 0 and ended == 0)");
  close_state(L);
}

/* ---- other instruments ---- */

static void count_task(void *data, const aw_task *task) {
  (void)task;
  ++*(int *)data;
}

static void beside_one_of_the_program(void) {
  lua_State *L = open_state();
  int count = 0;
  const aw_instrument own = {.data = &count, .task_started = count_task};
  aw_engine *engine = aw_lua_engine(L);
  CHECK(aw_engine_instrument(engine, &own) == 0);
  CHECK(listen_as(L, &tracers[0]) == AW_EBUSY);
  run(L, "aw.run(function() end)"); /* the program's still hears */
  CHECK(count == 1 && tracers[0].count == 0);
  CHECK(aw_engine_instrument(engine, NULL) == 0);
  CHECK(listen_as(L, &tracers[0]) == 0);
  CHECK(aw_engine_instrument(engine, &own) == AW_EBUSY);
  run(L, "aw.run(function() end)");
  CHECK(count == 1 && tracers[0].count == 1);
  forget(&tracers[0]);
  CHECK(aw_engine_instrument(engine, &own) == 0);
  close_state(L);
}

static void wrong_arguments(void) {
  lua_State *L = open_state();
  aw_instrument none = {.size = 8};
  aw_lua_instrument *own = NULL;
  CHECK(aw_lua_instrument_add(L, NULL, &own) == AW_EINVAL);
  CHECK(aw_lua_instrument_add(L, &none, &own) == AW_EINVAL && !own);
  none.size = 0;
  CHECK(aw_lua_instrument_add(L, &none, NULL) == AW_EINVAL);
  CHECK(aw_lua_instrument_add(L, &none, &own) == 0); /* no function is set */
  CHECK(!aw_lua_instrument_engine(own));
  run(L, WORK);
  run(L, "aw.run(work(2, nop))");
  aw_lua_instrument_remove(own);
  aw_lua_instrument_remove(NULL);
  close_state(L);
}

/* ---- ends ---- */

static void the_end_of_the_state(void) {
  lua_State *L = open_state();
  CHECK(listen_as(L, &tracers[0]) == 0);
  run(L, "ev = aw.EventLoop()\n"
         "ev:start(aw.Sleep(1))\n"
         "other = aw.EventLoop{clock = 'virtual'}\n"
         "other:start(aw.Sleep(1) & aw.Sleep(2))\n");
  CHECK(tracers[0].count == 2 && tracers[0].ended == 0);
  close_state(L);
  CHECK(tracers[0].count == 2 && tracers[0].ended == 2);
}

/* ---- engines of a host program ---- */

static void states_of_a_host(void) {
  aw_engine *engine = new_engine();
  lua_State *a = new_state(engine), *b = new_state(engine);
  add_functions(a);
  add_functions(b);
  start_text(a, "aw.sleep(0.001) return 1", "a");
  CHECK(listen_as(b, &tracers[0]) == 0);
  start_text(b, "aw.sleep(0) aw.sleep(0) return 2", "b");
  CHECK(listen_as(a, &tracers[1]) == 0);
  tracers[0].tolerant = tracers[1].tolerant = true;
  pull(b);
  pull(a);
  CHECK(strstr(logged, "a=1") && strstr(logged, "b=2"));
  CHECK(tracers[1].count == 1 && tracers[1].ended == 1); /* a's is older */
  CHECK(tracers[0].count == 2 && tracers[0].ended == 2);
  start_text(a, "aw.sleep(9)", "left");
  CHECK(tracers[0].count == 3 && tracers[1].count == 2);
  CHECK(aw_lua_close(a) == 0); /* ends its task */
  CHECK(tracers[0].ended == 3 && tracers[1].ended == 2);
  lua_close(a);
  tracers[1].own = NULL;
  start_text(b, "leave(0)", "c");
  pull(b);
  CHECK(aw_lua_close(b) == 0);
  close_state(b);
  close_engine(engine);
}

/* A state outlives the engine of the host, and gets one of its own. */
static void a_state_without_its_host(void) {
  aw_engine *engine = new_engine();
  lua_State *L = new_state(engine);
  CHECK(listen_as(L, &tracers[0]) == 0);
  start_text(L, "return 1", "a");
  pull(L);
  CHECK(aw_lua_close(L) == 0);
  run(L, "collectgarbage()");
  CHECK(aw_engine_free(engine) == 0);
  run(L, "ev = aw.EventLoop()\n"
         "ev:start(aw.Sleep(0))\n"
         "ev:run()");
  check_balanced(&tracers[0]);
  CHECK(tracers[0].count == 2);
  close_state(L);
  CHECK(blocks == 0);
}

static void calls_of_a_session(void) {
  lua_State *L = open_state();
  int code;
  aw_lua_session *session = aw_lua_session_open(L, NULL);
  CHECK(session && listen_as(L, &tracers[0]) == 0);
  for (int i = 0; i < 2; i++) {
    CHECK(luaL_loadstring(L, "aw.start(aw.Sleep(0)):wait()") == LUA_OK);
    CHECK(aw_lua_session_call(session, L, 0, &code) == AW_LUA_OK);
  }
  CHECK(luaL_loadstring(L, "aw.start(aw.Sleep(9))") == LUA_OK);
  CHECK(aw_lua_session_call(session, L, 0, &code) == AW_LUA_OK);
  size_t ended = tracers[0].ended;
  CHECK(ended >= 5 && tracers[0].count > ended);
  CHECK(aw_lua_session_close(session, L, &code) == AW_LUA_OK);
  check_balanced(&tracers[0]);
  close_state(L);
}

/* ---- memory ---- */

static void without_memory(void) {
  lua_State *L = open_state();
  run(L, "ev = aw.EventLoop()\n"
         "ev:start(aw.Sleep(0))\n"
         "virtual = aw.EventLoop{clock = 'virtual'}\n"
         "virtual:start(aw.Sleep(0))");
  int rc = AW_ENOMEM, tries = 0;
  while (rc == AW_ENOMEM) {
    until_failure = tries++;
    rc = listen_as(L, &tracers[0]);
    until_failure = -1;
  }
  CHECK(rc == 0 && tries > 4 && tracers[0].count == 2);
  lua_gc(L, LUA_GCSTOP);
  int failures = 0; /* an engine that cannot be heard is not made */
  for (int fits = 0; !fits; failures++) {
    CHECK(luaL_loadstring(L, "aw.EventLoop{seed = 1}") == LUA_OK);
    until_failure = failures;
    fits = lua_pcall(L, 0, 0, 0) == LUA_OK;
    until_failure = -1;
    lua_settop(L, 0);
  }
  CHECK(failures > 4);
  run(L, "ev:run() virtual:run()");
  check_balanced(&tracers[0]);
  close_state(L);
}

int main(void) {
  aw_set_allocator(count_or_fail, NULL);
  without_memory();
  two_from_the_start();
  told_of_what_is_there();
  come_and_go_at_random();
  without_a_listener_again();
  beside_one_of_the_program();
  wrong_arguments();
  the_end_of_the_state();
  states_of_a_host();
  a_state_without_its_host();
  calls_of_a_session();
  CHECK(blocks == 0);
  return 0;
}
