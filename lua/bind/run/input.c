/* input.c - pushes what a body is called with
 *
 * The content of a leaf is its function, or a table or a Wire with the function
 * and its arguments. It stays on the stack of the worker, since the next step
 * most often needs the same one. In `(a // b) * n` two leaves take turns, so
 * there are two places.
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
#include "wire/build.h"
#include "wire/leaf.h"

/* ---- contents ---- */

/* Put the EventLoop of the worker's task at AWL_AT_LOOP. */
static void set_loop(lua_State *L, awl_worker *w) {
  const awl_loop *loop = awl_loop_of(w->state, aw_task_loop(w->task));
  if (loop->number == w->loop_number)
    return;
  awl_push_loop(L, w->state, loop);
  lua_replace(L, AWL_AT_LOOP);
  w->loop_number = loop->number;
}

static void push_content(lua_State *L, awl_worker *w) {
  awl_push_content(L, w->state, w->leaf, w->task);
  if (lua_isnil(L, -1)) /* a finalizer has started a garbage wire */
    luaL_error(L, "this wire is garbage: what it calls has been collected");
  lua_replace(L, w->content);
  w->serial = w->leaf->serial;
}

static int second_place(const awl_worker *w) {
  return AWL_AT_CONTENT + AWL_AT_SECOND_CONTENT - w->content;
}

static void swap_contents(awl_worker *w) {
  uint64_t serial = w->serial;
  w->serial = w->second_serial;
  w->second_serial = serial;
  w->content = second_place(w);
}

/* A content that is not on the stack takes the place of both, so that none is
 * kept alive for longer than its wire runs. */
static void find_content(lua_State *L, awl_worker *w) {
  if (w->second_serial == w->leaf->serial) {
    swap_contents(w);
    return;
  }
  push_content(L, w);
  if (w->second_serial == 0)
    return;
  lua_pushnil(L);
  lua_replace(L, second_place(w));
  w->second_serial = 0;
}

void awl_put_content(lua_State *L, awl_worker *w) {
  const awl_leaf *leaf = w->leaf;
  if (leaf->serial != w->serial)
    find_content(L, w);
  if (leaf->kind != AWL_LEAF_CALL && leaf->kind != AWL_LEAF_VALUE)
    set_loop(L, w);
}

void awl_put_second_content(lua_State *L, awl_worker *w) {
  swap_contents(w);
  if (w->leaf->serial != w->serial)
    push_content(L, w);
  awl_put_content(L, w);
}

/* ---- errors ---- */

/* Does the leaf's function see its argument `number`? The arguments that it was
 * made with come after those that this file pushes. */
static bool sees(lua_State *L, const awl_worker *w, int number) {
  return w->leaf->extra >= 0 || awl_sees_argument(L, w->content, number);
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

/* ---- all of them ---- */

/* Push the arguments that the leaf gets before its own: the loop, or what the
 * first part left. Returns how many. */
static int push_input(lua_State *L, awl_worker *w) {
  switch (w->leaf->kind) {
  case AWL_LEAF_BODY:
  case AWL_LEAF_HELD: lua_pushvalue(L, AWL_AT_LOOP); return 1;
  case AWL_LEAF_SUPERVISE:
    lua_pushvalue(L, AWL_AT_LOOP);
    return 1 + push_failure(L, w, sees(L, w, 3));
  case AWL_LEAF_CATCH: return push_failure(L, w, sees(L, w, 2));
  case AWL_LEAF_WHEN: return push_try(L, w);
  case AWL_LEAF_MAP:
  case AWL_LEAF_BIND: return awl_take_results(L, w->state, w->task);
  case AWL_LEAF_KEYED:
  case AWL_LEAF_KEY_LAST:
  case AWL_LEAF_KEY_FIRST: return push_shaped_results(L, w, w->content);
  case AWL_LEAF_CALL:
  case AWL_LEAF_VALUE:
  case AWL_LEAF_FINALLY: break;
  }
  return 0;
}

/* Push the arguments that the leaf was made with. Returns how many. */
static int push_bound(lua_State *L, const awl_worker *w) {
  const awl_leaf *leaf = w->leaf;
  if (leaf->extra <= 0)
    return 0;
  luaL_checkstack(L, leaf->extra, "too many arguments");
  for (int i = 1; i <= leaf->extra; i++) {
    if (leaf->wrapped)
      lua_getiuservalue(L, w->content, i + 1);
    else
      lua_rawgeti(L, w->content, i);
  }
  return leaf->extra;
}

int awl_push_call(lua_State *L, awl_worker *w) {
  const awl_leaf *leaf = w->leaf;
  if (leaf->wrapped && leaf->extra >= 0)
    lua_getiuservalue(L, w->content, 1);
  else if (awl_leaf_calls(leaf) && leaf->extra >= 0)
    lua_rawgeti(L, w->content, 0);
  else if (awl_leaf_calls(leaf))
    lua_pushvalue(L, w->content);
  int count = push_input(L, w);
  return count + push_bound(L, w);
}
