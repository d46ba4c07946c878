/* convert.c - converts Wires to wires of the core, and back
 *
 * While a task runs a wire that needs Lua, the core holds the Wire as a value:
 * a leaf of kind HELD wraps the wire of the core. For a plain body, such a leaf
 * is the wire itself. So everything that the Wire refers to lives as long as
 * the task may need it, and the core gives the same Wire back. When the task
 * goes on to another body, its leaf may hold that body instead: awl_become().
 *
 * Neighbours: build.c makes the leaves.
 */
#include "wire/convert.h"

#include "base/location.h"
#include "base/loops.h"
#include "base/values.h"
#include "wire/build.h"
#include "wire/sleeps.h"

awl_leaf *awl_held_leaf(const aw_wire *wire) {
  awl_leaf *leaf = wire ? aw_wire_data(wire, awl_release_leaf) : NULL;
  return leaf && leaf->kind == AWL_LEAF_HELD ? leaf : NULL;
}

/* The address of the value at `index`, which no other value has while this one
 * lives. NULL: it has none; a light userdata has any address at all. */
static const void *identity_of(lua_State *L, int index) {
  return lua_islightuserdata(L, index) ? NULL : lua_topointer(L, index);
}

/* Is the value at `index` that of the leaf, which is alive? */
static bool is_value(lua_State *L, const awl_leaf *leaf, int index) {
  return leaf->identity && leaf->identity == identity_of(L, index);
}

void awl_push_owner(lua_State *L, awl_state *s, const aw_wire *wire) {
  const awl_leaf *leaf = awl_held_leaf(wire);
  if (leaf)
    awl_push_value(L, s, leaf->value);
  else
    lua_pushnil(L);
}

/* What a leaf has of the value that it holds. */
typedef struct held_body {
  const char *name;
  int extra;
  bool wrapped;
} held_body;

static held_body read_body(lua_State *L, awl_state *s, int index,
                           bool wrapped) {
  held_body body = {NULL, -1, wrapped};
  body.name = wrapped ? awl_body_name(L, s, index, &body.extra)
                      : awl_function_name(L, s, index);
  return body;
}

/* Return a wire that holds the Lua value at `index` for the engine: a wrapper
 * around `wire`, or for NULL a leaf that calls the value as a body, which is
 * `wrapped` in a Wire or not. NULL when out of memory. */
static aw_wire *hold_wire(lua_State *L, awl_state *s, awl_loop *loop, int index,
                          aw_wire *wire, bool wrapped) {
  held_body body = {NULL, -1, false};
  if (!wire)
    body = read_body(L, s, index, wrapped);
  lua_pushvalue(L, index);
  aw_value value = awl_hold(L, loop);
  awl_leaf *leaf = awl_make_leaf(s, AWL_LEAF_HELD);
  if (!leaf) {
    awl_drop(s, value);
    return NULL;
  }
  leaf->value = value;
  leaf->identity = identity_of(L, index);
  leaf->extra = body.extra;
  leaf->wrapped = body.wrapped;
  aw_wire *made = wire ? aw_hold(aw_wire_keep(wire), leaf, awl_release_leaf)
                       : aw_host_call(leaf, awl_release_leaf, body.name);
  if (made) {
    leaf->wire = made;
    loop->recent = leaf;
  }
  return made;
}

/* Return the last wire that hold_wire() made (gives) if it holds the value at
 * `index`, else NULL. Most often one body is started many times. The EventLoop
 * keeps the value of the leaf alive: no other value has the same address. */
static aw_wire *recent_wire(lua_State *L, const awl_loop *loop, int index) {
  if (!loop->recent || !is_value(L, loop->recent, index) ||
      awl_values_gone(loop)) /* then what it held may be gone */
    return NULL;
  return aw_wire_keep(loop->recent->wire);
}

void awl_push_wire(lua_State *L, awl_state *s, aw_wire *wire) {
  const awl_leaf *leaf = awl_held_leaf(wire);
  if (leaf) {
    awl_push_value(L, s, leaf->value);
    aw_wire_release(wire);
    return;
  }
  awl_push_simple(L, s);
  awl_fill_wire(L, s, wire);
}

aw_value awl_keep_running(awl_state *s, const aw_task *task) {
  for (; task; task = aw_task_parent(task)) {
    const awl_leaf *leaf = awl_held_leaf(aw_task_wire(task));
    if (leaf)
      return awl_keep(s, leaf->value);
  }
  return 0;
}

/* A running task anchors its EventLoop, so the value of the leaf is alive: its
 * address cannot be that of another value. To push the value would cost a step
 * of a machine 300 instructions. */
bool awl_holds(lua_State *L, const aw_wire *wire, int index) {
  const awl_leaf *leaf = awl_held_leaf(wire);
  return leaf && is_value(L, leaf, index);
}

/* As awl_to_wire(), but NULL also when out of memory. */
static aw_wire *to_wire(lua_State *L, awl_state *s, awl_loop *loop, int index,
                        awl_class class) {
  if (class == AWL_SLEEP)
    return awl_sleep_wire(L, s, index);
  aw_wire *inside = class == AWL_WIRE ? awl_test_wire(L, s, index) : NULL;
  if (inside && !awl_needs_lua(L, index))
    return aw_wire_keep(inside);
  aw_wire *wire = recent_wire(L, loop, index);
  return wire ? wire : hold_wire(L, s, loop, index, inside, class == AWL_BODY);
}

aw_wire *awl_to_wire(lua_State *L, awl_state *s, awl_loop *loop, int index) {
  index = lua_absindex(L, index);
  bool function = lua_isfunction(L, index);
  awl_class class = function ? AWL_CLASSES : awl_wire_class(L, s, index);
  if (class == AWL_CLASSES && !function && !awl_callable(L, index))
    return NULL;
  aw_wire *wire = to_wire(L, s, loop, index, class);
  if (!wire)
    awl_error(L, "not enough memory");
  return wire;
}

/* ---- a task that goes on ----
 *
 * A machine of states goes on to another body in each step. The leaf by which
 * its task holds the body then holds the other one: a new leaf with its wire
 * and its value would cost four times as much. Nobody sees the change, since
 * only the task refers to that leaf.
 */

/* Let `leaf` hold the function or Wire at `index` instead. Raises; then nothing
 * is changed. */
static void hold_instead(lua_State *L, awl_state *s, awl_loop *loop,
                         awl_leaf *leaf, int index) {
  lua_pushvalue(L, index);
  leaf->value = awl_hold_instead(L, loop, leaf->value);
  leaf->identity = lua_topointer(L, index);
  leaf->serial = ++s->leaf_serial;
  leaf->looks = 0;
  if (loop->recent == leaf)
    loop->recent = NULL;
}

/* The name of the function at `index`. Most often it is known. */
static const char *name_of(lua_State *L, awl_state *s, int index) {
  const char *name = awl_known_name(s, lua_topointer(L, index));
  return name ? name : awl_function_name(L, s, index);
}

/* Read the function or Wire at `index`, which needs Lua: into `*body`, or into
 * `*inside` what is inside it. False: it is something else. */
static bool read_next(lua_State *L, awl_state *s, int index, held_body *body,
                      aw_wire **inside) {
  if (lua_isfunction(L, index)) {
    body->name = name_of(L, s, index);
    return true;
  }
  awl_class class = awl_wire_class(L, s, index);
  if (class == AWL_BODY) {
    *body = read_body(L, s, index, true);
    return true;
  }
  if (class != AWL_WIRE)
    return false;
  *inside = awl_test_wire(L, s, index);
  return awl_needs_lua(L, index);
}

bool awl_become(lua_State *L, aw_task *task, awl_leaf *leaf, int index,
                bool at_once, awl_leaf **data) {
  awl_state *s = leaf->life->state;
  held_body body = {NULL, -1, false};
  aw_wire *inside = NULL;
  if (!aw_step_can_become(task) || !read_next(L, s, index, &body, &inside))
    return false;
  hold_instead(L, s, awl_loop_of(s, aw_task_loop(task)), leaf, index);
  leaf->extra = body.extra;
  leaf->wrapped = body.wrapped;
  *data = aw_step_become(task, inside ? aw_wire_keep(inside) : NULL, body.name,
                         at_once);
  return true;
}

/* ---- for C code ---- */

/* (value, light loop, light result): awl_hold() under pcall. */
static int protected_hold(lua_State *L) {
  aw_value *out = lua_touserdata(L, 3);
  awl_loop *loop = lua_touserdata(L, 2);
  lua_settop(L, 1);
  *out = awl_hold(L, loop);
  return 0;
}

aw_value awl_hold_beside(lua_State *L, awl_loop *loop, int index,
                         aw_wire *wire) {
  if (awl_has_place(loop)) {
    lua_pushvalue(L, index);
    return awl_hold(L, loop);
  }
  aw_value value = 0;
  lua_pushcfunction(L, protected_hold);
  lua_pushvalue(L, index);
  lua_pushlightuserdata(L, loop);
  lua_pushlightuserdata(L, &value);
  if (lua_pcall(L, 3, 0, 0) != LUA_OK) {
    aw_wire_release(wire);
    lua_error(L);
  }
  return value;
}

aw_wire *aw_lua_to_wire(lua_State *L, int index) {
  awl_state *s = awl_open(L);
  aw_task *task = awl_running_task(s);
  if (!task)
    return NULL;
  return awl_to_wire(L, s, awl_loop_of(s, aw_task_loop(task)), index);
}
