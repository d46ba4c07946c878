/* report.c - reports to the core what a body returned or raised
 *
 * The leaf decides what a returned value means: results, the next wire of the
 * task, or nothing. A report ends the step: after the report the task may be
 * over and the body forgotten. So all code that may raise runs before the
 * report. If such code raises, the worker is buried, and its task fails with
 * that error.
 *
 * Neighbours: worker.c calls bodies and comes here when they have ended.
 */
#include "run/report.h"

#include "base/location.h"
#include "base/loops.h"
#include "base/memory_pressure.h"
#include "base/show_value.h"
#include "base/values.h"
#include "errors/core_error.h"
#include "errors/errors.h"
#include "errors/mistake.h"
#include "errors/raised.h"
#include "run/await.h"
#include "wire/build.h"
#include "wire/convert.h"

#include <string.h>

/* ---- the end of a body ---- */

static void drop_handled(awl_worker *w) {
  if (!w->handled)
    return;
  aw_error_release(w->handled);
  w->handled = NULL;
}

void awl_leave_scope(awl_scope *scope) {
  if (!scope->worker)
    return;
  awl_scope **place = &scope->worker->scopes;
  while (*place != scope)
    place = &(*place)->outer;
  *place = scope->outer;
  awl_drop_raised(scope->worker, &scope->raised);
  scope->worker = NULL;
  scope->scope = NULL;
}

static void leave_scopes(awl_worker *w) {
  while (w->scopes)
    awl_leave_scope(w->scopes);
}

void awl_clear_body(awl_worker *w) {
  leave_scopes(w);
  if (w->raised.info) /* rare, and this runs in each step */
    awl_drop_raised(w, &w->raised);
  w->unseen = false;
  w->raising = false; /* an awl_raise() out of memory leaves it set */
  awl_drop_passing(w);
  drop_handled(w);
}

/* ---- errors ---- */

/* The error that the leaf of `w` was called to handle, or that its clean-up
 * holds back. Borrowed; may be NULL. */
static aw_error *handled_by(const awl_worker *w) {
  return w->leaf->kind == AWL_LEAF_FINALLY ? aw_task_held_error(w->task)
                                           : w->handled;
}

/* No message handler has seen the error on top if it was to stay unseen. Since
 * then a child task may hold it back [D4]. */
static void name_nil_error(lua_State *L) {
  if (!lua_isnil(L, -1))
    return;
  lua_pushliteral(L, "<nil error>"); /* [E1] */
  lua_replace(L, -2);
}

static void report_error(lua_State *L, awl_worker *w) {
  awl_state *s = w->state;
  if (awl_is_cancelled(L, s, -1) && !awl_put_first_error(L, w)) {
    w->reported = true;
    aw_step_cancelled(w->task);
    return;
  }
  aw_error *error = NULL;
  if (!w->unseen && aw_step_wants_error(w->task)) {
    name_nil_error(L);
    /* may raise: the step is not reported yet */
    error = awl_make_error(L, s, w);
    aw_error *handled = handled_by(w);
    if (handled)
      error = awl_add_handled(L, w, error, handled);
  }
  w->reported = true;
  aw_step_fail(w->task, error);
}

/* ---- the next wire ---- */

/* Push the message that a body returned something else than one wire [N1]. */
static int bad_return(lua_State *L, awl_worker *w, int first, int count) {
  awl_state *s = w->state;
  int culprit = first;
  if (lua_isnil(L, first) || awl_is_wire(L, s, first))
    culprit = count > 1 ? first + 1 : first;
  awl_push_leaf_name(L, s, w->leaf, w->task);
  awl_show_value(L, s, culprit);
  lua_pushfstring(L,
                  "a body must return nothing or the next wire, got %s%s (%s)"
                  "; use aw.Value(...) for results [%s]",
                  culprit == first ? "" : "an extra ",
                  luaL_typename(L, culprit), lua_tostring(L, -1),
                  lua_tostring(L, -2));
  return 1;
}

bool awl_is_itself(lua_State *L, const awl_worker *w, int index) {
  return awl_holds(L, aw_task_innermost(w->task), index);
}

/* Return the wire for the value that a body returned (gives); NULL if it is no
 * wire. A body that returned itself gets the wire that it runs in. */
static aw_wire *next_wire(lua_State *L, awl_worker *w, int index) {
  awl_state *s = w->state;
  if (awl_is_itself(L, w, index))
    return aw_wire_keep((aw_wire *)(uintptr_t)aw_task_innermost(w->task));
  return awl_to_wire(L, s, awl_loop_of(s, aw_task_loop(w->task)), index);
}

bool awl_goes_on(lua_State *L, awl_worker *w, int index, bool at_once) {
  awl_leaf *leaf = awl_held_leaf(aw_task_innermost(w->task));
  awl_leaf *next = NULL;
  if (!leaf || !awl_is_body(w->leaf) ||
      !awl_become(L, w->task, leaf, index, at_once, &next))
    return false;
  if (next)
    w->leaf = next;
  else
    w->reported = true;
  return true;
}

static void report_nothing(awl_worker *w) {
  w->reported = true;
  aw_step_done(w->task, 0);
}

static void report_body(lua_State *L, awl_worker *w, int first) {
  int count = lua_gettop(L) - first + 1;
  bool nothing = count == 0 || (count == 1 && lua_isnil(L, first));
  if (nothing) {
    report_nothing(w);
    return;
  }
  if (count == 1 && !awl_is_itself(L, w, first) &&
      awl_goes_on(L, w, first, false))
    return;
  aw_wire *next = count == 1 ? next_wire(L, w, first) : NULL;
  if (next) {
    w->reported = true;
    aw_step_next(w->task, next);
    return;
  }
  bad_return(L, w, first, count);
  report_error(L, w);
}

/* ---- wires that nobody runs ---- */

/* "file:line" of the function that the worker's leaf calls; if unknown, of the
 * place where its task was started. */
static const char *where_of_call(lua_State *L, awl_worker *w) {
  lua_pushvalue(L, w->content);
  if (w->leaf->extra >= 0)
    lua_rawgeti(L, -1, 0);
  const char *name = awl_function_name(L, w->state, -1);
  const char *at = strchr(name, '@');
  const char *started = aw_task_where(w->task);
  return at ? at + 1 : started ? started : "?";
}

/* Warn that the function of the worker's leaf returned the Wire at `index`, and
 * that nobody will run that Wire: results are dropped here [P9]. */
static void tell_unrun_wire(lua_State *L, awl_worker *w, int index) {
  static const char *const NOT_LAST =
      ", which is not the last of its sequence or repeat";
  const char *to = "a Call", *why = NOT_LAST, *use = "aw.Wire(f)";
  if (w->leaf->kind == AWL_LEAF_MAP) {
    to = "a map";
    use = "w:bind(f)";
  } else if (w->leaf->kind == AWL_LEAF_SUPERVISE) {
    to = "supervise";
    why = "";
    use = "w:catch(f)";
  }
  const char *where = where_of_call(L, w);
  awl_show_value(L, w->state, index);
  lua_pushfstring(L,
                  "nobody runs the wire that this function returned to %s "
                  "(%s)%s; use %s, which hands the wire on",
                  to, lua_tostring(L, -1), why, use);
  awl_mistake(L, where, "call");
}

void awl_look_for_wire(lua_State *L, awl_worker *w, int index) {
  awl_leaf *leaf = (awl_leaf *)(uintptr_t)w->leaf;
  leaf->looks++;
  if (lua_type(L, index) == LUA_TUSERDATA && awl_leaf_calls(leaf) &&
      awl_is_object(L, w->state, index))
    tell_unrun_wire(L, w, index);
}

/* ---- results ---- */

static void report_results(lua_State *L, awl_worker *w, int first) {
  int count = lua_gettop(L) - first + 1;
  aw_value value = 0;
  if (count > 0 && aw_step_wants_value(w->task))
    value =
        awl_hold_tuple(L, awl_loop_of(w->state, aw_task_loop(w->task)), count);
  else if (count > 0 && w->leaf->looks < AWL_MOST_LOOKS)
    awl_look_for_wire(L, w, first);
  w->reported = true;
  aw_step_done(w->task, value);
}

/* ---- which of them ---- */

typedef enum report_kind {
  REPORT_RESULTS,
  REPORT_NEXT,
  REPORT_NOTHING
} report_kind;

/* What do the values from `first` on mean: results, or a next wire? See
 * awl_leaf_kind. */
static report_kind kind_of_report(lua_State *L, const awl_leaf *leaf,
                                  int first) {
  switch (leaf->kind) {
  case AWL_LEAF_BODY:
  case AWL_LEAF_HELD:
  case AWL_LEAF_BIND:
  case AWL_LEAF_CATCH: return REPORT_NEXT;
  case AWL_LEAF_FINALLY: /* the result of a close() or the like is ignored */
    return lua_gettop(L) == first && awl_is_object(L, leaf->life->state, first)
               ? REPORT_NEXT
               : REPORT_NOTHING;
  case AWL_LEAF_SUPERVISE: return REPORT_NOTHING;
  case AWL_LEAF_WHEN:
    return lua_toboolean(L, first) ? REPORT_RESULTS : REPORT_NOTHING;
  case AWL_LEAF_CALL:
  case AWL_LEAF_VALUE:
  case AWL_LEAF_MAP:
  case AWL_LEAF_KEYED:
  case AWL_LEAF_KEY_LAST:
  case AWL_LEAF_KEY_FIRST: break;
  }
  return REPORT_RESULTS;
}

static void report_step(lua_State *L, awl_worker *w, int status) {
  const awl_leaf *leaf = w->leaf;
  if (!awl_succeeded(w->state, status)) {
    report_error(L, w);
  } else {
    switch (kind_of_report(L, leaf, AWL_AT_BASE + 1)) {
    case REPORT_RESULTS: report_results(L, w, AWL_AT_BASE + 1); break;
    case REPORT_NEXT: report_body(L, w, AWL_AT_BASE + 1); break;
    case REPORT_NOTHING:
      if (leaf->kind == AWL_LEAF_SUPERVISE && leaf->looks < AWL_MOST_LOOKS)
        awl_look_for_wire(L, w, AWL_AT_BASE + 1);
      report_nothing(w);
      break;
    }
  }
}

void awl_report_step(lua_State *L, awl_worker *w, int status) {
  if (!w->reported)
    report_step(L, w, status);
  awl_clear_body(w);
  if (lua_gettop(L) != AWL_AT_BASE) /* a look costs a third of the call */
    lua_settop(L, AWL_AT_BASE);
}
