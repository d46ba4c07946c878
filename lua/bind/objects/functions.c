/* functions.c - functions of the module about the running task and its engine:
 * aw.sleep, aw.sleep_until, aw.yield, aw.await; aw.now, aw.current, aw.start,
 * aw.stats
 *
 * Functions that await check their arguments, ask awl_awaiter() for the worker,
 * arm one wait of the core and park. The continuation runs when the engine
 * resumes the worker.
 */
#include "base/classes.h"
#include "base/engine.h"
#include "base/location.h"
#include "base/loops.h"
#include "base/tasks.h"
#include "base/values.h"
#include "objects/task.h"
#include "open.h"
#include "run/await.h"
#include "wire/build.h"
#include "wire/convert.h"

static int act_sleep(lua_State *L) {
  uint64_t ns = awl_check_ns(L, 1);
  awl_worker *w = awl_awaiter(L, awl_of(L), "sleep");
  return awl_wait(L, w, aw_await_sleep(w->task, ns), awl_after_wait);
}

static int act_sleep_until(lua_State *L) {
  uint64_t at = awl_check_time(L, 1);
  awl_worker *w = awl_awaiter(L, awl_of(L), "sleep_until");
  return awl_wait(L, w, aw_await_until(w->task, at), awl_after_wait);
}

static int act_yield(lua_State *L) {
  return awl_yield(L, awl_awaiter(L, awl_of(L), "yield"));
}

/* idle(t): wait until nothing else can run before t, in virtual time [K6] */
static int act_idle(lua_State *L) {
  uint64_t at = awl_check_time(L, 1);
  awl_worker *w = awl_awaiter(L, awl_of(L), "test's clock");
  return awl_wait(L, w, aw_await_idle(w->task, at), awl_after_wait);
}

/* ---- wires, inline [N6] ---- */

static int after_await(lua_State *L, awl_worker *w) {
  awl_check_result(L, w);
  lua_settop(L, 1);
  return awl_take_results(L, w->state, w->task);
}

static int after_step(lua_State *L, awl_worker *w) {
  awl_check_result(L, w);
  awl_drop(w->state, aw_task_take_value(w->task));
  aw_wire *next = aw_task_take_next(w->task);
  if (!next)
    return 0;
  awl_push_wire(L, w->state, next);
  return 1;
}

static int await_wire(lua_State *L, const char *what, bool whole,
                      awl_after after) {
  awl_state *s = awl_of(L);
  lua_settop(L, 1);
  if (!awl_is_wire(L, s, 1))
    return aw_lua_type_error(L, 1, "wire");
  awl_worker *w = awl_awaiter(L, s, what);
  awl_loop *loop = awl_loop_of(s, aw_task_loop(w->task));
  aw_wire *wire = awl_to_wire(L, s, loop, 1);
  int rc = aw_await_wire(w->task, wire, whole);
  return awl_wait(L, w, rc, after);
}

static int act_await(lua_State *L) {
  return await_wire(L, "await", true, after_await);
}

/* await(w, what): as aw.await(w), for the function "aw." .. what of a part */
static int inner_await(lua_State *L) {
  return await_wire(L, luaL_checkstring(L, 2), true, after_await);
}

/* awaiter(what): raise an error if aw.what may not await here */
static int inner_awaiter(lua_State *L) {
  awl_awaiter(L, awl_of(L), luaL_checkstring(L, 1));
  return 0;
}

/* in_clean_up(): was the error that the running catch got raised in clean-up,
 * after a cancel of the scope around the task? */
static int inner_in_clean_up(lua_State *L) {
  const awl_worker *w = awl_of(L)->run.running;
  lua_pushboolean(L,
                  w && w->passing && aw_task_failed_late(w->task, w->passing));
  return 1;
}

static int act_step(lua_State *L) {
  return await_wire(L, "await", false, after_step);
}

/* ---- who and when ---- */

/* seconds_fault(v): why v is not a valid number of seconds, or nil */
static int inner_seconds_fault(lua_State *L) {
  if (lua_type(L, 1) == LUA_TNUMBER)
    /* NULL pushes nil */
    lua_pushstring(L, awl_seconds_fault(lua_tonumber(L, 1)));
  else
    lua_pushfstring(L, "number of seconds expected, got %s",
                    aw_lua_type_name(L, 1));
  return 1;
}

static int m_now(lua_State *L) {
  awl_state *s = awl_of(L);
  awl_engine *engine = awl_current_engine(L, s);
  lua_pushnumber(L, awl_seconds(aw_engine_now(engine->core)));
  return 1;
}

static int m_current(lua_State *L) {
  awl_state *s = awl_of(L);
  aw_task *task = awl_running_task(s);
  if (task && !s->in_handler)
    awl_push_task(L, s, task);
  else
    lua_pushnil(L);
  return 1;
}

static int m_start(lua_State *L) {
  awl_state *s = awl_of(L);
  aw_task *task = awl_running_task(s);
  aw_loop *core = s->in_handler ? s->handler_loop
                  : task        ? aw_task_loop(task)
                                : NULL;
  if (!core)
    return awl_error(L, "aw.start needs a running task; use ev:start, or "
                        "aw.run(function() ... end)");
  return awl_start(L, s, awl_loop_of(s, core), NULL, 1, 1);
}

static void set_count(lua_State *L, const char *name, size_t count) {
  lua_pushinteger(L, (lua_Integer)count);
  lua_setfield(L, -2, name);
}

static void add_engine(const awl_engine *engine, aw_stats *sum) {
  aw_stats one;
  aw_engine_stats(engine->core, &one);
  sum->tasks += one.tasks;
  sum->scopes += one.scopes;
  sum->deadlines += one.deadlines;
  sum->errors += one.errors;
  sum->handles += one.handles;
  sum->bytes += one.bytes;
  sum->steps += one.steps;
}

/* Has `loop` run to its end, and has nobody started a task since? */
static bool has_loop_ended(const awl_loop *loop) {
  aw_loop_state state = aw_loop_state_of(loop->core);
  if (state != AW_LOOP_IDLE)
    return state != AW_LOOP_RUNNING;
  const aw_scope *root = aw_loop_scope(loop->core);
  size_t depth = 0;
  return loop->ran && aw_scope_walk(root, root, &depth) == NULL;
}

static int m_stats(lua_State *L) {
  awl_state *s = awl_of(L);
  aw_stats sum = {0};
  size_t loops = 0, ended = 0;
  /* in a finalizer, another error may be on its way */
  if (!awl_in_finalizer(L))
    awl_forget_passing(s);
  if (s->engine)
    add_engine(s->engine, &sum);
  for (uint32_t i = 0; i < s->loop_count; i++) {
    if (!s->loops[i])
      continue;
    if (has_loop_ended(s->loops[i]))
      ended++;
    else
      loops++;
    if (s->loops[i]->private_engine)
      add_engine(s->loops[i]->engine, &sum);
  }
  if (s->session)
    sum.tasks -= s->session->hidden;
  lua_createtable(L, 0, 13);
  set_count(L, "loops", loops);
  set_count(L, "ended", ended);
  set_count(L, "tasks", sum.tasks);
  set_count(L, "scopes", sum.scopes);
  set_count(L, "deadlines", sum.deadlines);
  set_count(L, "errors", sum.errors);
  set_count(L, "handles", sum.handles);
  set_count(L, "bytes", sum.bytes);
  set_count(L, "wires", s->resources[AWL_RESOURCE_WIRE].live + s->life->leaves);
  set_count(L, "refs", s->values);
  set_count(L, "busy", s->busy);
  set_count(L, "idle", s->idle_count);
  return 1;
}

/* Register `functions` in the module's table, on top, and `inner` in the table
 * below. */
void awl_open_functions(lua_State *L, awl_state *s) {
  static const luaL_Reg functions[] = {
      {"sleep", act_sleep}, {"sleep_until", act_sleep_until},
      {"yield", act_yield}, {"await", act_await},
      {"now", m_now},       {"current", m_current},
      {"start", m_start},   {"stats", m_stats},
      {NULL, NULL}};
  static const luaL_Reg inner[] = {{"idle", act_idle},
                                   {"await", inner_await},
                                   {"awaiter", inner_awaiter},
                                   {"in_clean_up", inner_in_clean_up},
                                   {"seconds_fault", inner_seconds_fault},
                                   {NULL, NULL}};
  static const luaL_Reg of_wires[] = {{"__call", act_step}, {NULL, NULL}};
  s->upcalls.sleep = act_sleep;
  s->upcalls.sleep_until = act_sleep_until;
  for (int class = AWL_WIRE; class <= AWL_BODY; class ++) {
    awl_push_class(L, s, (awl_class) class);
    awl_register(L, s, of_wires);
    lua_pop(L, 1);
  }
  awl_register(L, s, functions);
  lua_pushvalue(L, -2);
  awl_register_inner(L, s, inner);
  lua_pop(L, 1);
}
