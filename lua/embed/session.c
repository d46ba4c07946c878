/* session.c - sessions: a program runs one function after the other as tasks of
 * one EventLoop, which it drives until each of them has ended
 *
 *     open ── call ── wait ── call ── … ── close
 *               │       │
 *               └───────┴─ awl_session_drive() ── awl_drive(until a task ends)
 *
 * The loop is begun once, and runs until the session ends: a hidden task keeps
 * it open (session_wait.c). Between two calls nobody drives the loop. What
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
 * Out of memory, the core may fail the loop nevertheless. Then the next call or
 * wait makes another one, with another EventLoop.
 *
 * Neighbours: signals/signals.c counts SIGINT apart for a session; start.c is
 * for states on an engine of the program.
 */
#include "embed/session.h"

#include "base/engine.h"
#include "base/location.h"
#include "base/loops.h"
#include "base/parts.h"
#include "base/resources.h"
#include "base/tasks.h"
#include "base/values.h"
#include "embed/config.h"
#include "embed/hub.h"
#include "errors/core_error.h"
#include "errors/errors.h"
#include "objects/loop.h"
#include "objects/task.h"
#include "run/debug_hooks.h"
#include "run/driver.h"
#include "run/loop_run.h"
#include "signals/signals.h"
#include "wire/build.h"

#include <stdlib.h>
#include <string.h>

/* the addresses are the registry keys of the thread with results, and of the
 * EventLoop */
static const char RESULTS_KEY = 'r', LOOP_KEY = 'l';

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

static int text_of_error(lua_State *L) {
  luaL_tolstring(L, 1, NULL);
  return 1;
}

/* Warn of the error on top (popped). */
static void warn_of_failed(lua_State *L) {
  lua_pushcfunction(L, text_of_error);
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

/* ---- the loop ---- */

/* (light session): make the loop, and begin its run. */
static int make_session_loop(lua_State *L) {
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

static bool has_loop(const aw_lua_session *session) {
  const awl_loop *loop = session->base.loop;
  return loop && loop->core && aw_loop_state_of(loop->core) == AW_LOOP_RUNNING;
}

/* ---- driving ---- */

/* (code of aw_next(), or 0: there are too many results) */
static int raise_failure(lua_State *L) {
  int rc = (int)lua_tointeger(L, 1);
  return rc < 0 ? aw_lua_system_error(L, rc, "run", "the event loop")
                : luaL_error(L, "too many results");
}

/* Push the error, and nil. */
static int fail_without_task(lua_State *L, int rc, int *code) {
  lua_pushcfunction(L, raise_failure);
  lua_pushinteger(L, rc);
  (void)lua_pcall(L, 1, 0, 0);
  lua_pushnil(L);
  *code = 1;
  return AW_LUA_ERROR;
}

/* Has something ended the session? Returns AW_LUA_OK, or how. */
static int end_of_session(const aw_lua_session *session, int *code) {
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
  int end = end_of_session(session, code);
  if (rc >= 0 && end != AW_LUA_OK && has_loop(session)) {
    session->waiting = session->base.ready = false;
    rc = drive_hooked(session, L, NULL);
    end = end_of_session(session, code); /* another signal may have come */
  }
  session->over = session->over || end != AW_LUA_OK;
  return rc < 0 ? fail_without_task(L, rc, code) : end;
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
  if (!has_loop(session)) {
    lua_pushcfunction(L, make_session_loop);
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
  const aw_lua_session *session = of_base(s->session);
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
  lua_pushcfunction(L, text_of_error);
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
  return fail_without_task(L, 0, code);
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
  static const char *const keys[] = {&RESULTS_KEY, &LOOP_KEY};
  for (int i = 0; i < 2; i++) {
    lua_pushnil(L);
    lua_rawsetp(L, LUA_REGISTRYINDEX, keys[i]);
  }
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
  session->base = (awl_session){.state = s,
                                .signalled = cancel_call,
                                .stop = stop_tasks,
                                .calls = calls,
                                .failed = failed,
                                .blocked = blocked};
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
  lua_pushcfunction(L, make_session_loop);
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
  if (has_loop(session))
    (void)aw_engine_end_loops(session->base.loop->engine->core, &how);
}

static int end_of_close(aw_lua_session *session, lua_State *L, int *code) {
  const awl_loop *loop = session->base.loop;
  aw_error *error = loop->core ? aw_loop_error(loop->core) : NULL;
  int end = end_of_session(session, code);
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
  if (has_loop(session)) {
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
  aw_lua_session *session = of_base(s->session);
  if (session->busy) {
    give_signals_back(s);
    return;
  }
  end_now(session);
  free_session(session);
}
