/* constructors.c - the class Wire: constructors, >> and *, other metamethods,
 * some methods [V1-V7, O1, O2, O16]
 *
 * Neighbours: build.c makes Wires, convert.c gives them to the core; combine.c
 * has the other operators and methods.
 */
#include "base/classes.h"
#include "base/location.h"
#include "base/resources.h"
#include "base/show_value.h"
#include "base/tasks.h"
#include "base/values.h"
#include "open.h"
#include "wire/build.h"
#include "wire/combine.h"
#include "wire/show.h"
#include "wire/sleeps.h"

#include <math.h>

/* ---- constructors ---- */

static int m_Wire(lua_State *L) {
  awl_state *s = awl_of(L);
  int extra = lua_gettop(L) - 1;
  if (extra == 0 && awl_is_made(L, s, 1))
    return 1;
  if (!awl_callable(L, 1) || (extra > 0 && awl_is_made(L, s, 1)))
    return aw_lua_type_error(L, 1, extra > 0 ? "function" : "wire");
  return awl_push_body(L, s, extra);
}

static int push_sleep(lua_State *L, int arg) {
  awl_state *s = awl_of(L);
  return awl_push_sleep(L, s, awl_check_ns(L, arg), false);
}

static int push_sleep_until(lua_State *L, int arg) {
  awl_state *s = awl_of(L);
  return awl_push_sleep(L, s, awl_check_time(L, arg), true);
}

static int m_Sleep(lua_State *L) {
  return push_sleep(L, 1);
}

static int m_SleepUntil(lua_State *L) {
  return push_sleep_until(L, 1);
}

/* Call(aw.sleep, s) makes the wire Sleep(s) [V7], and checks s now. */
static int m_Call(lua_State *L) {
  if (!awl_callable(L, 1))
    return aw_lua_type_error(L, 1, "function");
  awl_state *s = awl_of(L);
  lua_CFunction f = lua_tocfunction(L, 1);
  if (f && f == s->upcalls.sleep)
    return push_sleep(L, 2);
  if (f && f == s->upcalls.sleep_until)
    return push_sleep_until(L, 2);
  return awl_push_leaf(L, s, AWL_LEAF_CALL, lua_gettop(L) - 1);
}

static int m_Value(lua_State *L) {
  return awl_push_leaf(L, awl_of(L), AWL_LEAF_VALUE, lua_gettop(L));
}

/* Push the sequence of the Wires at 1..count. */
static int push_sequence(lua_State *L, awl_state *s, int count) {
  for (int i = 1; i <= count; i++)
    awl_check_wire(L, s, i);
  awl_push_combined(L, s, 1, count);
  aw_wire **wires =
      lua_newuserdatauv(L, (size_t)(count + 1) * sizeof *wires, 0);
  for (int i = 1; i <= count; i++)
    wires[i - 1] = awl_keep_wire(L, s, i);
  /* the part stays alive: nothing collects before the next line ends */
  lua_pop(L, 1);
  return awl_fill_wire(L, s, aw_sequence(wires, (size_t)count));
}

static int m_Sequence(lua_State *L) {
  return push_sequence(L, awl_of(L), lua_gettop(L));
}

/* Push a composite of the Wire at `index`, made by `make(wire, number)`. */
static int push_unary(lua_State *L, awl_state *s, int index,
                      aw_wire *(*make)(aw_wire *, uint64_t), uint64_t number) {
  awl_check_wire(L, s, index);
  awl_push_combined(L, s, index, 1);
  aw_wire *part = awl_keep_wire(L, s, index);
  return awl_fill_wire(L, s, make(part, number));
}

/* Read a number of repetitions at `index` [O2]. */
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
            aw_lua_type_name(L, index));
  return 0;
}

static int m_Repeat(lua_State *L) {
  awl_check_wire(L, awl_of(L), 1);
  return push_unary(L, awl_of(L), 1, aw_repeat, check_times(L, 2));
}

static int m_Forever(lua_State *L) {
  return push_unary(L, awl_of(L), 1, aw_repeat, AW_FOREVER);
}

static int m_Done(lua_State *L) {
  awl_state *s = awl_of(L);
  aw_task *task = awl_check_task(L, s, 1);
  awl_push_simple(L, s);
  lua_pushvalue(L, 1);
  lua_setiuservalue(L, -2, 1);
  return awl_fill_wire(L, s, aw_when_done(task));
}

/* ---- operators ---- */

static int w_shr(lua_State *L) {
  awl_state *s = awl_of(L);
  for (int i = 1; i <= 2; i++)
    if (!awl_make_wire(L, s, i))
      return awl_bad_operand(L, i, ">>");
  awl_push_combined(L, s, 1, 2);
  aw_wire *first = awl_keep_wire(L, s, 1);
  return awl_fill_wire(L, s, aw_then(first, awl_keep_wire(L, s, 2)));
}

static int w_mul(lua_State *L) {
  awl_state *s = awl_of(L);
  int wire = awl_is_made(L, s, 1) ? 1 : 2;
  uint64_t times = check_times(L, 3 - wire);
  return push_unary(L, s, wire, aw_repeat, times);
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
  awl_show_key(L, awl_of(L), 2);
  return awl_error(L, "a wire is immutable (cannot set field '%s')",
                   lua_tostring(L, -1));
}

static int w_tostring(lua_State *L) {
  awl_state *s = awl_of(L);
  if (!awl_is_object(L, s, 1))
    return aw_lua_type_error(L, 1, "wire");
  const aw_wire *wire = awl_own_wire(L, s, 1);
  if (!wire) {
    lua_pushliteral(L, AWL_FINALIZED_WIRE);
    return 1;
  }
  awl_show_owned(L, s, wire, 1);
  return 1;
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
  awl_check_wire(L, awl_of(L), 1);
  uint64_t grace = lua_isnoneornil(L, 2) ? AW_DEFAULT : awl_check_ns(L, 2);
  return push_unary(L, awl_of(L), 1, aw_shielded, grace);
}

static int w_named(lua_State *L) {
  awl_state *s = awl_of(L);
  awl_check_wire(L, s, 1);
  const char *name = aw_lua_check_string(L, 2, NULL);
  awl_push_combined(L, s, 1, 1);
  return awl_fill_wire(L, s, aw_named(awl_keep_wire(L, s, 1), name));
}

static const luaL_Reg methods[] = {{"whole", w_whole},
                                   {"named", w_named},
                                   {"shielded", w_shielded},
                                   {NULL, NULL}};

static const luaL_Reg metamethods[] = {{"__shr", w_shr},
                                       {"__mul", w_mul},
                                       {"__tostring", w_tostring},
                                       {"__newindex", w_newindex},
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

static const luaL_Reg finalizer[] = {{"__gc", awl_wire_gc}, {NULL, NULL}};

static const luaL_Reg constructors[] = {
    {"Wire", m_Wire},     {"Call", m_Call},
    {"Value", m_Value},   {"Sequence", m_Sequence},
    {"Repeat", m_Repeat}, {"Forever", m_Forever},
    {"Sleep", m_Sleep},   {"SleepUntil", m_SleepUntil},
    {"Done", m_Done},     {NULL, NULL}};

static void release_wire(void *thing) {
  aw_wire_release(thing);
}

static void open_class(lua_State *L, awl_state *s, awl_class class) {
  awl_new_class(L, s, class, "aiowire.Wire", methods, metamethods);
  awl_register(L, s, awl_combine_operators);
  lua_getfield(L, -1, "__index");
  awl_register(L, s, awl_combine_methods);
  lua_pop(L, 1);
}

/* Register the functions in the module's table, on top. */
void awl_open_constructors(lua_State *L, awl_state *s) {
  open_class(L, s, AWL_WIRE);
  awl_register(L, s, finalizer);
  open_class(L, s, AWL_SLEEP);
  open_class(L, s, AWL_BODY);
  lua_pop(L, 3);
  awl_set_release(s, AWL_RESOURCE_WIRE, release_wire);
  awl_set_wire_show(s);
  awl_register(L, s, constructors);
  awl_push_sleep(L, s, AW_NEVER, false);
  lua_setfield(L, -2, "Never");
}
