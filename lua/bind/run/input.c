/* input.c - pushes the arguments of a body, except the leaf's own
 *
 * A leaf that is the second part of another wire, as f in `w / f`, finds what
 * the first part left in its task [O9-O11]: results, or an error. Leaves of
 * keys call no function: they put the results into the shape that a table form
 * promises. Their content is the list of keys [O6].
 *
 * Neighbours: worker.c calls bodies; report.c interprets what bodies return.
 */
#include "run/input.h"
#include "base/loops.h"
#include "base/values.h"
#include "errors/core_error.h"
#include "errors/info.h"
#include "run/report.h"
#include "wire/leaf.h"

/* ---- errors ---- */

/* Does the leaf's function see its argument `number`? The arguments that it was
 * made with come after those that this file pushes. */
static bool sees(lua_State *L, const awl_worker *w, int number) {
  return w->leaf->extra >= 0 || awl_sees_argument(L, AWL_AT_CONTENT, number);
}

/* Push the error of the first part, and its info if `with_info`. The push may
 * raise, so the task keeps the error meanwhile. Then the error becomes
 * worker->passing, so that it keeps its info when the body raises it again. */
static int push_failure(lua_State *L, awl_worker *w, bool with_info) {
  awl_state *s = w->state;
  aw_error *error = aw_task_take_error(w->task);
  if (!error)
    return 0;
  aw_task_set_error(w->task, error);
  awl_push_error(L, s, awl_loop_of(s, aw_task_loop(w->task)), error);
  if (with_info)
    awl_push_info(L, s, error, w->task);
  w->passing = aw_task_take_error(w->task);
  w->handled = aw_error_keep(w->passing);
  return with_info ? 2 : 1;
}

static int push_try(lua_State *L, awl_worker *w) {
  int count = push_failure(L, w, false);
  lua_pushinteger(L, w->passing ? aw_error_attempts(w->passing) : 0);
  return count + 1;
}

/* ---- keys ---- */

/* [keys …, results …] → a table with result i under key i. */
static int push_keyed(lua_State *L, int keys, int count) {
  int first = lua_gettop(L) - count + 1;
  lua_createtable(L, 0, count);
  for (int i = 0; i < count; i++) {
    lua_rawgeti(L, keys, i + 1);
    lua_pushvalue(L, first + i);
    lua_rawset(L, -3);
  }
  lua_insert(L, first);
  lua_settop(L, first);
  return 1;
}

/* Replace the number n at `index` by key n. */
static void push_key(lua_State *L, int keys, int index) {
  lua_rawgeti(L, keys, lua_tointeger(L, index));
  lua_replace(L, index);
}

static int push_shaped_results(lua_State *L, awl_worker *w, int keys) {
  int count = awl_take_results(L, w->state, w->task);
  int first = lua_gettop(L) - count + 1;
  if (w->leaf->kind == AWL_LEAF_KEYED)
    return push_keyed(L, keys, count);
  if (w->leaf->kind == AWL_LEAF_KEY_LAST)
    push_key(L, keys, first + count - 1);
  else if (w->leaf->kind == AWL_LEAF_KEY_FIRST)
    push_key(L, keys, first);
  return count;
}

int awl_push_input(lua_State *L, awl_worker *w, int loop) {
  switch (w->leaf->kind) {
  case AWL_LEAF_BODY:
  case AWL_LEAF_HELD: lua_pushvalue(L, loop); return 1;
  case AWL_LEAF_SUPERVISE:
    lua_pushvalue(L, loop);
    return 1 + push_failure(L, w, sees(L, w, 3));
  case AWL_LEAF_CATCH: return push_failure(L, w, sees(L, w, 2));
  case AWL_LEAF_WHEN: return push_try(L, w);
  case AWL_LEAF_MAP:
  case AWL_LEAF_BIND: return awl_take_results(L, w->state, w->task);
  case AWL_LEAF_KEYED:
  case AWL_LEAF_KEY_LAST:
  case AWL_LEAF_KEY_FIRST: return push_shaped_results(L, w, loop - 1);
  case AWL_LEAF_CALL:
  case AWL_LEAF_VALUE:
  case AWL_LEAF_FINALLY: break;
  }
  return 0;
}
