/* session_drive.c - the loop of a session, and how it is driven
 *
 * The driver asks the functions of awl_session what becomes of a signal, a
 * failure without a handler, a deadlock and ev:stop(): the first part of this
 * file. See session.c.
 *
 * Out of memory, the core may fail the loop nevertheless. Then the next call or
 * wait makes another one, with another EventLoop.
 *
 * Neighbours: session_waiters.c keeps the loop open; run/driver.c runs the
 * steps.
 */
#include "embed/session.h"

#include "base/engine.h"
#include "base/location.h"
#include "base/loops.h"
#include "base/parts.h"
#include "base/values.h"
#include "errors/core_error.h"
#include "errors/errors.h"
#include "objects/loop.h"
#include "run/driver.h"
#include "signals/signals.h"

/* Its address is the registry key of the EventLoop. */
static const char LOOP_KEY = 'l';

static aw_lua_session *of_base(awl_session *base) {
  return (aw_lua_session *)base;
}

/* ---- what the driver asks ---- */

/* See awl_session. */
static void cancel_call(awl_session *base) {
  aw_lua_session *session = of_base(base);
  awl_state *s = base->state;
  int number, stops = awl_signals_stops(s, &number);
  int interrupts = awl_signals_interrupts(s);
  if (stops > 0)
    aw_loop_stop(base->loop->core, stops > 1);
  if (interrupts == 0)
    return;
  if (session->call)
    aw_task_cancel(session->call, 0,
                   interrupts > 1 || session->deadlock ? 0 : AW_DEFAULT);
  else if (session->waiting)
    awl_session_end_wait(session);
  else if (session->closing)
    aw_loop_stop(base->loop->core, true);
}

/* A cancel may end the task, but not its sibling. */
static void stop_tasks(awl_session *base) {
  const aw_scope *root = aw_loop_scope(base->loop->core), *at = root;
  size_t depth = 0;
  aw_task *task = NULL;
  do {
    at = aw_scope_walk(root, at, &depth);
    if (at && depth > 1)
      continue;
    if (task && aw_task_where(task) != awl_hidden)
      aw_task_cancel(task, 0, AW_DEFAULT);
    task = at ? aw_scope_task(at) : NULL;
  } while (at);
}

static bool calls(const awl_session *base, const aw_task *task) {
  return ((const aw_lua_session *)base)->call == task;
}

typedef struct failure {
  aw_lua_session *session;
  aw_error *error;
  aw_task *task;
} failure;

/* (light failure): push the error and its info, and call `failed`. */
static int tell_failed(lua_State *L) {
  const failure *f = lua_touserdata(L, 1);
  aw_lua_session *session = f->session;
  awl_state *s = session->base.state;
  lua_settop(L, 0);
  awl_push_error(L, s, session->base.loop, f->error);
  awl_push_info(L, s, f->error, f->task);
  luaL_checkstack(L, LUA_MINSTACK, NULL);
  if (session->config.failed) {
    session->config.failed(L, session->config.data);
    return 0;
  }
  luaL_tolstring(L, 1, NULL);
  lua_warning(L, "aiowire: a task has failed: ", 1);
  lua_warning(L, lua_tostring(L, -1), 0);
  return 0;
}

int awl_session_error_text(lua_State *L) {
  luaL_tolstring(L, 1, NULL);
  return 1;
}

/* Warn of the error on top (popped). */
static void warn_of_failed(lua_State *L) {
  lua_pushcfunction(L, awl_session_error_text);
  lua_insert(L, -2);
  bool made = lua_pcall(L, 1, 1, 0) == LUA_OK;
  lua_warning(L, "aiowire: error in the function failed of a session: ", 1);
  lua_warning(L, made ? lua_tostring(L, -1) : "(no text)", 0);
  lua_pop(L, 1);
}

/* See awl_session. */
static void failed(awl_session *base, lua_State *L, aw_error *error,
                   aw_task *task) {
  failure f = {of_base(base), error, task};
  lua_pushcfunction(L, tell_failed);
  lua_pushlightuserdata(L, &f);
  if (lua_pcall(L, 1, 0, 0) == LUA_OK)
    return;
  if (base->state->exiting)
    lua_pop(L, 1);
  else
    warn_of_failed(L);
}

/* (light session) → light error: a Deadlock that shows the tree of tasks. */
static int make_deadlock(lua_State *L) {
  aw_lua_session *session = lua_touserdata(L, 1);
  awl_state *s = session->base.state;
  awl_push_embedded(L, "aiowire.dump");
  awl_push_loop(L, s, session->base.loop);
  lua_call(L, 1, 1);
  awl_push_deadlock(L, lua_tostring(L, -1));
  session->deadlock = awl_make_derived_error(L, session->base.loop, 0);
  return 0;
}

static void note_call_deadlock(aw_lua_session *session, lua_State *L) {
  lua_pushcfunction(L, make_deadlock);
  lua_pushlightuserdata(L, session);
  if (lua_pcall(L, 1, 0, 0) == LUA_OK)
    return;
  lua_pop(L, 1);
  aw_engine *engine = session->base.loop->engine->core;
  session->deadlock = aw_error_new(engine, AW_EDEADLOCK, 0);
}

/* The clean-up of a call that is cancelled already waits in vain, too. */
static bool blocked(awl_session *base, lua_State *L) {
  aw_lua_session *session = of_base(base);
  aw_task *call = session->call;
  if (!call || aw_task_overdue(call))
    return false;
  bool again = aw_task_cancelled(call);
  if (!again)
    note_call_deadlock(session, L);
  aw_task_cancel(call, 0, again ? 0 : AW_DEFAULT);
  return true;
}

void awl_session_set_answers(awl_session *base) {
  base->signalled = cancel_call;
  base->stop = stop_tasks;
  base->calls = calls;
  base->failed = failed;
  base->blocked = blocked;
}

/* ---- the loop ---- */

int awl_session_make_loop(lua_State *L) {
  aw_lua_session *session = lua_touserdata(L, 1);
  awl_state *s = session->base.state;
  int rc = aw_engine_wakeable(awl_own_engine(L, s)->core);
  if (rc < 0)
    return aw_lua_system_error(L, rc, "open", "a session");
  lua_createtable(L, 0, 2);
  lua_pushnumber(L, awl_seconds(session->config.grace));
  lua_setfield(L, -2, "grace");
  lua_pushliteral(L, "session");
  lua_setfield(L, -2, "name");
  awl_loop *loop = awl_push_loop_with(L, s);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &LOOP_KEY);
  session->base.loop = loop;
  awl_session_forget_waiters(session);
  if (s->background > 0)
    s->upcalls.start_background(L, s, loop);
  (void)awl_loop_anchor(L, loop);
  rc = awl_session_keep_open(session);
  if (rc == 0)
    rc = aw_loop_begin(loop->core, AW_NEVER);
  awl_loop_let_go(s, loop->core);
  return rc < 0 ? awl_error(L, "not enough memory") : 0;
}

bool awl_session_has_loop(const aw_lua_session *session) {
  const awl_loop *loop = session->base.loop;
  return loop && loop->core && aw_loop_state_of(loop->core) == AW_LOOP_RUNNING;
}

void awl_session_forget_loop(lua_State *L) {
  lua_pushnil(L);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &LOOP_KEY);
}

/* ---- driving ---- */

/* (rc) */
static int raise_failure(lua_State *L) {
  int rc = (int)lua_tointeger(L, 1);
  return rc < 0 ? aw_lua_system_error(L, rc, "run", "the event loop")
                : luaL_error(L, "too many results");
}

int awl_session_fail(lua_State *L, int rc, int *code) {
  lua_pushcfunction(L, raise_failure);
  lua_pushinteger(L, rc);
  (void)lua_pcall(L, 1, 0, 0);
  lua_pushnil(L);
  *code = 1;
  return AW_LUA_ERROR;
}

int awl_session_has_ended(const aw_lua_session *session, int *code) {
  const awl_state *s = session->base.state;
  if (awl_signals_stops(s, code) > 0)
    return AW_LUA_SIGNAL;
  if (!s->exiting)
    return AW_LUA_OK;
  *code = s->exit_code;
  return AW_LUA_EXIT;
}

static awl_hook hook_of_thread(lua_State *L) {
  return (awl_hook){lua_gethook(L), lua_gethookmask(L), lua_gethookcount(L)};
}

/* A hook that the function of a call sets is for later calls, too, and not for
 * what the program does in between. awl_drive(), with that hook in L. */
static int drive_hooked(aw_lua_session *session, lua_State *L, aw_task *until) {
  awl_state *s = session->base.state;
  awl_hook own = hook_of_thread(L);
  const awl_hook *kept = &session->hook;
  if (!own.call && kept->call)
    lua_sethook(L, kept->call, kept->mask, kept->count);
  int rc = awl_drive(L, s, session->base.loop, until, AW_NEVER);
  if (!own.call)
    session->hook = hook_of_thread(L);
  if (lua_gethook(L) || own.call)
    lua_sethook(L, own.call, own.mask, own.count);
  return rc;
}

int awl_session_drive(aw_lua_session *session, lua_State *L, aw_task *until,
                      int *code) {
  int rc = drive_hooked(session, L, until);
  int end = awl_session_has_ended(session, code);
  if (rc >= 0 && end != AW_LUA_OK && awl_session_has_loop(session)) {
    session->waiting = session->base.ready = false;
    rc = drive_hooked(session, L, NULL);
    end =
        awl_session_has_ended(session, code); /* another signal may have come */
  }
  session->over = session->over || end != AW_LUA_OK;
  return rc < 0 ? awl_session_fail(L, rc, code) : end;
}

bool awl_session_enter(aw_lua_session *session, lua_State *L, const char *what,
                       int *code) {
  awl_state *s = session->base.state;
  if (session->busy || s->run.engine)
    awl_error(L, "a session cannot %s here: something runs", what);
  if (session->over)
    awl_error(L, "this session has ended (%s)",
              s->exiting ? "os.exit" : "a signal");
  luaL_checkstack(L, LUA_MINSTACK, NULL);
  if (!awl_session_has_loop(session)) {
    lua_pushcfunction(L, awl_session_make_loop);
    lua_pushlightuserdata(L, session);
    lua_call(L, 1, 0);
  }
  session->busy = true;
  *code = 0;
  int number;
  bool interrupted = awl_signals_begin_call(s);
  return interrupted || awl_signals_stops(s, &number) > 0;
}

int awl_session_turn_back(aw_lua_session *session, lua_State *L, int *code) {
  int end = AW_LUA_CANCELLED;
  if (awl_signals_stops(session->base.state, code) > 0) {
    cancel_call(&session->base);
    end = awl_session_drive(session, L, NULL, code);
  }
  awl_session_leave(session);
  return end;
}

void awl_session_leave(aw_lua_session *session) {
  awl_signals_end_call(session->base.state);
  session->busy = false;
}
