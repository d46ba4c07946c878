/* scope.c - scope, timeout, shield, pcall: protected calls that own a scope
 *
 * aw.scope([opts,] f) opens a scope, calls f(s) in the same coroutine, and
 * returns when f has ended and all children are terminal [S2]. aw.timeout and
 * aw.shield do the same with another kind of scope and without `s`. Meanwhile
 * the stack of the C function is:
 *
 *       [Scope, what f left …]
 *
 * aw.deadline reads the time limits of such scopes and of wires; aw.extend
 * moves them.
 *
 * `mode` says how a scope ends. The error of f goes to the core as the scope's
 * own, so that the first of several errors wins [E3].
 *
 * The worker lists awl_scopes, not Scopes, whose finalizers may be lost (see
 * resources.c). The structs are in blocks, which stay until the state ends: the
 * first struct of each block links it to the next block.
 *
 * Neighbours: run/report.c leaves scopes when a body ends.
 */
#include "base/arguments.h"
#include "base/classes.h"
#include "base/location.h"
#include "base/loops.h"
#include "base/values.h"
#include "errors/core_error.h"
#include "errors/errors.h"
#include "errors/raised.h"
#include "errors/timeout.h"
#include "objects/start_ready.h"
#include "objects/task.h"
#include "open.h"
#include "run/await.h"
#include "run/report.h"
#include "wire/build.h"

#include <math.h>
#include <string.h>

/* ---- making and freeing ---- */

enum { BLOCK = 32 };

static bool add_block(awl_state *s) {
  awl_scope *block = aw_allocate(BLOCK * sizeof *block);
  if (!block)
    return false;
  block->outer = s->scope_blocks;
  s->scope_blocks = block;
  for (int i = 1; i < BLOCK; i++) {
    block[i].waited = NULL;
    block[i].outer = s->free_scopes;
    s->free_scopes = &block[i];
  }
  return true;
}

/* Return a new scope, or NULL when out of memory. */
static awl_scope *new_scope(awl_state *s, awl_scope_mode mode) {
  if (!s->free_scopes && !add_block(s))
    return NULL;
  awl_scope *scope = s->free_scopes;
  s->free_scopes = scope->outer;
  memset(scope, 0, sizeof *scope);
  scope->mode = mode;
  return scope;
}

static void forget_cut(awl_scope *scope) {
  aw_cut_release(scope->waited);
  scope->waited = NULL;
}

void awl_free_scopes(awl_state *s) {
  while (s->scope_blocks) {
    awl_scope *block = s->scope_blocks;
    s->scope_blocks = block->outer;
    for (int i = 1; i < BLOCK; i++)
      forget_cut(&block[i]);
    aw_free(block);
  }
}

/* Return the awl_scope of the Scope at 1; NULL: the Scope is finalized. */
static awl_scope *scope_at_1(lua_State *L) {
  return *(awl_scope **)lua_touserdata(L, 1);
}

static awl_scope *check_scope(lua_State *L, awl_state *s) {
  if (!awl_is(L, s, 1, AWL_SCOPE))
    awl_bad_self(L, "scope");
  awl_scope *scope = scope_at_1(L);
  if (!scope || !scope->scope)
    awl_scope_left(L);
  return scope;
}

static int scope_start(lua_State *L) {
  awl_state *s = awl_of(L);
  awl_scope *scope = check_scope(L, s);
  awl_loop *loop = awl_loop_of(s, aw_task_loop(scope->task));
  return awl_start(L, s, loop, scope, 2, 1);
}

/* start(scope, wire, handler, name, where): scope:start() of the library's own
 * parts, which start a task for each connection or request: it looks for no
 * place in the source, and checks no options. `where` is a light userdata. */
static int inner_start(lua_State *L) {
  enum { WIRE = 2, NAME = 4, WHERE };
  awl_state *s = awl_of(L);
  awl_scope *scope = check_scope(L, s);
  aw_task_config config = {.name = lua_tostring(L, NAME),
                           .where = lua_touserdata(L, WHERE)};
  return awl_start_as(L, awl_loop_of(s, aw_task_loop(scope->task)), scope, WIRE,
                      &config);
}

static int scope_start_ready(lua_State *L) {
  awl_state *s = awl_of(L);
  awl_scope *scope = check_scope(L, s);
  awl_loop *loop = awl_loop_of(s, aw_task_loop(scope->task));
  return awl_start_ready(L, s, loop, scope, "scope:start_ready");
}

static int scope_cancel(lua_State *L) {
  awl_state *s = awl_of(L);
  awl_scope *scope = check_scope(L, s);
  lua_settop(L, 2);
  awl_new_cancelled(L, s, "scope");
  check_scope(L, s); /* a finalizer may have run the scope's task to its end */
  aw_value reason = awl_hold(L, awl_loop_of(s, aw_task_loop(scope->task)));
  if (scope->scope)
    aw_scope_cancel(scope->scope, reason, AW_DEFAULT);
  else
    awl_drop(s, reason);
  return 0;
}

/* ---- limits ---- */

/* Read the seconds at `arg`. They must be finite: a limit can be moved, but not
 * removed. */
static uint64_t check_span(lua_State *L, int arg) {
  uint64_t ns = awl_check_ns(L, arg);
  if (lua_tonumber(L, arg) == HUGE_VAL)
    aw_lua_arg_error(L, arg, "seconds must be finite");
  return ns < AW_DEFAULT ? ns : AW_DEFAULT - 1;
}

/* Raise why the limit of `what` was not moved. */
static int refuse_extend(lua_State *L, int rc, const char *what) {
  switch (rc) {
  case AW_EINVAL: return awl_error(L, "%s has no time limit to extend", what);
  case AW_ETIMEOUT:
    return awl_error(L, "too late to extend: the time of %s is over", what);
  default: return awl_error(L, "too late to extend: %s is cancelled", what);
  }
}

static int scope_extend(lua_State *L) {
  const awl_scope *scope = check_scope(L, awl_of(L));
  uint64_t ns = check_span(L, 2);
  int rc = aw_scope_extend(scope->scope, ns);
  return rc < 0 ? refuse_extend(L, rc, "this scope") : 0;
}

static aw_task *limited_task(awl_state *s) {
  return s->in_handler ? NULL : awl_running_task(s);
}

/* The limit of aw_lua_main_with() belongs to the caller of the program: if the
 * task has moved it, which `before` tells, move it back. */
static bool put_limit_back(const awl_state *s, uint64_t before) {
  aw_loop *loop = s->fixed.loop;
  if (!loop || aw_loop_timeout(loop) == before)
    return false;
  uint64_t now = aw_engine_now(aw_loop_engine(loop));
  aw_scope_extend(aw_loop_scope(loop),
                  s->fixed.at > now ? s->fixed.at - now : 0);
  return true;
}

/* aw.extend(seconds) */
static int m_extend(lua_State *L) {
  uint64_t ns = check_span(L, 1);
  awl_state *s = awl_of(L);
  aw_task *task = limited_task(s);
  if (!task)
    return awl_error(L, "aw.extend needs a running task");
  uint64_t before = s->fixed.loop ? aw_loop_timeout(s->fixed.loop) : 0;
  int rc = aw_task_extend(task, ns);
  if (rc < 0)
    return refuse_extend(L, rc, "this task");
  if (put_limit_back(s, before))
    return awl_error(L, "cannot move the time limit of the program");
  return 0;
}

/* aw.deadline() */
static int m_deadline(lua_State *L) {
  const aw_task *task = limited_task(awl_of(L));
  uint64_t at = task ? aw_task_deadline(task) : AW_NEVER;
  if (at == AW_NEVER)
    lua_pushnil(L);
  else
    lua_pushnumber(L, awl_seconds(at));
  return 1;
}

/* Leave the scope: a coroutine that the user closed has not left its Scopes. */
static int scope_gc(lua_State *L) {
  awl_state *s = lua_touserdata(L, lua_upvalueindex(1));
  awl_scope **box = lua_touserdata(L, 1);
  awl_scope *scope = *box;
  *box = NULL;
  awl_leave_scope(scope);
  forget_cut(scope);
  scope->outer = s->free_scopes;
  s->free_scopes = scope;
  return 0;
}

static int scope_tostring(lua_State *L) {
  const awl_scope *scope = scope_at_1(L);
  bool open = scope && scope->scope;
  lua_pushfstring(L, "scope (%s)", open ? "open" : "left");
  return 1;
}

/* ---- leaving ---- */

/* The scope was cut short by its own cancel, which it absorbs [S3, C5]. */
static int cut_off(lua_State *L, awl_scope *scope, const aw_scope_end *end) {
  awl_state *s = awl_of(L);
  if (scope->mode == AWL_MODE_TIMEOUT && end->timed_out) {
    uint64_t ns = scope->ns + end->moved;
    awl_push_timeout(L, awl_seconds(ns), scope->waited);
    forget_cut(scope);
    return lua_error(L);
  }
  forget_cut(scope);
  lua_pushnil(L);
  lua_pushliteral(L, "cancelled");
  if (end->timed_out) {
    lua_pushliteral(L, "timeout");
    return 3;
  }
  awl_push_value(L, s, end->reason);
  if (awl_is_cancelled(L, s, -1)) {
    lua_getfield(L, -1, "reason");
    lua_remove(L, -2);
  }
  return 3;
}

/* The scope is empty: close it, and return or raise its outcome. The scope was
 * cut short if a cancel went through f, or ended a child. Otherwise the results
 * of f count, cancelled or not [T7]. */
static int close_scope(lua_State *L, awl_worker *w) {
  awl_state *s = w->state;
  awl_scope *scope = scope_at_1(L);
  aw_scope_end end;
  aw_scope_close(w->task, &end);
  awl_leave_scope(scope);
  scope->waited = aw_cut_keep(end.waited);
  if (end.error) {
    forget_cut(scope);
    awl_drop(s, end.reason);
    return awl_raise(L, w, end.error);
  }
  bool own = end.cancelled && !end.outer;
  int results = lua_gettop(L) - 1;
  if (end.cut && own)
    results = cut_off(L, scope, &end);
  forget_cut(scope);
  awl_drop(s, end.reason);
  if (!end.cut || own)
    return results;
  if (scope->status == LUA_OK)
    awl_push_cancelled(L, s, w->task);
  return lua_error(L); /* Cancelled goes on */
}

static int after_scope_join(lua_State *L, awl_worker *w) {
  return close_scope(L, w);
}

/* f has ended with `status`. A scope must be left in the body that opened it,
 * and the innermost first: a generator that yields inside a scope can break
 * this rule. */
static int leave_body(lua_State *L, awl_worker *w, int status) {
  awl_state *s = w->state;
  awl_scope *scope = scope_at_1(L);
  if (s->run.running != w || w->scopes != scope || !scope->scope)
    return awl_error(L, "a scope must be left in the task that opened it, the "
                        "innermost first (coroutine.yield inside aw.scope?)");
  scope->status = status;
  bool cancelled = status != LUA_OK && awl_is_cancelled(L, s, -1) &&
                   !awl_put_first_error(L, w);
  aw_error *error = NULL;
  if (status != LUA_OK && !cancelled) {
    lua_pushvalue(L, -1);
    error = awl_make_error(L, s, w);
  }
  aw_task_park(w->task, w);
  if (aw_scope_leave(w->task, error, cancelled) != 0)
    return awl_wait(L, w, 0, after_scope_join);
  if (awl_at_once(w) || aw_await_join(w->task) < 0)
    return close_scope(L, w);
  /* other tasks get a turn first [F3] */
  return awl_wait(L, w, 0, after_scope_join);
}

static int after_body(lua_State *L, int status, lua_KContext context) {
  awl_worker *w = (awl_worker *)context;
  lua_remove(L, 2); /* the message handler */
  return leave_body(L, w, status == LUA_YIELD ? LUA_OK : status);
}

/* ---- opening ---- */

/* f and `*count` arguments are on top. Make the stack [Scope, handler, f,
 * arguments]. For aw.scope, the Scope becomes the first argument of f. */
static awl_scope *push_call_frame(lua_State *L, awl_state *s,
                                  awl_scope_mode mode, int *count) {
  int f = lua_gettop(L) - *count;
  awl_scope **box = lua_newuserdatauv(L, sizeof(awl_scope *), 0);
  awl_scope *scope = *box = new_scope(s, mode);
  if (!scope)
    awl_error(L, "not enough memory");
  awl_push_class(L, s, AWL_SCOPE);
  lua_setmetatable(L, -2);
  awl_push_slot(L, s, AWL_HANDLER);
  if (mode == AWL_MODE_SCOPE) {
    lua_pushvalue(L, -2);
    lua_insert(L, f + 1);
    ++*count;
  }
  lua_insert(L, f); /* [.., handler, f, arguments, Scope] */
  if (f == 1)
    lua_insert(L, 1);
  else
    lua_replace(L, f - 1);
  for (; f > 2; f--)
    lua_remove(L, 1);
  return scope;
}

/* f and `count` arguments are on top: open a scope and call f in it. */
static int call_in_scope(lua_State *L, awl_worker *w, int count,
                         awl_scope_mode mode, const aw_scope_config *config,
                         uint64_t ns) {
  awl_scope *scope = push_call_frame(L, w->state, mode, &count);
  int rc = aw_scope_open(w->task, config, &scope->scope);
  if (rc < 0)
    return awl_error(L, "%s", aw_strerror(rc));
  scope->task = w->task;
  scope->worker = w;
  scope->outer = w->scopes;
  scope->ns = ns;
  w->scopes = scope;
  int status =
      lua_pcallk(L, count, LUA_MULTRET, 2, (lua_KContext)w, after_body);
  return after_body(L, status == LUA_OK ? LUA_YIELD : status, (lua_KContext)w);
}

static uint64_t deadline_of(const awl_state *s, uint64_t ns) {
  if (ns == AW_NEVER)
    return AW_NEVER;
  return aw_engine_now(s->run.engine->core) + ns;
}

static void check_scope_function(lua_State *L, int arg) {
  if (!awl_callable(L, arg))
    aw_lua_type_error(L, arg, "function");
}

/* aw.scope([opts,] f) */
static int act_scope(lua_State *L) {
  static const char *const known[] = {"timeout", "grace", "name", NULL};
  awl_state *s = awl_of(L);
  uint64_t timeout = AW_NEVER, grace = AW_DEFAULT;
  int f = 1;
  if (lua_istable(L, 1) && (lua_gettop(L) > 1 || !awl_callable(L, 1))) {
    f = 2;
    aw_lua_check_options(L, 1, known, false);
    timeout = aw_lua_opt_ns(L, 1, "timeout", AW_NEVER);
    grace = aw_lua_opt_ns(L, 1, "grace", AW_DEFAULT);
    /* checked, but not shown anywhere yet */
    int type = lua_getfield(L, 1, "name");
    if (type != LUA_TNIL && type != LUA_TSTRING)
      return aw_lua_bad_option(L, "name", "string");
  }
  check_scope_function(L, f);
  aw_lua_arg_check(L, !lua_istable(L, f + 1), f + 1,
                   "options come before the function");
  lua_settop(L, f);
  awl_worker *w = awl_awaiter(L, s, "scope");
  aw_scope_config config = {.deadline = deadline_of(s, timeout),
                            .grace = grace};
  return call_in_scope(L, w, 0, AWL_MODE_SCOPE, &config, timeout);
}

/* aw.timeout(s, f, ...) */
static int act_timeout(lua_State *L) {
  awl_state *s = awl_of(L);
  uint64_t ns = awl_check_ns(L, 1);
  check_scope_function(L, 2);
  awl_worker *w = awl_awaiter(L, s, "timeout");
  aw_scope_config config = {.deadline = deadline_of(s, ns),
                            .grace = AW_DEFAULT};
  return call_in_scope(L, w, lua_gettop(L) - 2, AWL_MODE_TIMEOUT, &config, ns);
}

/* aw.shield(f [, grace]) */
static int act_shield(lua_State *L) {
  awl_state *s = awl_of(L);
  check_scope_function(L, 1);
  uint64_t grace = lua_isnoneornil(L, 2) ? AW_DEFAULT : awl_check_ns(L, 2);
  lua_settop(L, 1);
  awl_worker *w = awl_awaiter(L, s, "shield");
  if (grace == AW_DEFAULT)
    grace = aw_loop_grace(aw_task_loop(w->task));
  aw_scope_config config = {
      .deadline = deadline_of(s, grace), .grace = AW_DEFAULT, .shield = true};
  return call_in_scope(L, w, 0, AWL_MODE_SHIELD, &config, grace);
}

/* ---- pcall that lets Cancelled through [C13] ---- */

static int after_pcall(lua_State *L, int status, lua_KContext context) {
  (void)context;
  awl_state *s = awl_of(L);
  if (status == LUA_OK || status == LUA_YIELD) {
    lua_pushboolean(L, true);
    lua_insert(L, 1);
    return lua_gettop(L);
  }
  if (awl_is_cancelled(L, s, -1))
    return lua_error(L);
  lua_pushboolean(L, false);
  lua_insert(L, -2);
  return 2;
}

static int act_pcall(lua_State *L) {
  aw_lua_check_any(L, 1);
  int status = lua_pcallk(L, lua_gettop(L) - 1, LUA_MULTRET, 0, 0, after_pcall);
  return after_pcall(L, status, 0);
}

/* Register the functions in the module's table, on top. */
void awl_open_scope(lua_State *L, awl_state *s) {
  static const luaL_Reg methods[] = {{"start", scope_start},
                                     {"start_ready", scope_start_ready},
                                     {"cancel", scope_cancel},
                                     {"extend", scope_extend},
                                     {NULL, NULL}};
  static const luaL_Reg meta[] = {
      {"__tostring", scope_tostring}, {"__gc", scope_gc}, {NULL, NULL}};
  static const luaL_Reg functions[] = {
      {"scope", act_scope}, {"timeout", act_timeout}, {"shield", act_shield},
      {"pcall", act_pcall}, {"deadline", m_deadline}, {"extend", m_extend},
      {NULL, NULL}};
  static const luaL_Reg inner[] = {{"start", inner_start}, {NULL, NULL}};
  awl_new_class(L, s, AWL_SCOPE, "aiowire.Scope", methods, meta);
  lua_pop(L, 1);
  awl_register(L, s, functions);
  lua_pushvalue(L, -2);
  awl_register_inner(L, s, inner);
  lua_pop(L, 1);
}
