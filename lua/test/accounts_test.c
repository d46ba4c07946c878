/* accounts_test.c - what each living task has cost, see
 * lua/monitor/listen/accounts.h */
#include "failing.h"
#include "host_of_states.h"

#include "listen/accounts.h"

#include <pthread.h>
#include <uv.h>

static awm_accounts *accounts;
static awl_state *state;
static _Atomic uint64_t seen; /* the task whose step another thread saw */

/* spin(seconds): compute so long, at least */
static int lua_spin(lua_State *L) {
  uint64_t ns = (uint64_t)(luaL_checknumber(L, 1) * 1e9), from = uv_hrtime();
  while (uv_hrtime() - from < ns)
    ;
  return 0;
}

/* spin_until_seen(): compute until another thread has seen this step */
static int lua_spin_until_seen(lua_State *L) {
  const aw_task *own = awl_running_task(state);
  while (atomic_load(&seen) != aw_task_id(own))
    ;
  lua_pushboolean(L, true);
  return 1;
}

static const awm_account *look(const aw_task *task) {
  static awm_account account;
  return awm_account_look(accounts, task, &account) ? &account : NULL;
}

/* busy() → ns, longest ns, steps of the running task */
static int lua_busy(lua_State *L) {
  const awm_account *at = look(awl_running_task(state));
  CHECK(at && at->id == aw_task_id(awl_running_task(state)));
  lua_pushinteger(L, (lua_Integer)at->busy);
  lua_pushinteger(L, (lua_Integer)at->longest);
  lua_pushinteger(L, (lua_Integer)at->steps);
  return 3;
}

/* flags() → has the running task been cancelled, has it starved others? */
static int lua_flags(lua_State *L) {
  const awm_account *at = look(awl_running_task(state));
  CHECK(at);
  lua_pushboolean(L, at->cancelled != 0);
  lua_pushboolean(L, at->starved != 0);
  return 2;
}

/* sums(n) → busy, idle, steps, wake-ups, tasks of the nth engine; or nothing */
static int lua_sums(lua_State *L) {
  awm_sums sums;
  size_t index = (size_t)luaL_checkinteger(L, 1) - 1;
  if (!awm_sums_look(accounts, index, &sums))
    return 0;
  CHECK(sums.missed == 0);
  lua_pushinteger(L, (lua_Integer)sums.busy);
  lua_pushinteger(L, (lua_Integer)sums.idle);
  lua_pushinteger(L, (lua_Integer)sums.steps);
  lua_pushinteger(L, (lua_Integer)sums.wakeups);
  lua_pushinteger(L, (lua_Integer)sums.tasks);
  return 5;
}

/* check_disjoint(): no time is counted twice */
static int lua_check_disjoint(lua_State *L) {
  awm_sums sums;
  uint64_t sum = 0, began = 0;
  for (size_t i = 0; awm_sums_look(accounts, i, &sums); i++) {
    sum += sums.busy + sums.idle;
    began = began ? began : sums.began;
  }
  CHECK(began && sum <= uv_hrtime() - began);
  (void)L;
  return 0;
}

/* check_all(): each living task has an account */
static int lua_check_all(lua_State *L) {
  aw_task *own = awl_running_task(state);
  const aw_scope *root = aw_loop_scope(aw_task_loop(own));
  size_t depth = 0, count = 0;
  for (const aw_scope *at = root; at; at = aw_scope_walk(root, at, &depth)) {
    const aw_task *task = aw_scope_task(at);
    if (!task)
      continue;
    const awm_account *account = look(task);
    CHECK(account && account->id == aw_task_id(task));
    CHECK(account->since > 0 && account->since <= uv_hrtime());
    count++;
  }
  awm_sums sums;
  CHECK(awm_sums_look(accounts, 0, &sums) && sums.tasks == count);
  lua_pushinteger(L, (lua_Integer)count);
  return 1;
}

/* open_accounts(): in the middle of what runs */
static int lua_open(lua_State *L) {
  (void)L;
  CHECK(awm_accounts_open(state, &accounts) == 0);
  return 0;
}

static const luaL_Reg functions[] = {{"spin", lua_spin},
                                     {"spin_until_seen", lua_spin_until_seen},
                                     {"busy", lua_busy},
                                     {"flags", lua_flags},
                                     {"sums", lua_sums},
                                     {"check_disjoint", lua_check_disjoint},
                                     {"check_all", lua_check_all},
                                     {"open_accounts", lua_open},
                                     {NULL, NULL}};

static lua_State *open_state(void) {
  lua_State *L = luaL_newstate();
  CHECK(L);
  luaL_openlibs(L);
  luaL_requiref(L, "aw", luaopen_aiowire, 1);
  lua_pushglobaltable(L);
  luaL_setfuncs(L, functions, 0);
  lua_settop(L, 0);
  state = awl_find_state(L);
  CHECK(state);
  return L;
}

static void close_state(lua_State *L) {
  awm_accounts_close(accounts);
  accounts = NULL;
  lua_close(L);
}

static void run(lua_State *L, const char *text) {
  bool ends_well = luaL_dostring(L, text) == LUA_OK;
  if (!ends_well)
    fprintf(stderr, "%s\n", luaL_tolstring(L, -1, NULL));
  CHECK(ends_well);
}

/* On a busy machine, a sleep may be over before the engine blocks. Sleep until
 * engine `number` has been idle for `ns`; returns how often. */
static const char SLEEPING[] =
    "function sleep_until_idle(number, seconds, ns)\n"
    "  local n, idle, _ = 0\n"
    "  repeat\n"
    "    aw.sleep(seconds)\n"
    "    n = n + 1\n"
    "    _, idle = sums(number)\n"
    "  until idle >= ns\n"
    "  return n\n"
    "end\n";

static void times_of_a_task(void) {
  lua_State *L = open_state();
  run(L, SLEEPING);
  CHECK(awm_accounts_open(state, &accounts) == 0);
  run(L, "local MS = 1000000\n"
         "aw.run(function()\n"
         "  local b, l, s = busy()\n"
         "  assert(s == 0 and b > 0 and l >= b)\n"
         "  spin(0.003)\n"
         "  b, l, s = busy()\n"
         "  assert(s == 0 and b >= 3 * MS and l >= 3 * MS)\n"
         "  local n = sleep_until_idle(1, 0.002, 1)\n"
         "  local b1, l1, s1 = busy()\n"
         "  assert(s1 == n and b1 >= b and l1 >= l)\n"
         "  for i = 1, 10 do aw.yield() end\n"
         "  local _, _, s2 = busy()\n"
         "  assert(s2 == n + 10)\n"
         "  local _, _, steps, wakeups, tasks = sums(1)\n"
         "  assert(steps == n + 10 and wakeups > 0 and tasks == 1)\n"
         "  assert(not sums(2))\n"
         "  all = n + 11\n"
         "end)\n"
         "local b, i, s, w, n = sums(1)\n"
         "assert(b >= 3 * MS and s == all and n == 0)\n");
  const awm_pulse *pulse = awm_accounts_pulse(accounts);
  awm_step step;
  CHECK(!awm_pulse_look(pulse, &step) && pulse->outermost == 0);
  lua_getglobal(L, "all");
  CHECK(pulse->steps == (uint64_t)lua_tointeger(L, -1));
  CHECK(pulse->wakeups > 0 && pulse->idle > 0);
  close_state(L);
}

static void many_tasks_that_come_and_go(void) {
  lua_State *L = open_state();
  CHECK(awm_accounts_open(state, &accounts) == 0);
  run(L, "math.randomseed(1)\n"
         "aw.run(function()\n"
         "  local live = {}\n"
         "  for round = 1, 40 do\n"
         "    for i = 1, math.random(0, 400) do\n"
         "      live[#live + 1] = aw.start(aw.Never)\n"
         "    end\n"
         "    assert(check_all() == #live + 1)\n"
         "    for i = 1, math.random(0, math.min(400, #live)) do\n"
         "      local n = math.random(#live)\n"
         "      live[n]:cancel()\n"
         "      live[n] = live[#live]\n"
         "      live[#live] = nil\n"
         "    end\n"
         "    aw.sleep(0)\n"
         "    aw.sleep(0)\n"
         "    assert(check_all() == #live + 1)\n"
         "  end\n"
         "  while #live > 0 do table.remove(live):cancel() end\n"
         "  aw.sleep(0)\n"
         "  aw.sleep(0)\n"
         "  assert(check_all() == 1)\n"
         "end)\n");
  close_state(L);
}

static void opened_in_the_middle(void) {
  lua_State *L = open_state();
  run(L, "aw.run(function()\n"
         "  local t = aw.start(aw.Sleep(9))\n"
         "  local inner = aw.EventLoop{clock = 'virtual'}\n"
         "  inner:start(function()\n"
         "    open_accounts()\n"
         "    spin(0.002)\n"
         "    assert(busy() >= 2000000)\n"
         "    aw.sleep(5)\n"
         "  end)\n"
         "  inner:run()\n"
         "  assert(check_all() == 2)\n"
         "  t:cancel()\n"
         "end)\n");
  close_state(L);
}

/* What an EventLoop takes is its own, not that of the step around it. */
static void engines_inside(void) {
  lua_State *L = open_state();
  run(L, SLEEPING);
  CHECK(awm_accounts_open(state, &accounts) == 0);
  run(L, "aw.run(function()\n"
         "  local inner = aw.EventLoop{seed = 1}\n"
         "  inner:start(function()\n"
         "    spin(0.02)\n"
         "    n = sleep_until_idle(2, 0.02, 1000000)\n"
         "    spin(0.02)\n"
         "  end)\n"
         "  inner:run()\n"
         "  local b, longest = busy()\n"
         "  assert(longest >= 60000000)\n"
         "  local ib, idle, steps = sums(2)\n"
         "  assert(ib >= 40000000 and steps == n + 1)\n"
         "  assert(idle >= 1000000)\n"
         "  check_disjoint()\n"
         "  inner = nil\n"
         "  collectgarbage()\n"
         "  assert(not sums(2))\n"
         "end)\n");
  close_state(L);
}

static void flags_of_a_task(void) {
  lua_State *L = open_state();
  CHECK(awm_accounts_open(state, &accounts) == 0);
  run(L, "aw.run(function()\n"
         "  spin(0.1)\n"
         "  aw.yield()\n"
         "  local c, s = flags()\n"
         "  assert(not c and not s) -- there was nobody else\n"
         "  aw.start(aw.Sleep(0))\n"
         "  spin(0.1)\n"
         "  c, s = flags()\n"
         "  assert(not c and s) -- in the middle of the step\n"
         "  aw.yield()\n"
         "  c, s = flags()\n"
         "  assert(not c and s)\n"
         "  aw.start(function()\n"
         "    aw.current():cancel()\n"
         "    c = flags()\n"
         "    assert(c)\n"
         "  end):wait()\n"
         "end)\n");
  close_state(L);
}

static void *watch(void *data) {
  const awm_pulse *pulse = data;
  awm_step step = {0};
  while (!awm_pulse_look(pulse, &step))
    ;
  CHECK(step.engine > 0 && step.began > 0 && step.began <= uv_hrtime());
  CHECK(pulse->outermost <= step.began);
  atomic_store(&seen, step.task);
  return NULL;
}

static void a_step_that_another_thread_sees(void) {
  lua_State *L = open_state();
  pthread_t thread;
  CHECK(awm_accounts_open(state, &accounts) == 0);
  void *pulse = (void *)(uintptr_t)awm_accounts_pulse(accounts);
  CHECK(pthread_create(&thread, NULL, watch, pulse) == 0);
  run(L, "aw.run(function() assert(spin_until_seen()) end)\n");
  CHECK(pthread_join(thread, NULL) == 0);
  close_state(L);
}

static void without_memory(void) {
  aw_set_allocator(allocate, NULL);
  lua_State *L = open_state();
  for (int n = 0; n < 2; n++) {
    until_failure = n;
    CHECK(awm_accounts_open(state, &accounts) == AW_ENOMEM);
    until_failure = -1;
  }
  run(L, "ev = aw.EventLoop()"); /* the state has an engine */
  for (int n = 0; n < 5; n++) {
    until_failure = n;
    int rc = awm_accounts_open(state, &accounts);
    until_failure = -1;
    CHECK(rc == 0 || rc == AW_ENOMEM);
    if (rc == 0) {
      awm_accounts_close(accounts);
      accounts = NULL;
    }
  }
  CHECK(awm_accounts_open(state, &accounts) == 0);
  close_state(L);
}

#if defined(__SANITIZE_ADDRESS__) || defined(AW_NO_SLABS)

/* This build keeps no memory of tasks that have ended. */
static void tasks_that_are_missed(void) {}

#else

static size_t start_sleepers(aw_loop *loop, aw_wire *wire, size_t most) {
  size_t count = 0;
  while (count < most &&
         aw_loop_start(loop, aw_wire_keep(wire), NULL, NULL) == 0)
    count++;
  return count;
}

/* Tasks without an account: there is no memory for more rows. */
static void tasks_that_are_missed(void) {
  enum { TASKS = 40, ROWS = 16 };
  lua_State *L = open_state();
  aw_engine *engine = aw_lua_engine(L);
  aw_loop *loop = new_loop(engine);
  aw_wire *wire = aw_sleep(AW_NEVER);
  CHECK(start_sleepers(loop, wire, TASKS) == TASKS);
  CHECK(aw_loop_free(loop) == 0); /* the engine keeps the memory of tasks */
  CHECK(awm_accounts_open(state, &accounts) == 0);
  loop = new_loop(engine);
  CHECK(start_sleepers(loop, wire, 1) == 1);
  until_failure = 0;
  CHECK(start_sleepers(loop, wire, TASKS - 1) == TASKS - 1);
  until_failure = -1;
  awm_sums sums;
  CHECK(awm_sums_look(accounts, 0, &sums));
  CHECK(sums.tasks == ROWS && sums.missed == TASKS - ROWS);
  CHECK(aw_loop_free(loop) == 0); /* ends them, the missed ones, too */
  CHECK(awm_sums_look(accounts, 0, &sums) && sums.tasks == 0);
  aw_wire_release(wire);
  close_state(L);
}

#endif

int main(void) {
  without_memory();
  tasks_that_are_missed();
  times_of_a_task();
  many_tasks_that_come_and_go();
  opened_in_the_middle();
  engines_inside();
  flags_of_a_task();
  a_step_that_another_thread_sees();
  return 0;
}
