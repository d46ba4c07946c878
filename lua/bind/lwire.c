/* lwire.c - wires as Lua values, their operators and methods
 *
 * A Wire is a userdata with one wire of the core. What that wire needs of Lua
 * (functions, arguments, other wires) hangs on its user value, so that cycles
 * of wires and closures are garbage like any other [V1]. While a task runs a
 * wire, the engine holds the Wire itself (a leaf of kind HELD), see
 * awl_to_wire(). A leaf finds its function on that Wire, or, as a part of
 * another wire, by a number in AWL_BODIES, which is weak.
 * A wire that needs nothing of Lua is given to the core as it is [V7].
 */
#include "bridge.h"

#include <math.h>
#include <string.h>

#include "act.h"
#include "wires.h"

typedef struct wire_ud {
  aw_wire *wire;
} wire_ud;

/* ---- leaves ---- */

static bool reserve_leaf(awl_state *s) {
  return s->first_leaf < s->leaf_count ||
         awl_grow_chain(&s->leaves, &s->leaf_count, 64);
}

static void release_leaf(void *data) {
  awl_leaf *leaf = data;
  awl_state *s = leaf->state;
  if (leaf->kind == AWL_LEAF_HELD) {
    awl_forget_recent(s, leaf);
    awl_drop(s, leaf->value);
  } else if (!s->closing && leaf->number != AWL_UNNUMBERED) {
    awl_unset(s, AWL_BODIES, (lua_Integer)leaf->number + 1);
    s->leaves[leaf->number] = s->first_leaf;
    s->first_leaf = leaf->number;
  }
  s->leaf_live--;
  aw_free(leaf);
}

static awl_leaf *make_leaf(awl_state *s, awl_leaf_kind kind) {
  awl_leaf *leaf = aw_allocate(sizeof *leaf);
  if (!leaf)
    return NULL;
  leaf->state = s;
  leaf->kind = kind;
  leaf->number = AWL_UNNUMBERED;
  leaf->serial = ++s->leaf_serial;
  leaf->extra = -1;
  s->leaf_live++;
  return leaf;
}

/* Number the leaf of the Wire at `index`, if it is one, since it becomes part
 * of another wire: then the Wire itself is not at hand when it runs. */
static void number_leaf(lua_State *L, awl_state *s, int index) {
  const wire_ud *ud = lua_touserdata(L, index);
  awl_leaf *leaf = aw_wire_data(ud->wire, release_leaf);
  if (!leaf || leaf->kind == AWL_LEAF_HELD || leaf->number != AWL_UNNUMBERED)
    return;
  if (!reserve_leaf(s))
    awl_error(L, "not enough memory");
  lua_getiuservalue(L, index, 1);
  awl_set(L, s, AWL_BODIES, (lua_Integer)s->first_leaf + 1);
  leaf->number = s->first_leaf;
  s->first_leaf = s->leaves[leaf->number];
}

/* A leaf without a number runs as the whole of what `task` holds. */
void awl_push_content(lua_State *L, awl_state *s, const awl_leaf *leaf,
                      const aw_task *task) {
  if (leaf->kind != AWL_LEAF_HELD && leaf->number != AWL_UNNUMBERED) {
    awl_get(L, s, AWL_BODIES, (lua_Integer)leaf->number + 1);
    return;
  }
  if (leaf->kind == AWL_LEAF_HELD) {
    awl_push_value(L, s, leaf->value);
    return;
  }
  const awl_leaf *holder = aw_wire_data(aw_task_innermost(task), release_leaf);
  awl_push_value(L, s, holder->value);
  lua_getiuservalue(L, -1, 1);
  lua_remove(L, -2);
}

bool awl_is_leaf(const aw_wire *wire, const awl_leaf *leaf) {
  return wire && aw_wire_data(wire, release_leaf) == leaf;
}

void awl_push_leaf_name(lua_State *L, awl_state *s, const awl_leaf *leaf,
                        const aw_task *task) {
  awl_push_content(L, s, leaf, task);
  if (leaf->extra >= 0) {
    lua_rawgeti(L, -1, 0);
    lua_remove(L, -2);
  }
  lua_pushstring(L, awl_function_name(L, s, -1));
  lua_remove(L, -2);
}

/* ---- making Wires ---- */

/* Push a Wire without a wire yet, which `fill` gives it: so that nothing of
 * the core is at hand when memory runs out. */
static wire_ud *push_empty(lua_State *L, awl_state *s) {
  wire_ud *ud = lua_newuserdatauv(L, sizeof *ud, 1);
  ud->wire = NULL;
  awl_push_class(L, s, AWL_WIRE);
  lua_setmetatable(L, -2);
  s->wires++;
  return ud;
}

static int fill(lua_State *L, wire_ud *ud, aw_wire *wire) {
  ud->wire = wire;
  if (!wire)
    return awl_error(L, "not enough memory");
  return 1;
}

/* Replace f and `extra` arguments on top by one value: f itself, or a table
 * with f at 0 and the arguments after it. */
static void pack(lua_State *L, int extra, bool has_function) {
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

/* f and `extra` arguments on top → Wire of a leaf. */
static int push_host_wire(lua_State *L, awl_state *s, awl_leaf_kind kind,
                          int extra) {
  bool has_function = kind != AWL_LEAF_VALUE;
  const char *name = NULL;
  if (has_function && kind < AWL_LEAF_KEYED)
    name = awl_function_name(L, s, -extra - 1);
  pack(L, extra, has_function);
  wire_ud *ud = push_empty(L, s);
  lua_insert(L, -2); /* [wire, value] */
  awl_leaf *leaf = make_leaf(s, kind);
  if (!leaf)
    return fill(L, ud, NULL);
  leaf->extra = has_function && extra == 0 ? -1 : extra;
  aw_wire *wire = aw_host_call(leaf, release_leaf, name);
  if (!wire)
    return fill(L, ud, NULL);
  ud->wire = wire;
  lua_setiuservalue(L, -2, 1);
  return 1;
}

bool awl_callable(lua_State *L, int index) {
  if (lua_isfunction(L, index))
    return true;
  if (luaL_getmetafield(L, index, "__call") == LUA_TNIL)
    return false;
  lua_pop(L, 1);
  return true;
}

static wire_ud *to_ud(lua_State *L, awl_state *s, int index) {
  if (!awl_is(L, s, index, AWL_WIRE))
    return NULL;
  wire_ud *ud = lua_touserdata(L, index);
  if (!ud->wire)
    awl_error(L, "this wire is garbage, and finalized");
  return ud;
}

bool awl_is_wire(lua_State *L, awl_state *s, int index) {
  return to_ud(L, s, index) != NULL || awl_callable(L, index);
}

/* Make the value at `index` a Wire, in place; NULL if V2 does not accept it. */
static wire_ud *make_ud(lua_State *L, awl_state *s, int index) {
  wire_ud *ud = to_ud(L, s, index);
  if (ud || !awl_callable(L, index))
    return ud;
  lua_pushvalue(L, index);
  push_host_wire(L, s, AWL_LEAF_BODY, 0);
  lua_replace(L, index);
  return lua_touserdata(L, index);
}

static wire_ud *check_ud(lua_State *L, awl_state *s, int arg) {
  wire_ud *ud = make_ud(L, s, arg);
  if (!ud)
    luaL_typeerror(L, arg, "wire");
  return ud;
}

static bool needs_lua(lua_State *L, int index) {
  bool needs = lua_getiuservalue(L, index, 1) != LUA_TNIL;
  lua_pop(L, 1);
  return needs;
}

void awl_push_owner(lua_State *L, awl_state *s, const aw_wire *wire) {
  const awl_leaf *leaf = aw_wire_data(wire, release_leaf);
  if (leaf && leaf->kind == AWL_LEAF_HELD)
    awl_push_value(L, s, leaf->value);
  else
    lua_pushnil(L);
}

/* A wire that holds the value at `index` for the engine: `wire`, or a body.
 * NULL when out of memory; raises nothing but from awl_hold(). */
static aw_wire *hold_wire(lua_State *L, awl_state *s, awl_loop *loop, int index,
                          aw_wire *wire) {
  const char *name = wire ? NULL : awl_function_name(L, s, index);
  lua_pushvalue(L, index);
  aw_value value = awl_hold(L, loop);
  awl_leaf *leaf = make_leaf(s, AWL_LEAF_HELD);
  if (!leaf) {
    awl_drop(s, value);
    return NULL;
  }
  leaf->value = value;
  aw_wire *made = wire ? aw_hold(aw_wire_keep(wire), leaf, release_leaf)
                       : aw_host_call(leaf, release_leaf, name);
  if (made) {
    leaf->wire = made;
    loop->recent = leaf;
  }
  return made;
}

/* The wire that holds the value at `index` already, if it is the one that was
 * made last: most often one body is started many times. Gives, or NULL. */
static aw_wire *recent_wire(lua_State *L, awl_state *s, const awl_loop *loop,
                            int index) {
  if (!loop->recent)
    return NULL;
  awl_push_value(L, s, loop->recent->value);
  bool same = lua_rawequal(L, -1, index);
  lua_pop(L, 1);
  return same ? aw_wire_keep(loop->recent->wire) : NULL;
}

void awl_push_wire(lua_State *L, awl_state *s, aw_wire *wire) {
  const awl_leaf *leaf = aw_wire_data(wire, release_leaf);
  if (leaf && leaf->kind == AWL_LEAF_HELD) {
    awl_push_value(L, s, leaf->value);
    aw_wire_release(wire);
    return;
  }
  fill(L, push_empty(L, s), wire);
}

aw_value awl_keep_running(awl_state *s, const aw_task *task) {
  for (; task; task = aw_task_parent(task)) {
    const aw_wire *wire = aw_task_wire(task);
    const awl_leaf *leaf = wire ? aw_wire_data(wire, release_leaf) : NULL;
    if (leaf && leaf->kind == AWL_LEAF_HELD)
      return awl_keep(s, leaf->value);
  }
  return 0;
}

bool awl_holds(lua_State *L, awl_state *s, const aw_wire *wire, int index) {
  const awl_leaf *leaf = wire ? aw_wire_data(wire, release_leaf) : NULL;
  if (!leaf || leaf->kind != AWL_LEAF_HELD)
    return false;
  awl_push_value(L, s, leaf->value);
  bool holds = lua_rawequal(L, -1, index < 0 ? index - 1 : index);
  lua_pop(L, 1);
  return holds;
}

aw_wire *awl_to_wire(lua_State *L, awl_state *s, awl_loop *loop, int index) {
  index = lua_absindex(L, index);
  wire_ud *ud = to_ud(L, s, index);
  if (ud && !needs_lua(L, index))
    return aw_wire_keep(ud->wire);
  if (!ud && !awl_callable(L, index))
    return NULL;
  aw_wire *wire = recent_wire(L, s, loop, index);
  if (!wire)
    wire = hold_wire(L, s, loop, index, ud ? ud->wire : NULL);
  if (!wire)
    awl_error(L, "not enough memory");
  return wire;
}

/* (wire, light loop, light result) for awl_to_wire_or_drop(). */
static int protected_to_wire(lua_State *L) {
  awl_loop *loop = lua_touserdata(L, 2);
  aw_wire **out = lua_touserdata(L, 3);
  *out = awl_to_wire(L, loop->state, loop, 1);
  return 0;
}

aw_wire *awl_to_wire_or_drop(lua_State *L, awl_state *s, awl_loop *loop,
                             int index, aw_value value) {
  if (!value)
    return awl_to_wire(L, s, loop, index);
  aw_wire *wire = NULL;
  lua_pushcfunction(L, protected_to_wire);
  lua_pushvalue(L, index);
  lua_pushlightuserdata(L, loop);
  lua_pushlightuserdata(L, &wire);
  if (lua_pcall(L, 3, 0, 0) != LUA_OK) {
    awl_drop(s, value);
    lua_error(L);
  }
  return wire;
}

static int make_empty(lua_State *L) {
  push_empty(L, lua_touserdata(L, 1));
  return 1;
}

void aw_lua_push_wire(lua_State *L, aw_wire *wire, int anchor) {
  if (anchor != 0)
    anchor = lua_absindex(L, anchor);
  lua_pushcfunction(L, make_empty);
  lua_pushlightuserdata(L, awl_open(L));
  if (lua_pcall(L, 1, 1, 0) != LUA_OK) {
    aw_wire_release(wire);
    lua_error(L);
  }
  fill(L, lua_touserdata(L, -1), wire);
  if (anchor == 0)
    return;
  lua_pushvalue(L, anchor);
  lua_setiuservalue(L, -2, 1);
}

aw_wire *aw_lua_part(lua_State *L, int index) {
  awl_state *s = awl_open(L);
  index = lua_absindex(L, index);
  wire_ud *ud = make_ud(L, s, index);
  if (!ud)
    return NULL;
  number_leaf(L, s, index);
  return ud->wire;
}

aw_wire *aw_lua_to_wire(lua_State *L, int index) {
  awl_state *s = awl_open(L);
  aw_task *task = awl_running_task(s);
  if (!task)
    return NULL;
  return awl_to_wire(L, s, awl_loop_of(s, aw_task_loop(task)), index);
}

/* ---- wires.h ---- */

bool awl_make_wire(lua_State *L, awl_state *s, int index) {
  return make_ud(L, s, index) != NULL;
}

void awl_check_wire(lua_State *L, awl_state *s, int arg) {
  check_ud(L, s, arg);
}

aw_wire *awl_wire_of(lua_State *L, int index) {
  return ((const wire_ud *)lua_touserdata(L, index))->wire;
}

void awl_push_compound(lua_State *L, awl_state *s, int first, int count) {
  int needy = 0, last = 0;
  for (int i = first; i < first + count; i++) {
    if (!needs_lua(L, i))
      continue;
    number_leaf(L, s, i);
    needy++;
    last = i;
  }
  push_empty(L, s);
  if (needy == 0)
    return;
  if (needy == 1) {
    lua_pushvalue(L, last);
  } else {
    lua_createtable(L, needy, 0);
    for (int i = first, n = 0; i < first + count; i++) {
      if (!needs_lua(L, i))
        continue;
      lua_pushvalue(L, i);
      lua_rawseti(L, -2, ++n);
    }
  }
  lua_setiuservalue(L, -2, 1);
}

int awl_fill_wire(lua_State *L, aw_wire *wire) {
  return fill(L, lua_touserdata(L, -1), wire);
}

void awl_push_part(lua_State *L, awl_state *s, awl_leaf_kind kind) {
  push_host_wire(L, s, kind, 0);
  number_leaf(L, s, lua_gettop(L));
}

void awl_push_value_part(lua_State *L, awl_state *s) {
  push_host_wire(L, s, AWL_LEAF_VALUE, 1);
  number_leaf(L, s, lua_gettop(L));
}

/* ---- constructors ---- */

static int m_Wire(lua_State *L) {
  awl_state *s = awl_of(L);
  int extra = lua_gettop(L) - 1;
  if (extra == 0 && to_ud(L, s, 1))
    return 1;
  if (!awl_callable(L, 1) || (extra > 0 && to_ud(L, s, 1)))
    return luaL_typeerror(L, 1, extra > 0 ? "function" : "wire");
  return push_host_wire(L, s, AWL_LEAF_BODY, extra);
}

static int m_Sleep(lua_State *L) {
  awl_state *s = awl_of(L);
  uint64_t ns = awl_check_ns(L, 1);
  wire_ud *ud = push_empty(L, s);
  return fill(L, ud, aw_sleep(ns));
}

static int m_SleepUntil(lua_State *L) {
  awl_state *s = awl_of(L);
  uint64_t at = awl_check_time(L, 1);
  wire_ud *ud = push_empty(L, s);
  return fill(L, ud, aw_sleep_until(at));
}

/* Call(aw.sleep, s) is Sleep(s) [V7]; its argument is checked now. */
static bool lowered(lua_State *L) {
  lua_CFunction f = lua_tocfunction(L, 1);
  if (f != awl_act_sleep && f != awl_act_sleep_until)
    return false;
  wire_ud *ud;
  if (f == awl_act_sleep) {
    uint64_t ns = awl_check_ns(L, 2);
    ud = push_empty(L, awl_of(L));
    fill(L, ud, aw_sleep(ns));
  } else {
    uint64_t at = awl_check_time(L, 2);
    ud = push_empty(L, awl_of(L));
    fill(L, ud, aw_sleep_until(at));
  }
  return true;
}

static int m_Call(lua_State *L) {
  awl_state *s = awl_of(L);
  int extra = lua_gettop(L) - 1;
  if (!awl_callable(L, 1))
    return luaL_typeerror(L, 1, "function");
  if (lowered(L))
    return 1;
  return push_host_wire(L, s, AWL_LEAF_CALL, extra);
}

static int m_Value(lua_State *L) {
  return push_host_wire(L, awl_of(L), AWL_LEAF_VALUE, lua_gettop(L));
}

/* The Wires at 1..count, one after the other. */
static int push_sequence(lua_State *L, awl_state *s, int count) {
  for (int i = 1; i <= count; i++)
    check_ud(L, s, i);
  awl_push_compound(L, s, 1, count);
  aw_wire **wires =
      lua_newuserdatauv(L, (size_t)(count + 1) * sizeof *wires, 0);
  for (int i = 1; i <= count; i++)
    wires[i - 1] = aw_wire_keep(awl_wire_of(L, i));
  lua_pop(L, 1); /* nothing collects before the next line ends */
  return awl_fill_wire(L, aw_sequence(wires, (size_t)count));
}

static int m_Sequence(lua_State *L) {
  return push_sequence(L, awl_of(L), lua_gettop(L));
}

/* A composite of the Wire at `index`, made by `make(wire, number)`. */
static int push_unary(lua_State *L, awl_state *s, int index,
                      aw_wire *(*make)(aw_wire *, uint64_t), uint64_t number) {
  wire_ud *part = check_ud(L, s, index);
  awl_push_compound(L, s, index, 1);
  return awl_fill_wire(L, make(aw_wire_keep(part->wire), number));
}

/* How often, of the number at `index` [O2]. */
static uint64_t check_times(lua_State *L, int index) {
  int is_integer = 0;
  if (lua_type(L, index) == LUA_TNUMBER) {
    lua_Integer times = lua_tointegerx(L, index, &is_integer);
    if (is_integer)
      return times > 0 ? (uint64_t)times : 0;
    if (lua_tonumber(L, index) == HUGE_VAL)
      return AW_FOREVER;
    if (lua_tonumber(L, index) == -HUGE_VAL)
      return 0;
    awl_error(L, "a wire is repeated a whole number of times, got %s",
              luaL_tolstring(L, index, NULL));
  }
  awl_error(L, "a wire is repeated a whole number of times, got %s",
            luaL_typename(L, index));
  return 0;
}

static int m_Repeat(lua_State *L) {
  check_ud(L, awl_of(L), 1);
  return push_unary(L, awl_of(L), 1, aw_repeat, check_times(L, 2));
}

static int m_Forever(lua_State *L) {
  return push_unary(L, awl_of(L), 1, aw_repeat, AW_FOREVER);
}

static int m_Done(lua_State *L) {
  awl_state *s = awl_of(L);
  aw_task *task = awl_check_task(L, s, 1);
  wire_ud *ud = push_empty(L, s);
  lua_pushvalue(L, 1);
  lua_setiuservalue(L, -2, 1);
  return fill(L, ud, aw_when_done(task));
}

/* ---- operators ---- */

int awl_bad_operand(lua_State *L, int index, const char *operator) {
  return awl_error(L, "attempt to use a %s as a wire (operand of '%s')",
                   luaL_typename(L, index), operator);
}

static int w_shr(lua_State *L) {
  awl_state *s = awl_of(L);
  for (int i = 1; i <= 2; i++)
    if (!make_ud(L, s, i))
      return awl_bad_operand(L, i, ">>");
  return push_sequence(L, s, 2);
}

static int w_mul(lua_State *L) {
  awl_state *s = awl_of(L);
  int wire = to_ud(L, s, 1) ? 1 : 2;
  uint64_t times = check_times(L, 3 - wire);
  return push_unary(L, s, wire, aw_repeat, times);
}

/* The other operators mean nothing; say what does [O16]. */
int awl_misused(lua_State *L, const char *operator, const char * instead) {
  return awl_error(L, "'%s' means nothing for wires; %s", operator, instead);
}

#define MISUSED(name, operator, instead) \
  static int w_##name(lua_State *L) { \
    return awl_misused(L, operator, instead); \
  }
MISUSED(add, "+", "use a >> b for one after the other, a & b for both")
MISUSED(sub, "-", "use a >> b for one after the other")
MISUSED(mod, "%", "use w * n or Repeat(w, n) to repeat")
MISUSED(pow, "^", "use w * n or Repeat(w, n) to repeat")
MISUSED(bxor, "~", "use a | b for the first of two")
MISUSED(shl, "<<", "use a >> b for one after the other")
MISUSED(bnot, "~", "use a // b for what to do when a fails")
MISUSED(unm, "-", "use w:whole(), w:named(s) or w:shielded()")
MISUSED(len, "#", "use tostring(w) to see what it is made of")
MISUSED(lt, "<", "use a >> b for one after the other")
MISUSED(le, "<=", "use a >> b for one after the other")

static int w_newindex(lua_State *L) {
  return awl_error(L, "a wire is immutable (cannot set field '%s')",
                   luaL_tolstring(L, 2, NULL));
}

static int w_tostring(lua_State *L) {
  awl_state *s = awl_of(L);
  wire_ud *ud = to_ud(L, s, 1);
  if (!ud || !ud->wire)
    return luaL_typeerror(L, 1, "wire");
  awl_show_owned(L, s, ud->wire, 1);
  return 1;
}

static int w_gc(lua_State *L) {
  awl_state *s = lua_touserdata(L, lua_upvalueindex(1)); /* closed or not */
  wire_ud *ud = lua_touserdata(L, 1);
  aw_wire_release(ud->wire);
  ud->wire = NULL;
  s->wires--;
  return 0;
}

/* ---- methods ---- */

static aw_wire *whole(aw_wire *wire, uint64_t number) {
  (void)number;
  return aw_whole(wire);
}

static int w_whole(lua_State *L) {
  return push_unary(L, awl_of(L), 1, whole, 0);
}

static int w_shielded(lua_State *L) {
  check_ud(L, awl_of(L), 1);
  uint64_t grace = lua_isnoneornil(L, 2) ? AW_DEFAULT : awl_check_ns(L, 2);
  return push_unary(L, awl_of(L), 1, aw_shielded, grace);
}

static int w_named(lua_State *L) {
  awl_state *s = awl_of(L);
  wire_ud *part = check_ud(L, s, 1);
  const char *name = awl_intern(L, s, luaL_checkstring(L, 2));
  awl_push_compound(L, s, 1, 1);
  return awl_fill_wire(L, aw_named(aw_wire_keep(part->wire), name));
}

static const luaL_Reg methods[] = {{"whole", w_whole},
                                   {"named", w_named},
                                   {"shielded", w_shielded},
                                   {NULL, NULL}};

static const luaL_Reg metamethods[] = {{"__shr", w_shr},
                                       {"__mul", w_mul},
                                       {"__call", awl_act_step},
                                       {"__tostring", w_tostring},
                                       {"__newindex", w_newindex},
                                       {"__gc", w_gc},
                                       {"__add", w_add},
                                       {"__sub", w_sub},
                                       {"__mod", w_mod},
                                       {"__pow", w_pow},
                                       {"__bxor", w_bxor},
                                       {"__shl", w_shl},
                                       {"__bnot", w_bnot},
                                       {"__unm", w_unm},
                                       {"__len", w_len},
                                       {"__lt", w_lt},
                                       {"__le", w_le},
                                       {NULL, NULL}};

static const luaL_Reg constructors[] = {
    {"Wire", m_Wire},     {"Call", m_Call},
    {"Value", m_Value},   {"Sequence", m_Sequence},
    {"Repeat", m_Repeat}, {"Forever", m_Forever},
    {"Sleep", m_Sleep},   {"SleepUntil", m_SleepUntil},
    {"Done", m_Done},     {NULL, NULL}};

/* Into the module's table on top. */
void awl_open_wire(lua_State *L, awl_state *s) {
  awl_new_class(L, s, AWL_WIRE, "aiowire.Wire", methods, metamethods);
  awl_register(L, s, awl_compose_operators);
  lua_getfield(L, -1, "__index");
  awl_register(L, s, awl_compose_methods);
  lua_pop(L, 2);
  awl_register(L, s, constructors);
  wire_ud *never = push_empty(L, s);
  fill(L, never, aw_sleep(AW_NEVER));
  lua_setfield(L, -2, "Never");
}
