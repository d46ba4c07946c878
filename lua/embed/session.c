/* session.c - sessions: a program runs one function after the other as tasks of
 * one EventLoop, which it drives until each of them has ended
 *
 *     open ── call ── wait ── call ── … ── close
 *               │       │
 *               └───────┴─ awl_session_drive() ── awl_drive(until a task ends)
 *
 * The loop is begun once, and runs until the session ends: a hidden task keeps
 * it open (session_waiters.c). Between two calls nobody drives the loop. What
 * would end another loop does not end that one; the driver asks the functions
 * of awl_session instead:
 *
 *     signalled   SIGINT cancels the task of the call or of the wait; other
 *                 signals stop the loop
 *     failed      a failure without a handler is told to the program
 *     blocked     a deadlock cancels the call
 *     stop        ev:stop() cancels the tasks
 *
 * How a call ends is decided when its task has ended, in end_of_call(): by the
 * end of the session, a deadlock, an interrupt, or the end of the task.
 *
 * This file opens and closes a session, and makes its calls. session_drive.c
 * has the loop and what the driver asks, session_wait.c the waits.
 *
 * Neighbours: signals/signals.c counts SIGINT apart for a session; start.c is
 * for states on an engine of the program.
 */
#include "embed/session.h"

#include "base/location.h"
#include "base/loops.h"
#include "base/tasks.h"
#include "base/values.h"
#include "embed/config.h"
#include "embed/hub.h"
#include "errors/core_error.h"
#include "objects/task.h"
#include "run/debug_hooks.h"
#include "signals/signals.h"
#include "wire/build.h"

#include <stdlib.h>
#include <string.h>

/* Its address is the registry key of the thread with results. */
static const char RESULTS_KEY = 'r';

/* ---- calls ---- */

/* Keep the locals of the task that has called a function for the next one. */
static void keep_locals(lua_State *L, awl_state *s) {
  aw_value locals = aw_task_locals(awl_running_task(s));
  awl_push_value(L, s, locals);
  lua_xmove(L, s->util, 1);
  lua_replace(s->util, AWL_LOCALS);
}

/* (results…): move them to where the session finds them. A body that returned
 * a wire would run it. */
static int after_function(lua_State *L, int status, lua_KContext context) {
  (void)status;
  (void)context;
  awl_state *s = awl_open(L);
  const aw_lua_session *session = (aw_lua_session *)s->session;
  if (awl_running_task(s) != session->call)
    return 0; /* the engine has failed in the middle of that call */
  lua_State *results = session->results;
  keep_locals(L, s);
  int count = lua_gettop(L);
  lua_settop(results, 0);
  if (!lua_checkstack(results, count))
    return luaL_error(L, "too many results");
  lua_xmove(L, results, count);
  return 0;
}

/* (f, …): the body of a call. In C, since errors must blame no line of the
 * library, and debug hooks must see none. */
static int call_in_session(lua_State *L) {
  awl_hooks_main_chunk(awl_open(L));
  lua_callk(L, lua_gettop(L) - 1, LUA_MULTRET, 0, after_function);
  return after_function(L, LUA_OK, 0);
}

/* (light session, f, …): start the task of a call. */
static int start_call(lua_State *L) {
  enum { F = 2 };
  aw_lua_session *session = lua_touserdata(L, 1);
  awl_state *s = session->base.state;
  int count = lua_gettop(L) - F;
  lua_pushcfunction(L, call_in_session);
  lua_insert(L, F);
  awl_push_call_as(L, s, count + 1, session->name);
  lua_pushnil(L); /* no handler */
  aw_task_config config = {.name = session->name};
  awl_start_as(L, session->base.loop, NULL, F, &config);
  session->call = aw_task_keep(awl_check_task(L, s, lua_gettop(L)));
  aw_task_watch(session->call);
  return 0;
}

/* An interrupted body fails with the error of the hook, before its task can be
 * cancelled. The error may have come through other tasks. */
static bool was_interrupted(const aw_lua_session *session, lua_State *L,
                            int error) {
  if (awl_signals_interrupts(session->base.state) == 0)
    return false;
  lua_pushcfunction(L, awl_session_error_text);
  lua_pushvalue(L, error);
  bool made = lua_pcall(L, 1, 1, 0) == LUA_OK;
  bool interrupted = made && strstr(lua_tostring(L, -1), "interrupted!");
  lua_pop(L, 1);
  return interrupted;
}

/* (light session, light error) → error, info */
static int push_call_failure(lua_State *L) {
  aw_lua_session *session = lua_touserdata(L, 1);
  aw_error *error = lua_touserdata(L, 2);
  awl_state *s = session->base.state;
  lua_settop(L, 0);
  awl_push_error(L, s, session->base.loop, error);
  awl_push_info(L, s, error, NULL);
  return 2;
}

/* Push the error and its info. */
static int fail_with(aw_lua_session *session, lua_State *L, aw_error *error,
                     int *code) {
  enum { FAILED = 1, DEADLOCKED = 13 };
  lua_pushcfunction(L, push_call_failure);
  lua_pushlightuserdata(L, session);
  lua_pushlightuserdata(L, error);
  if (lua_pcall(L, 2, 2, 0) != LUA_OK)
    lua_pushnil(L);
  bool deadlocked =
      awl_is(L, session->base.state, lua_gettop(L) - 1, AWL_DEADLOCK);
  *code = deadlocked || session->deadlock ? DEADLOCKED : FAILED;
  return AW_LUA_ERROR;
}

static int fail_call(aw_lua_session *session, lua_State *L, int *code) {
  fail_with(session, L, aw_task_error(session->call), code);
  if (!was_interrupted(session, L, lua_gettop(L) - 1))
    return AW_LUA_ERROR;
  lua_pop(L, 2);
  return AW_LUA_CANCELLED;
}

static int give_call_results(const aw_lua_session *session, lua_State *L,
                             int *code) {
  int count = lua_gettop(session->results);
  *code = 0;
  if (lua_checkstack(L, count)) {
    lua_xmove(session->results, L, count);
    return AW_LUA_OK;
  }
  lua_settop(session->results, 0);
  return awl_session_fail(L, 0, code);
}

/* The task of the call has ended, and the session goes on. */
static int end_of_call(aw_lua_session *session, lua_State *L, int *code) {
  aw_error *loop_error = aw_loop_error(session->base.loop->core);
  if (session->deadlock)
    return fail_with(session, L, session->deadlock, code);
  switch (aw_task_state_of(session->call)) {
  case AW_TASK_DONE: return give_call_results(session, L, code);
  case AW_TASK_FAILED: return fail_call(session, L, code);
  default:
    return loop_error ? fail_with(session, L, loop_error, code)
                      : AW_LUA_CANCELLED;
  }
}

/* If the engine has failed, the task is still there. */
static void leave_call(aw_lua_session *session) {
  if (session->call)
    aw_task_cancel(session->call, 0, 0);
  lua_settop(session->results, 0);
  aw_error_release(session->deadlock);
  session->deadlock = NULL;
  aw_task_release(session->call);
  session->call = NULL;
  awl_session_leave(session);
}

int aw_lua_session_call(aw_lua_session *session, lua_State *L, int nargs,
                        int *code) {
  int f = lua_gettop(L) - nargs;
  if (nargs < 0 || f < 1)
    return awl_error(L, "a session calls a function, and there is none");
  if (awl_session_enter(session, L, "call", code)) {
    lua_settop(L, f - 1);
    return awl_session_turn_back(session, L, code);
  }
  lua_pushcfunction(L, start_call);
  lua_insert(L, f);
  lua_pushlightuserdata(L, session);
  lua_insert(L, f + 1);
  if (lua_pcall(L, nargs + 2, 0, 0) != LUA_OK) {
    leave_call(session);
    lua_pushnil(L);
    *code = 1;
    return AW_LUA_ERROR;
  }
  int end = awl_session_drive(session, L, session->call, code);
  if (end == AW_LUA_OK)
    end = end_of_call(session, L, code);
  leave_call(session);
  return end;
}

/* ---- opening ---- */

static void give_signals_back(awl_state *s) {
  if (s->holds_signals)
    awl_signals_release(s);
}

static void free_session(aw_lua_session *session) {
  awl_state *s = session->base.state;
  give_signals_back(s);
  s->session = NULL;
  awl_session_forget_waiters(session);
  aw_free(session->name);
  aw_free(session);
}

static void forget_anchors(lua_State *L) {
  lua_pushnil(L);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &RESULTS_KEY);
  awl_session_forget_loop(L);
}

static char *copy_name(const char *text) {
  size_t size = strlen(text) + 1;
  char *copy = aw_allocate(size);
  if (copy)
    memcpy(copy, text, size);
  return copy;
}

/* Why the state can have no session now; or NULL. */
static const char *why_refused(const awl_state *s) {
  if (s->hosted)
    return "the host program drives the engine";
  if (s->session)
    return "this state has one";
  return s->run.engine ? "something runs" : NULL;
}

static void fill_session(aw_lua_session *session, awl_state *s,
                         const aw_lua_session_config *config) {
  static const uint64_t GRACE = 5 * AW_SECOND;
  session->config = *config;
  if (config->grace == 0 || config->grace == AW_DEFAULT)
    session->config.grace = GRACE;
  session->base = (awl_session){.state = s};
  awl_session_set_answers(&session->base);
}

aw_lua_session *aw_lua_session_open(lua_State *L,
                                    const aw_lua_session_config *config) {
  const size_t least = offsetof(aw_lua_session_config, size) + sizeof(size_t);
  aw_lua_session_config read;
  if (!awl_copy_config(config, config ? config->size : 0, least, &read,
                       sizeof read))
    awl_error(L, "wrong size of an aw_lua_session_config");
  luaL_checkstack(L, LUA_MINSTACK, NULL);
  luaL_requiref(L, "aiowire", luaopen_aiowire, 0);
  lua_pop(L, 1);
  awl_state *s = awl_open(L);
  if (why_refused(s))
    awl_error(L, "cannot open a session here: %s", why_refused(s));
  lua_State *results = lua_newthread(L);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &RESULTS_KEY);
  aw_lua_session *session = aw_allocate(sizeof *session);
  char *name = copy_name(read.name ? read.name : "line");
  if (!session || !name) {
    aw_free(session);
    aw_free(name);
    awl_error(L, "not enough memory");
  }
  fill_session(session, s, &read);
  session->results = results;
  session->name = name;
  lua_pushcfunction(L, awl_session_make_loop);
  lua_pushlightuserdata(L, session);
  if (lua_pcall(L, 1, 0, 0) != LUA_OK) {
    free_session(session);
    forget_anchors(L);
    lua_error(L);
  }
  s->session = &session->base;
  s->upcalls.call = call_in_session;
  if (awl_signals_hold(s, session->base.loop->engine))
    awl_signals_ask(s);
  return session;
}

void aw_lua_session_push_loop(aw_lua_session *session, lua_State *L) {
  awl_push_loop(L, session->base.state, session->base.loop);
}

/* ---- closing ---- */

static bool is_any(void *data, const aw_loop *loop) {
  (void)data;
  (void)loop;
  return true;
}

static void end_step(void *data, const aw_step *step) {
  awl_end_step(data, step);
}

/* End the tasks of the engine without clean-up. */
static void end_now(const aw_lua_session *session) {
  aw_loop_end how = {
      .data = session->base.state, .ends = is_any, .run = end_step};
  if (awl_session_has_loop(session))
    (void)aw_engine_end_loops(session->base.loop->engine->core, &how);
}

static int end_of_close(aw_lua_session *session, lua_State *L, int *code) {
  const awl_loop *loop = session->base.loop;
  aw_error *error = loop->core ? aw_loop_error(loop->core) : NULL;
  int end = awl_session_has_ended(session, code);
  return end == AW_LUA_OK && error ? fail_with(session, L, error, code) : end;
}

int aw_lua_session_close(aw_lua_session *session, lua_State *L, int *code) {
  *code = 0;
  if (!session)
    return AW_LUA_OK;
  awl_state *s = session->base.state;
  if (session->busy || s->run.engine)
    return awl_error(L, "a session cannot be closed here: something runs");
  luaL_checkstack(L, LUA_MINSTACK, NULL);
  session->busy = session->closing = true;
  (void)awl_signals_begin_call(s);
  int end = AW_LUA_OK;
  if (awl_session_has_loop(session)) {
    aw_loop_stop(session->base.loop->core, false);
    end = awl_session_drive(session, L, NULL, code);
  }
  if (end != AW_LUA_ERROR)
    end = end_of_close(session, L, code);
  end_now(session); /* it could not be driven to its end */
  free_session(session);
  forget_anchors(L);
  return end;
}

/* A state that is closed in the middle of a run, as by os.exit(0, true), ends
 * with the process. */
void awl_end_session(awl_state *s) {
  if (!s->session)
    return;
  aw_lua_session *session = (aw_lua_session *)s->session;
  if (session->busy) {
    give_signals_back(s);
    return;
  }
  end_now(session);
  free_session(session);
}
