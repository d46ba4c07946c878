/* build.c - Wires and their leaves; see build.h
 *
 * A Wire is a userdata of one of three classes. A Wire of class AWL_WIRE has
 * one wire of the core. One that only sleeps (AWL_SLEEP, see sleeps.c) or only
 * calls a body (AWL_BODY, see below) has none: what needs it makes it. User
 * values of a Wire are the Lua values that it needs (functions, arguments,
 * other Wires), so Lua collects cycles of wires and closures like any other
 * garbage [V1]. A leaf finds its function in the Wire that a task runs, see
 * convert.c. A leaf that is a part of another wire finds the function by a
 * number in AWL_BODIES, whose values are weak. The core runs a wire that needs
 * nothing of Lua without any wrapper [V7].
 *
 * Neighbours: constructors.c and combine.c have the functions that Lua sees.
 */
#include "wire/build.h"

#include "base/location.h"
#include "base/memory_pressure.h"
#include "base/numbers.h"
#include "base/resources.h"
#include "base/show_value.h"
#include "base/values.h"
#include "wire/sleeps.h"

typedef struct wire_ud {
  aw_wire *wire;
  uint32_t resource; /* number of its entry, see resources.h */
} wire_ud;

/* ---- leaves ---- */

static bool reserve_leaf(awl_state *s) {
  return s->first_leaf < s->leaf_count ||
         awl_grow_chain(&s->leaves, &s->leaf_count, 64);
}

/* `leaf` is about to be freed: remove it from awl_loop.recent. */
static void forget_recent(const awl_state *s, const awl_leaf *leaf) {
  awl_loop *loop = s->loops ? awl_value_loop(s, leaf->value) : NULL;
  if (loop && loop->recent == leaf)
    loop->recent = NULL;
}

void awl_release_leaf(void *data) {
  awl_leaf *leaf = data;
  awl_life *life = leaf->life;
  awl_state *s = life->state;
  life->leaves--;
  if (!s) {
    aw_free(leaf);
    if (life->leaves == 0)
      aw_free(life);
    return;
  }
  if (leaf->kind == AWL_LEAF_HELD) {
    forget_recent(s, leaf);
    awl_drop(s, leaf->value);
  } else if (!s->closing && leaf->number != AWL_UNNUMBERED) {
    awl_unset(s, AWL_BODIES, (lua_Integer)leaf->number + 1);
    s->leaves[leaf->number] = s->first_leaf;
    s->first_leaf = leaf->number;
  }
  aw_free(leaf);
}

void awl_free_leaves(awl_state *s) {
  aw_free(s->leaves);
}

awl_leaf *awl_make_leaf(awl_state *s, awl_leaf_kind kind) {
  awl_leaf *leaf = aw_allocate(sizeof *leaf);
  if (!leaf)
    return NULL;
  leaf->life = s->life;
  leaf->kind = kind;
  leaf->number = AWL_UNNUMBERED;
  leaf->serial = ++s->leaf_serial;
  leaf->extra = -1;
  leaf->wrapped = false;
  leaf->looks = 0;
  leaf->unseen = false;
  s->life->leaves++;
  return leaf;
}

/* If the Wire at `index` is a leaf, give it a number: the leaf becomes a part
 * of another wire, so the running task has another Wire. */
static void number_leaf(lua_State *L, awl_state *s, int index) {
  const wire_ud *ud = lua_touserdata(L, index);
  awl_leaf *leaf = aw_wire_data(ud->wire, awl_release_leaf);
  if (!leaf || leaf->kind == AWL_LEAF_HELD || leaf->number != AWL_UNNUMBERED)
    return;
  if (!reserve_leaf(s))
    awl_error(L, "not enough memory");
  lua_getiuservalue(L, index, 1);
  awl_set(L, s, AWL_BODIES, (lua_Integer)s->first_leaf + 1);
  leaf->number = s->first_leaf;
  s->first_leaf = s->leaves[leaf->number];
}

/* Replace the Wire of class AWL_BODY on top, or nil, by its function. */
static void replace_by_body(lua_State *L) {
  if (!lua_isuserdata(L, -1)) /* its EventLoop is gone */
    return;
  lua_getiuservalue(L, -1, 1);
  lua_remove(L, -2);
}

/* A leaf without a number is the whole Wire that `task` runs, so the content is
 * in that Wire. */
void awl_push_content(lua_State *L, awl_state *s, const awl_leaf *leaf,
                      const aw_task *task) {
  if (leaf->kind != AWL_LEAF_HELD && leaf->number != AWL_UNNUMBERED) {
    awl_get(L, s, AWL_BODIES, (lua_Integer)leaf->number + 1);
    return;
  }
  if (leaf->kind == AWL_LEAF_HELD) {
    awl_push_value(L, s, leaf->value);
    if (leaf->wrapped && leaf->extra < 0)
      replace_by_body(L);
    return;
  }
  const awl_leaf *holder =
      aw_wire_data(aw_task_innermost(task), awl_release_leaf);
  awl_push_value(L, s, holder->value);
  if (!lua_isuserdata(L, -1))
    return;
  lua_getiuservalue(L, -1, 1);
  lua_remove(L, -2);
}

void awl_push_leaf_name(lua_State *L, awl_state *s, const awl_leaf *leaf,
                        const aw_task *task) {
  awl_push_content(L, s, leaf, task);
  if (leaf->wrapped && leaf->extra >= 0) {
    replace_by_body(L);
  } else if (leaf->extra >= 0 && lua_istable(L, -1)) {
    lua_rawgeti(L, -1, 0);
    lua_remove(L, -2);
  }
  awl_push_cut_name(L, awl_function_name(L, s, -1));
  lua_remove(L, -2);
}

/* ---- making Wires ---- */

/* Push a Wire that has no wire of the core yet. fill_ud() adds the wire. In
 * this order no wire of the core leaks when Lua runs out of memory. */
static wire_ud *push_empty_wire(lua_State *L, awl_state *s) {
  wire_ud *ud = lua_newuserdatauv(L, sizeof *ud, 1);
  ud->wire = NULL;
  ud->resource = awl_enter_object(L, s, AWL_RESOURCE_WIRE);
  awl_push_class(L, s, AWL_WIRE);
  lua_setmetatable(L, -2);
  return ud;
}

static void set_wire(awl_state *s, wire_ud *ud, aw_wire *wire) {
  ud->wire = wire;
  awl_set_resource(s, AWL_RESOURCE_WIRE, ud->resource, wire);
}

static int fill_ud(lua_State *L, awl_state *s, wire_ud *ud, aw_wire *wire) {
  set_wire(s, ud, wire);
  if (!wire)
    return awl_error(L, "not enough memory");
  awl_weigh_wire(L, s, wire);
  return 1;
}

/* Replace f (if `has_function`) and `extra` arguments on top by one value: f
 * itself if it has no arguments, else a table with f at 0 and the arguments
 * from 1 on. */
static void pack_call(lua_State *L, int extra, bool has_function) {
  if (has_function && extra == 0)
    return;
  lua_createtable(L, extra, has_function);
  int count = extra + has_function;
  lua_insert(L, -count - 1);
  for (int i = extra; i >= 1; i--)
    lua_rawseti(L, -i - 1 - has_function, i);
  if (has_function)
    lua_rawseti(L, -2, 0);
}

static int push_named_leaf(lua_State *L, awl_state *s, awl_leaf_kind kind,
                           int extra, const char *name) {
  bool has_function = kind != AWL_LEAF_VALUE;
  pack_call(L, extra, has_function);
  wire_ud *ud = push_empty_wire(L, s);
  lua_insert(L, -2); /* [wire, value] */
  awl_leaf *leaf = awl_make_leaf(s, kind);
  if (!leaf)
    return fill_ud(L, s, ud, NULL);
  leaf->extra = has_function && extra == 0 ? -1 : extra;
  aw_wire *wire = aw_host_call(leaf, awl_release_leaf, name);
  if (!wire)
    return fill_ud(L, s, ud, NULL);
  set_wire(s, ud, wire);
  lua_setiuservalue(L, -2, 1);
  return 1;
}

int awl_push_leaf(lua_State *L, awl_state *s, awl_leaf_kind kind, int extra) {
  const char *name = NULL;
  if (kind != AWL_LEAF_VALUE && kind < AWL_LEAF_KEYED)
    name = awl_function_name(L, s, -extra - 1);
  return push_named_leaf(L, s, kind, extra, name);
}

void awl_push_call_as(lua_State *L, awl_state *s, int extra, const char *name) {
  push_named_leaf(L, s, AWL_LEAF_CALL, extra, name);
}

/* ---- Wires of class AWL_BODY ----
 *
 * States of machines return such Wires, made afresh with their arguments:
 * `return aw.Wire(working, job)`. A task runs the body by the leaf that holds
 * the Wire. So the Wire is only a userdata whose user values are f and its
 * arguments, without a wire of the core, a leaf, a table or a finalizer, which
 * would cost more than the transition. What makes it a part of another wire, or
 * shows it, replaces it by one of class AWL_WIRE.
 */

typedef struct body_ud {
  int extra; /* number of arguments */
} body_ud;

int awl_push_body(lua_State *L, awl_state *s, int extra) {
  enum { MOST = 16 };
  if (extra > MOST)
    return awl_push_leaf(L, s, AWL_LEAF_BODY, extra);
  body_ud *ud = lua_newuserdatauv(L, sizeof *ud, extra + 1);
  ud->extra = extra;
  lua_insert(L, -extra - 2);
  for (int i = extra + 1; i >= 1; i--)
    lua_setiuservalue(L, -i - 1, i);
  awl_push_class(L, s, AWL_BODY);
  lua_setmetatable(L, -2);
  return 1;
}

const char *awl_body_name(lua_State *L, awl_state *s, int index, int *extra) {
  const body_ud *ud = lua_touserdata(L, index);
  *extra = ud->extra > 0 ? ud->extra : -1;
  lua_getiuservalue(L, index, 1);
  const char *name = awl_function_name(L, s, -1);
  lua_pop(L, 1);
  return name;
}

/* Replace the Wire at `index`, of class AWL_BODY, by one of class AWL_WIRE. */
static void make_body_own(lua_State *L, awl_state *s, int index) {
  int extra = ((const body_ud *)lua_touserdata(L, index))->extra;
  luaL_checkstack(L, extra + 1, "too many arguments");
  for (int i = 1; i <= extra + 1; i++)
    lua_getiuservalue(L, index, i);
  awl_push_leaf(L, s, AWL_LEAF_BODY, extra);
  lua_replace(L, index);
}

bool awl_callable(lua_State *L, int index) {
  if (lua_isfunction(L, index))
    return true;
  if (luaL_getmetafield(L, index, "__call") == LUA_TNIL)
    return false;
  lua_pop(L, 1);
  return true;
}

awl_class awl_wire_class(lua_State *L, const awl_state *s, int index) {
  if (!lua_getmetatable(L, index))
    return AWL_CLASSES;
  const void *metatable = lua_topointer(L, -1);
  lua_pop(L, 1);
  return metatable == s->metatables[AWL_WIRE]    ? AWL_WIRE
         : metatable == s->metatables[AWL_SLEEP] ? AWL_SLEEP
         : metatable == s->metatables[AWL_BODY]  ? AWL_BODY
                                                 : AWL_CLASSES;
}

bool awl_is_object(lua_State *L, awl_state *s, int index) {
  return awl_wire_class(L, s, index) != AWL_CLASSES;
}

/* The userdata of the Wire at `index`, of class AWL_WIRE. Raises. */
static wire_ud *check_ud(lua_State *L, int index) {
  wire_ud *ud = lua_touserdata(L, index);
  if (!ud->wire)
    awl_error(L, "this wire is garbage, and finalized");
  return ud;
}

bool awl_is_made(lua_State *L, awl_state *s, int index) {
  awl_class class = awl_wire_class(L, s, index);
  if (class == AWL_WIRE)
    check_ud(L, index);
  return class != AWL_CLASSES;
}

bool awl_is_wire(lua_State *L, awl_state *s, int index) {
  return lua_isfunction(L, index) || awl_is_made(L, s, index) ||
         awl_callable(L, index);
}

aw_wire *awl_test_wire(lua_State *L, awl_state *s, int index) {
  if (!awl_is(L, s, index, AWL_WIRE))
    return NULL;
  return check_ud(L, index)->wire;
}

bool awl_make_wire(lua_State *L, awl_state *s, int index) {
  if (awl_is_made(L, s, index)) {
    if (awl_is(L, s, index, AWL_BODY))
      make_body_own(L, s, index);
    return true;
  }
  if (!awl_callable(L, index))
    return false;
  lua_pushvalue(L, index);
  awl_push_leaf(L, s, AWL_LEAF_BODY, 0);
  lua_replace(L, index);
  return true;
}

aw_wire *awl_keep_wire(lua_State *L, awl_state *s, int index) {
  if (awl_is(L, s, index, AWL_SLEEP))
    return awl_sleep_wire(L, s, index);
  return aw_wire_keep(((const wire_ud *)lua_touserdata(L, index))->wire);
}

aw_wire *awl_own_wire(lua_State *L, awl_state *s, int index) {
  if (awl_is(L, s, index, AWL_SLEEP)) {
    wire_ud *ud = push_empty_wire(L, s);
    fill_ud(L, s, ud, awl_sleep_wire(L, s, index));
    lua_replace(L, index);
  } else if (awl_is(L, s, index, AWL_BODY)) {
    make_body_own(L, s, index);
  }
  return ((const wire_ud *)lua_touserdata(L, index))->wire;
}

bool awl_needs_lua(lua_State *L, int index) {
  bool needs = lua_getiuservalue(L, index, 1) > LUA_TNIL;
  lua_pop(L, 1);
  return needs;
}

static int make_empty_wire(lua_State *L) {
  push_empty_wire(L, lua_touserdata(L, 1));
  return 1;
}

void aw_lua_push_wire(lua_State *L, aw_wire *wire, int anchor) {
  if (anchor != 0)
    anchor = lua_absindex(L, anchor);
  awl_state *s = awl_open(L);
  lua_pushcfunction(L, make_empty_wire);
  lua_pushlightuserdata(L, s);
  if (lua_pcall(L, 1, 1, 0) != LUA_OK) {
    aw_wire_release(wire);
    lua_error(L);
  }
  wire_ud *ud = lua_touserdata(L, -1);
  set_wire(s, ud, wire);
  if (wire && anchor != 0) {
    lua_pushvalue(L, anchor);
    lua_setiuservalue(L, -2, 1);
  }
  fill_ud(L, s, ud, wire);
}

aw_wire *aw_lua_part(lua_State *L, int index) {
  awl_state *s = awl_open(L);
  index = lua_absindex(L, index);
  if (!awl_make_wire(L, s, index))
    return NULL;
  aw_wire *wire = awl_own_wire(L, s, index);
  number_leaf(L, s, index);
  return wire;
}

int awl_wire_gc(lua_State *L) {
  /* awl_of() would raise after lua_close */
  awl_state *s = lua_touserdata(L, lua_upvalueindex(1));
  wire_ud *ud = lua_touserdata(L, 1);
  awl_strike_object(s, AWL_RESOURCE_WIRE, ud->resource);
  aw_wire_release(ud->wire);
  ud->wire = NULL;
  return 0;
}

/* ---- parts and composites ---- */

void awl_check_wire(lua_State *L, awl_state *s, int arg) {
  if (!awl_make_wire(L, s, arg))
    aw_lua_type_error(L, arg, "wire");
}

void awl_push_simple(lua_State *L, awl_state *s) {
  push_empty_wire(L, s);
}

void awl_push_combined(lua_State *L, awl_state *s, int first, int count) {
  int needy = 0, last = 0;
  for (int i = first; i < first + count; i++) {
    if (!awl_needs_lua(L, i))
      continue;
    number_leaf(L, s, i);
    needy++;
    last = i;
  }
  push_empty_wire(L, s);
  if (needy == 0)
    return;
  if (needy == 1) {
    lua_pushvalue(L, last);
  } else {
    lua_createtable(L, needy, 0);
    for (int i = first, n = 0; i < first + count; i++) {
      if (!awl_needs_lua(L, i))
        continue;
      lua_pushvalue(L, i);
      lua_rawseti(L, -2, ++n);
    }
  }
  lua_setiuservalue(L, -2, 1);
}

int awl_fill_wire(lua_State *L, awl_state *s, aw_wire *wire) {
  return fill_ud(L, s, lua_touserdata(L, -1), wire);
}

void awl_empty_wire(awl_state *s, void *userdata) {
  wire_ud *ud = userdata;
  aw_wire *wire = ud->wire;
  set_wire(s, ud, NULL);
  aw_wire_release(wire);
}

void awl_push_part(lua_State *L, awl_state *s, awl_leaf_kind kind) {
  awl_push_leaf(L, s, kind, 0);
  number_leaf(L, s, lua_gettop(L));
}

int awl_bad_operand(lua_State *L, int index, const char *operator) {
  const char *type = aw_lua_type_name(L, index);
  return awl_error(L, "attempt to use %s %s as a wire (operand of '%s')",
                   awl_article(type), type, operator);
}

/* Operators that wires do not have raise errors that name the right operator
 * [O16]. */
int awl_misused(lua_State *L, const char *operator, const char * instead) {
  return awl_error(L, "'%s' means nothing for wires; %s", operator, instead);
}
