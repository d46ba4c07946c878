/* task.c - the class Task, and start()
 *
 * Neighbours: base/tasks.c has the handles; start_ready.c has start_ready();
 * locals.c has the locals that a task inherits.
 */
#include "objects/task.h"

#include "base/classes.h"
#include "base/location.h"
#include "base/loops.h"
#include "base/parts.h"
#include "base/resources.h"
#include "base/show_value.h"
#include "base/tasks.h"
#include "base/values.h"
#include "errors/core_error.h"
#include "errors/error_object.h"
#include "errors/errors.h"
#include "errors/info.h"
#include "errors/kept.h"
#include "errors/mistake.h"
#include "errors/traceback.h"
#include "objects/locals.h"
#include "open.h"
#include "run/await.h"
#include "run/loop_run.h"
#include "wire/build.h"
#include "wire/convert.h"
#include "wire/task_text.h"

#include <string.h>

/* ---- starting ---- */

void awl_check_handler(lua_State *L, int arg) {
  if (lua_isnoneornil(L, arg) || awl_callable(L, arg))
    return;
  const char *why = lua_pushfstring(
      L,
      "function expected, got %s; a handler comes here, and arguments of the "
      "body go into aw.Wire(f, ...)",
      aw_lua_type_name(L, arg));
  aw_lua_arg_error(L, arg, why);
}

/* Check the wire and the handler. A wire without a handler and options is not
 * checked here, but when it is converted. Only the library's own parts may pass
 * any value as a handler: then the error leaves run() raw. */
static void check_start(lua_State *L, awl_state *s, int arg, bool ours) {
  if (lua_isnone(L, arg) || !awl_is_wire(L, s, arg))
    aw_lua_type_error(L, arg, "wire");
  lua_settop(L, arg + 2);
  if (!ours)
    awl_check_handler(L, arg + 1);
}

/* Read the options at `arg` into `config`; the name stays on the stack. */
static void read_start_options(lua_State *L, int arg, aw_task_config *config) {
  static const char *const known[] = {"name", "background", "grace", NULL};
  if (lua_isnoneornil(L, arg))
    return;
  aw_lua_check_options(L, arg, known, false);
  if (lua_getfield(L, arg, "name") != LUA_TNIL) {
    if (lua_type(L, -1) != LUA_TSTRING)
      aw_lua_bad_option(L, "name", "string");
    config->name = lua_tostring(L, -1);
  }
  config->background = aw_lua_opt_flag(L, arg, "background", false);
  uint64_t grace = aw_lua_opt_ns(L, arg, "grace", AW_DEFAULT);
  if (grace != AW_DEFAULT) /* 0 would mean the loop's grace */
    config->grace = grace > 0 ? grace : 1;
}

/* The line that started the running task; NULL outside of tasks. */
static const char *where_running(awl_state *s) {
  const aw_task *task = s->in_handler ? NULL : awl_running_task(s);
  return task ? aw_task_where(task) : NULL;
}

int awl_scope_left(lua_State *L) {
  return awl_error(L, "this scope has been left");
}

/* Start `wire` (taken) in `scope`, or if NULL at the root of `loop`. The scope
 * may have been left since the caller checked it: a finalizer may have run the
 * scope's task. */
static int start_in(const awl_loop *loop, const awl_scope *scope, aw_wire *wire,
                    const aw_task_config *config, aw_task **out) {
  if (!scope)
    return aw_loop_start(loop->core, wire, config, out);
  if (scope->scope)
    return aw_scope_start(scope->scope, wire, config, out);
  aw_wire_release(wire);
  awl_drop(loop->state, config->handler);
  awl_drop(loop->state, config->locals);
  return AW_EENDED;
}

/* start(nil) is legal [P2], but most often a mistake. */
static int start_nothing(lua_State *L, awl_state *s, int level) {
  lua_pushliteral(L, "start(nil) starts nothing; is what it names declared "
                     "further down, or misspelt?");
  awl_mistake(L, awl_where(L, s, level), "start");
  return 0;
}

int awl_start(lua_State *L, awl_state *s, awl_loop *loop,
              const awl_scope *scope, int arg, int level) {
  if (lua_isnil(L, arg))
    return start_nothing(L, s, level);
  bool plain = lua_gettop(L) == arg; /* without a handler and options */
  if (plain)
    lua_settop(L, arg + 1);
  else
    check_start(L, s, arg, level > 1);
  aw_task_config config = {.where = awl_where(L, s, level)};
  /* the library's own code starts it, or C starts the main chunk */
  if (*config.where == '?')
    config.where = where_running(s);
  if (!plain)
    read_start_options(L, arg + 2, &config);
  return awl_start_as(L, loop, scope, arg, &config);
}

int awl_start_as(lua_State *L, awl_loop *loop, const awl_scope *scope, int arg,
                 aw_task_config *config) {
  awl_state *s = loop->state;
  if (!loop->core)
    return awl_ended(L, loop);
  /* All calls that can raise come before the wire and the handler are held. */
  awl_task_handle *ud = awl_push_empty_task(L, s);
  ud->locals = awl_inherit(L, s, loop);
  aw_wire *wire = awl_to_wire(L, s, loop, arg);
  if (!wire)
    aw_lua_type_error(L, arg, "wire");
  if (!lua_isnil(L, arg + 1))
    config->handler = awl_hold_beside(L, loop, arg + 1, wire);
  config->locals = ud->locals;
  ud->locals = 0;
  aw_task *task = NULL;
  int rc = start_in(loop, scope, wire, config, &task);
  if (rc == AW_EENDED)
    return scope ? awl_scope_left(L) : awl_ended(L, loop);
  if (rc < 0)
    return awl_error(L, "not enough memory");
  awl_fill_task(L, loop, ud, task);
  return 1;
}

/* ---- what a Task tells ---- */

static const char *const states[] = {"ready", "running", "waiting",
                                     "done",  "failed",  "cancelled"};

static const char *task_state_name(const awl_state *s, const aw_task *task) {
  aw_task_state state = aw_task_state_of(task);
  const awl_worker *w = s->run.running;
  if (w && w->task == task && state == AW_TASK_WAITING)
    state = AW_TASK_RUNNING;
  return states[state];
}

static int push_task_results(lua_State *L, awl_state *s, const aw_task *task) {
  return awl_push_tuple(L, s, aw_task_value(task));
}

static int task_results(lua_State *L) {
  return push_task_results(L, awl_of(L), awl_check_task(L, awl_of(L), 1));
}

/* Push the stacks of the task's coroutines, joined, the innermost first
 * [D3]. */
static void push_task_stacks(lua_State *L, awl_state *s, aw_task *task) {
  awl_worker *running = s->run.running;
  bool runs = running && running->task == task;
  if (runs)
    awl_push_traceback(L, s, L, 1);
  else
    lua_pushliteral(L, "stack traceback:");
  if (aw_task_state_of(task) >= AW_TASK_DONE)
    return;
  awl_worker *w;
  size_t i = 0;
  while ((w = awl_parked_at(s, task, &i)) != NULL) {
    if (runs && w == running)
      continue;
    awl_join_traceback(L, s, w->co);
  }
}

static int task_traceback(lua_State *L) {
  awl_state *s = awl_of(L);
  aw_task *task = awl_check_task(L, s, 1);
  lua_settop(L, 1);
  awl_push_embedded(L, "aiowire.info");
  if (aw_task_state_of(task) == AW_TASK_FAILED) {
    awl_kept_asked(L, s);
    awl_push_info(L, s, aw_task_error(task), NULL);
  } else
    awl_push_task_info(L, s, task);
  if (lua_getfield(L, -1, "traceback") == LUA_TNIL &&
      aw_task_state_of(task) < AW_TASK_DONE) {
    push_task_stacks(L, s, task);
    lua_setfield(L, -3, "traceback");
  }
  lua_pop(L, 1);
  lua_pushboolean(L, true); /* true: without the error's own text */
  lua_call(L, 2, 1);
  return 1;
}

static int task_cancel(lua_State *L) {
  awl_state *s = awl_of(L);
  aw_task *task = awl_check_task(L, s, 1);
  if (aw_task_state_of(task) >= AW_TASK_DONE)
    return 0;
  lua_settop(L, 2);
  awl_new_cancelled(L, s, "task");
  awl_loop *loop = awl_loop_of(s, aw_task_loop(task));
  if (!loop) /* __tostring of the reason, or a finalizer, has ended the loop */
    return 0;
  awl_push_loop(L, s, loop);
  bool garbage = lua_isnil(L, -1); /* nobody will read the reason */
  lua_pop(L, 1);
  aw_task_cancel(task, garbage ? 0 : awl_hold(L, loop), AW_DEFAULT);
  return 0;
}

/* ---- waiting ---- */

int awl_end_as(lua_State *L, awl_state *s, aw_task *task) {
  switch (aw_task_state_of(task)) {
  case AW_TASK_DONE: return push_task_results(L, s, task);
  case AW_TASK_FAILED:
    aw_task_mark_waited(task);
    return awl_raise(L, s->run.running, aw_error_keep(aw_task_error(task)));
  default:
    awl_push_task_name(L, s, task);
    lua_pushfstring(L, "TaskCancelled: %s was cancelled", lua_tostring(L, -1));
    awl_push_simple_error(L, AWL_TASK_CANCELLED, lua_tostring(L, -1));
    lua_pushvalue(L, 1);
    lua_setfield(L, -2, "task");
    return lua_error(L);
  }
}

static int after_task_wait(lua_State *L, awl_worker *w) {
  awl_check_object(L, w, "this task");
  return awl_end_as(L, w->state, awl_check_task(L, w->state, 1));
}

static int task_wait(lua_State *L) {
  awl_state *s = awl_of(L);
  aw_task *task = awl_check_task(L, s, 1);
  awl_worker *w = awl_awaiter(L, s, "Task:wait");
  lua_settop(L, 1);
  if (aw_task_state_of(task) >= AW_TASK_DONE && awl_at_once(w))
    return awl_end_as(L, s, task);
  return awl_wait(L, w, aw_await_task(w->task, task), after_task_wait);
}

/* ---- cancel_wait and __close: join in a shield [C12] ---- */

void awl_joined(lua_State *L, awl_worker *w) {
  aw_scope_end end;
  aw_scope_close(w->task, &end);
  awl_drop(w->state, end.reason);
  aw_error_release(end.error);
  if (awl_is_refused(w))
    awl_check_object(L, w, "this task");
}

static int after_task_join(lua_State *L, awl_worker *w) {
  awl_joined(L, w);
  return 0;
}

/* If nobody runs the loop of `task`, begin its run, so that the task can end
 * [S7]. The loop pauses then, and keeps its other tasks. A loop of another
 * engine does not begin: the core refuses the wait, so nobody would drive that
 * loop. */
static void let_run(lua_State *L, awl_state *s, const aw_task *task) {
  aw_loop *core = aw_task_loop(task);
  if (!core || aw_loop_state_of(core) != AW_LOOP_IDLE ||
      aw_loop_engine(core) != s->run.engine->core ||
      !awl_loop_anchor(L, awl_loop_of(s, core)))
    return;
  if (aw_loop_begin(core, AW_NEVER) == 0)
    aw_loop_pause(core);
  awl_loop_let_go(s, core);
}

int awl_join(lua_State *L, awl_worker *w, aw_task *task, awl_after after) {
  let_run(L, w->state, task);
  aw_scope_config config = {
      .deadline = AW_NEVER, .grace = AW_DEFAULT, .shield = true};
  aw_scope *scope;
  int rc = aw_scope_open(w->task, &config, &scope);
  if (rc < 0)
    return awl_error(L, "%s", aw_strerror(rc));
  rc = aw_await_task(w->task, task);
  return awl_wait(L, w, rc, after);
}

/* The stack is [task]. */
static int after_task_end(lua_State *L, awl_worker *w) {
  awl_check_object(L, w, "this task");
  return 0;
}

static int task_cancel_wait(lua_State *L) {
  awl_state *s = awl_of(L);
  aw_task *task = awl_check_task(L, s, 1);
  awl_worker *w = awl_awaiter(L, s, "Task:cancel_wait");
  task_cancel(L);
  return awl_wait(L, w, aw_await_task(w->task, task), after_task_end);
}

/* Outside of tasks: drive the engine until the task has ended. A loop that is
 * left half way stays alive: its tasks have clean-up to do. */
static int drive_to_end(lua_State *L, awl_state *s, aw_task *task) {
  awl_loop *loop = awl_loop_of(s, aw_task_loop(task));
  if (!loop) /* a finalizer has driven the task to its end */
    return 0;
  if (loop->engine->hosted)
    return awl_refuse_hosted(L, "Task:close");
  aw_task_watch(task);
  /* else the loop runs already, or has ended */
  if (awl_loop_drive(L, loop, task) >= 0)
    aw_loop_pause(loop->core);
  return 0;
}

static int task_close(lua_State *L) {
  awl_state *s = awl_of(L);
  aw_task *task = awl_check_task(L, s, 1);
  if (aw_task_state_of(task) >= AW_TASK_DONE)
    return 0;
  lua_settop(L, 1);
  task_cancel(L);
  lua_settop(L, 1);
  if (!s->run.engine) /* no run is under way */
    return drive_to_end(L, s, task);
  if (!s->run.running)
    return 0; /* in a handler, or in a killed task: the cancel must do */
  if (!lua_isyieldable(L) || L != s->run.co)
    return 0; /* L cannot await here: the cancel must do */
  aw_task_park(s->run.running->task, s->run.running);
  return awl_join(L, s->run.running, task, after_task_join);
}

/* ---- fields ---- */

static void push_age(lua_State *L, const aw_task *task) {
  aw_loop *loop = aw_task_loop(task);
  if (!loop) {
    lua_pushnil(L);
    return;
  }
  uint64_t now = aw_engine_now(aw_loop_engine(loop));
  lua_pushnumber(L, awl_seconds(now - aw_task_started(task)));
}

/* Push the field `name`; a name that the user gave is not cut. */
static void push_task_field_name(lua_State *L, awl_state *s,
                                 const aw_task *task) {
  const char *name = aw_task_name(task);
  if (name)
    lua_pushstring(L, name);
  else
    awl_push_plain_name(L, s, task);
}

static bool push_field(lua_State *L, awl_state *s, aw_task *task,
                       const char *key) {
  if (strcmp(key, "status") == 0)
    lua_pushstring(L, task_state_name(s, task));
  else if (strcmp(key, "name") == 0)
    push_task_field_name(L, s, task);
  else if (strcmp(key, "id") == 0)
    lua_pushinteger(L, (lua_Integer)aw_task_id(task));
  else if (strcmp(key, "started_at") == 0)
    lua_pushstring(L, aw_task_where(task));
  else if (strcmp(key, "waiting") == 0)
    awl_push_label(L, s, task);
  else if (strcmp(key, "steps") == 0)
    lua_pushinteger(L, aw_task_steps(task));
  else if (strcmp(key, "background") == 0)
    lua_pushboolean(L, aw_task_background(task));
  else if (strcmp(key, "age") == 0)
    push_age(L, task);
  else
    return false;
  return true;
}

static int task_index(lua_State *L) {
  if (awl_push_method(L)) /* which checks its own arguments */
    return 1;
  awl_state *s = awl_of(L);
  aw_task *task = awl_check_task(L, s, 1);
  const char *key = lua_type(L, 2) == LUA_TSTRING ? lua_tostring(L, 2) : "";
  return push_field(L, s, task, key);
}

static int task_newindex(lua_State *L) {
  awl_show_key(L, awl_of(L), 2);
  return awl_error(L, "a task's fields are read only (cannot set '%s')",
                   lua_tostring(L, -1));
}

static int task_tostring(lua_State *L) {
  awl_state *s = awl_of(L);
  if (awl_is(L, s, 1, AWL_TASK) &&
      !((awl_task_handle *)lua_touserdata(L, 1))->task) {
    lua_pushliteral(L, "task (finalized)");
    return 1;
  }
  aw_task *task = awl_check_task(L, s, 1);
  const char *name = awl_push_task_name(L, s, task);
  awl_push_label(L, s, task);
  if (lua_isnil(L, -1))
    lua_pushfstring(L, "%s (%s)", name, task_state_name(s, task));
  else
    lua_pushfstring(L, "%s (%s: %s)", name, task_state_name(s, task),
                    lua_tostring(L, -1));
  return 1;
}

static int task_gc(lua_State *L) {
  awl_state *s = lua_touserdata(L, lua_upvalueindex(1));
  awl_task_handle *ud = lua_touserdata(L, 1);
  if (ud->task) {
    awl_kept_task_goes(L, s, ud->task);
    awl_forget_task(s, ud);
  } else if (ud->locals) { /* the task was not started */
    awl_drop(s, ud->locals);
  }
  awl_strike_object(s, AWL_RESOURCE_TASK, ud->resource);
  aw_task_release(ud->task);
  ud->task = NULL;
  ud->locals = 0;
  return 0;
}

static void release_task(void *thing) {
  aw_task_release(thing);
}

void awl_open_task(lua_State *L, awl_state *s) {
  static const luaL_Reg methods[] = {{"wait", task_wait},
                                     {"cancel", task_cancel},
                                     {"cancel_wait", task_cancel_wait},
                                     {"results", task_results},
                                     {"traceback", task_traceback},
                                     {"close", task_close},
                                     {NULL, NULL}};
  static const luaL_Reg meta[] = {
      {"__index", task_index},       {"__newindex", task_newindex},
      {"__tostring", task_tostring}, {"__gc", task_gc},
      {"__close", task_close},       {NULL, NULL}};
  awl_new_class(L, s, AWL_TASK, "aiowire.Task", methods, meta);
  awl_set_release(s, AWL_RESOURCE_TASK, release_task);
  awl_set_task_show(s);
  lua_pop(L, 1);
}
