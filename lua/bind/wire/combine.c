/* combine.c - functions that combine wires: operators, methods, forms [O4-O14]
 *
 *   a & b   a | b   a // b   w / f
 *   w:timeout  w:retry  w:catch  w:finally  w:supervise  w:map  w:bind
 *   combine(form, limit, keys or nil, wires…)
 *                      for All{}, Any{}, Race{}, Select{}: aiowire/forms.lua
 *   Every(period, w, opts)
 *
 * Each makes one wire of the core out of Wires. A function becomes a leaf; the
 * results or the error of the first part are its arguments.
 *
 * Neighbours: constructors.c has the methods without a function and another
 * wire (whole, named, shielded); build.c makes Wires; run/input.c passes on
 * what the first part left.
 */
#include "wire/combine.h"

#include "base/classes.h"
#include "base/location.h"
#include "base/show_value.h"
#include "base/values.h"
#include "open.h"
#include "wire/build.h"

#include <math.h>
#include <string.h>

/* ---- operators ---- */

/* Make the two operands Wires, in place; raise for other values. */
static void check_operands(lua_State *L, awl_state *s, const char *operator) {
  for (int i = 1; i <= 2; i++)
    if (!awl_make_wire(L, s, i))
      awl_bad_operand(L, i, operator);
}

static int push_pair(lua_State *L, awl_state *s,
                     aw_wire *(*make)(aw_wire *, aw_wire *)) {
  awl_push_combined(L, s, 1, 2);
  aw_wire *a = awl_keep_wire(L, s, 1);
  aw_wire *b = awl_keep_wire(L, s, 2);
  return awl_fill_wire(L, s, make(a, b));
}

static int w_band(lua_State *L) {
  awl_state *s = awl_of(L);
  check_operands(L, s, "&");
  return push_pair(L, s, aw_both);
}

static int w_bor(lua_State *L) {
  awl_state *s = awl_of(L);
  check_operands(L, s, "|");
  return push_pair(L, s, aw_either);
}

static int w_idiv(lua_State *L) {
  awl_state *s = awl_of(L);
  check_operands(L, s, "//");
  return push_pair(L, s, aw_or_else);
}

/* Replace the function at `arg` by a leaf of kind `kind`, as a part. */
static void make_part(lua_State *L, awl_state *s, int arg, awl_leaf_kind kind) {
  lua_pushvalue(L, arg);
  awl_push_part(L, s, kind);
  lua_replace(L, arg);
}

static void check_wire_function(lua_State *L, awl_state *s, int arg) {
  if (!awl_callable(L, arg) || awl_is_object(L, s, arg))
    aw_lua_type_error(L, arg, "function");
}

/* (w, f) → the wire that runs w, then f with the results or the error of w. */
static int with_function(lua_State *L, awl_leaf_kind kind,
                         aw_wire *(*make)(aw_wire *, aw_wire *)) {
  awl_state *s = awl_of(L);
  awl_check_wire(L, s, 1);
  check_wire_function(L, s, 2);
  lua_settop(L, 2);
  make_part(L, s, 2, kind);
  return push_pair(L, s, make);
}

static int bad_function(lua_State *L, awl_state *s) {
  const char *type = awl_is_object(L, s, 2) ? "wire" : aw_lua_type_name(L, 2);
  return awl_error(L, "attempt to use %s %s as a function (operand of '/')",
                   awl_article(type), type);
}

static int w_div(lua_State *L) {
  awl_state *s = awl_of(L);
  if (!awl_is_object(L, s, 1))
    return awl_bad_operand(L, 1, "/");
  if (!awl_callable(L, 2) || awl_is_object(L, s, 2))
    return bad_function(L, s);
  return with_function(L, AWL_LEAF_MAP, aw_bind);
}

/* ---- methods ---- */

static int w_map(lua_State *L) {
  return with_function(L, AWL_LEAF_MAP, aw_bind);
}

static int w_bind(lua_State *L) {
  return with_function(L, AWL_LEAF_BIND, aw_bind);
}

static int w_catch(lua_State *L) {
  return with_function(L, AWL_LEAF_CATCH, aw_catch);
}

static int w_supervise(lua_State *L) {
  if (awl_is_keep(L, awl_of(L), 2))
    aw_lua_arg_error(L, 2,
                     "aw.keep is for start(): this wire ends well, and no "
                     "task is left to keep the failure");
  return with_function(L, AWL_LEAF_SUPERVISE, aw_catch);
}

/* w:finally(f [, grace]) */
static int w_finally(lua_State *L) {
  awl_state *s = awl_of(L);
  awl_check_wire(L, s, 1);
  check_wire_function(L, s, 2);
  uint64_t grace = lua_isnoneornil(L, 3) ? AW_DEFAULT : awl_check_ns(L, 3);
  lua_settop(L, 2);
  make_part(L, s, 2, AWL_LEAF_FINALLY);
  awl_push_combined(L, s, 1, 2);
  aw_wire *wire = awl_keep_wire(L, s, 1);
  return awl_fill_wire(L, s, aw_finally(wire, awl_keep_wire(L, s, 2), grace));
}

/* w:timeout(seconds [, {grace=}]) */
static int w_timeout(lua_State *L) {
  static const char *const names[] = {"grace", NULL};
  awl_state *s = awl_of(L);
  awl_check_wire(L, s, 1);
  uint64_t ns = awl_check_ns(L, 2), grace = AW_DEFAULT;
  if (!lua_isnoneornil(L, 3)) {
    aw_lua_check_options(L, 3, names, false);
    grace = aw_lua_opt_ns(L, 3, "grace", AW_DEFAULT);
  }
  awl_push_combined(L, s, 1, 1);
  return awl_fill_wire(L, s, aw_timeout(awl_keep_wire(L, s, 1), ns, grace));
}

/* Return the value on top as text for a message; strings are in quotes. */
static const char *shown(lua_State *L) {
  awl_show_value(L, awl_open(L), -1);
  return lua_tostring(L, -1);
}

/* ---- retry [O10] ---- */

/* Read the option `times`: a whole number of tries, at least 1; nil or
 * math.huge means no limit. */
static uint64_t opt_times(lua_State *L, int arg) {
  uint64_t times = AW_FOREVER;
  int is_integer = 0;
  if (lua_getfield(L, arg, "times") != LUA_TNIL &&
      !(lua_type(L, -1) == LUA_TNUMBER && lua_tonumber(L, -1) == HUGE_VAL)) {
    lua_Integer n =
        lua_type(L, -1) == LUA_TNUMBER ? lua_tointegerx(L, -1, &is_integer) : 0;
    if (!is_integer || n < 1)
      awl_error(L,
                "bad option 'times' (a whole number of tries, at least 1, "
                "expected, got %s)",
                shown(L));
    times = (uint64_t)n;
  }
  lua_pop(L, 1);
  return times;
}

static double opt_factor(lua_State *L, int arg) {
  static const double DOUBLE = 2;
  double factor = DOUBLE;
  if (lua_getfield(L, arg, "factor") != LUA_TNIL) {
    factor = lua_type(L, -1) == LUA_TNUMBER ? lua_tonumber(L, -1) : 0;
    if (!(factor >= 1) || factor == HUGE_VAL)
      awl_error(L,
                "bad option 'factor' (a number, at least 1, expected, "
                "got %s)",
                shown(L));
  }
  lua_pop(L, 1);
  return factor;
}

static bool opt_jitter(lua_State *L, int arg) {
  bool full = false;
  lua_getfield(L, arg, "jitter");
  if (lua_type(L, -1) == LUA_TSTRING &&
      strcmp(lua_tostring(L, -1), "full") == 0)
    full = true;
  else if (!lua_isnil(L, -1) &&
           !(lua_isboolean(L, -1) && !lua_toboolean(L, -1)))
    awl_error(L, "bad option 'jitter' (false or \"full\" expected, got %s)",
              shown(L));
  lua_pop(L, 1);
  return full;
}

/* For the core, a time of 0 means no limit. */
static uint64_t opt_limit(lua_State *L, int arg, const char *name) {
  uint64_t ns = aw_lua_opt_ns(L, arg, name, AW_NEVER);
  return ns > 0 ? ns : 1;
}

static aw_retry_rule check_rule(lua_State *L, int arg) {
  static const char *const names[] = {"times",  "delay",       "factor",
                                      "max",    "jitter",      "when",
                                      "within", "reset_after", NULL};
  aw_lua_check_options(L, arg, names, false);
  aw_retry_rule rule = {
      .times = opt_times(L, arg),
      .delay = aw_lua_opt_ns(L, arg, "delay", 0),
      .factor = opt_factor(L, arg),
      .most = opt_limit(L, arg, "max"),
      .within = opt_limit(L, arg, "within"),
      .jitter = opt_jitter(L, arg),
      .reset_after = aw_lua_opt_ns(L, arg, "reset_after", AW_NEVER),
      .size = sizeof rule,
  };
  if (rule.reset_after == 0)
    awl_error(L, "bad option 'reset_after' (seconds must be positive)");
  return rule;
}

static int bad_when(lua_State *L) {
  lua_pushvalue(L, 2);
  return aw_lua_bad_option(L, "when", "function");
}

/* w:retry{times=, delay=, factor=, max=, jitter=, when=, within=,
 *         reset_after=} */
static int w_retry(lua_State *L) {
  awl_state *s = awl_of(L);
  awl_check_wire(L, s, 1);
  if (!lua_istable(L, 2))
    aw_lua_type_error(L, 2, "table of options, as {times = 3}");
  lua_settop(L, 2);
  aw_retry_rule rule = check_rule(L, 2);
  int type = lua_getfield(L, 2, "when");
  lua_replace(L, 2);
  if (type != LUA_TNIL && (!awl_callable(L, 2) || awl_is_object(L, s, 2)))
    return bad_when(L);
  if (type != LUA_TNIL)
    make_part(L, s, 2, AWL_LEAF_WHEN);
  awl_push_combined(L, s, 1, type != LUA_TNIL ? 2 : 1);
  aw_wire *when = type != LUA_TNIL ? awl_keep_wire(L, s, 2) : NULL;
  return awl_fill_wire(L, s, aw_retry(awl_keep_wire(L, s, 1), &rule, when));
}

/* ---- Every [K4] ---- */

/* Every(period, w [, {missed=}]) */
static int m_Every(lua_State *L) {
  static const char *const names[] = {"missed", NULL};
  static const char *const missed[] = {"skip", "burst", "delay"};
  awl_state *s = awl_of(L);
  uint64_t period = awl_check_ns(L, 1);
  aw_lua_arg_check(L, period > 0, 1, "seconds must be positive");
  awl_check_wire(L, s, 2);
  int how = AW_MISSED_SKIP;
  if (!lua_isnoneornil(L, 3)) {
    aw_lua_check_options(L, 3, names, false);
    if (lua_getfield(L, 3, "missed") != LUA_TNIL) {
      const char *text =
          lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1) : "";
      while (how <= AW_MISSED_DELAY && strcmp(missed[how], text) != 0)
        how++;
      if (how > AW_MISSED_DELAY)
        return awl_error(L,
                         "bad option 'missed' (\"skip\", \"burst\" or "
                         "\"delay\" expected, got %s)",
                         shown(L));
    }
  }
  awl_push_combined(L, s, 2, 1);
  return awl_fill_wire(
      L, s, aw_every(period, awl_keep_wire(L, s, 2), (aw_missed)how));
}

/* ---- table forms [O6] ---- */

static aw_wire *make_any(aw_wire *const *wires, size_t count, uint32_t limit) {
  (void)limit;
  return aw_any(wires, count);
}

static aw_wire *make_race(aw_wire *const *wires, size_t count, uint32_t limit) {
  (void)limit;
  return aw_race(wires, count);
}

static aw_wire *make_select(aw_wire *const *wires, size_t count,
                            uint32_t limit) {
  (void)limit;
  return aw_select(wires, count);
}

typedef struct wire_form {
  const char *name; /* name of the module's function */
  aw_wire *(*make)(aw_wire *const *wires, size_t count, uint32_t limit);
  awl_leaf_kind keyed; /* kind of the leaf that puts results under keys */
} wire_form;

static const wire_form *form_called(lua_State *L, const char *name) {
  static const wire_form forms[] = {
      {"All", aw_all, AWL_LEAF_KEYED},
      {"Any", make_any, AWL_LEAF_KEYED},
      {"Race", make_race, AWL_LEAF_KEY_LAST},
      {"Select", make_select, AWL_LEAF_KEY_FIRST}};
  for (size_t i = 0; i < sizeof forms / sizeof *forms; i++)
    if (strcmp(forms[i].name, name) == 0)
      return &forms[i];
  luaL_error(L, "no form '%s' in combine()", name);
  return NULL; /* not reached */
}

/* combine(form, limit, keys or nil, wires…): the combined Wire. The wires must
 * be Wires, see inner_wire(). */
static int inner_combine(lua_State *L) {
  enum { FORM = 1, LIMIT, KEYS, FIRST };
  awl_state *s = awl_of(L);
  const wire_form *form = form_called(L, lua_tostring(L, FORM));
  uint32_t limit = (uint32_t)lua_tointeger(L, LIMIT);
  bool keyed = !lua_isnil(L, KEYS);
  int count = lua_gettop(L) - KEYS;
  if (keyed)
    make_part(L, s, KEYS, form->keyed);
  int first = keyed ? KEYS : FIRST;
  aw_wire **wires =
      lua_newuserdatauv(L, (size_t)(count + 1) * sizeof *wires, 0);
  lua_insert(L, 1); /* out of the way, and alive; all else is one further */
  awl_push_combined(L, s, first + 1, count + keyed);
  for (int i = 0; i < count; i++)
    wires[i] = awl_keep_wire(L, s, FIRST + 1 + i);
  aw_wire *wire = form->make(wires, (size_t)count, limit);
  if (keyed)
    wire = aw_bind(wire, awl_keep_wire(L, s, KEYS + 1));
  return awl_fill_wire(L, s, wire);
}

/* wire(v): v as a Wire, or nil when it is not accepted as one [V2]. */
static int inner_wire(lua_State *L) {
  lua_settop(L, 1);
  if (!awl_make_wire(L, awl_of(L), 1))
    lua_pushnil(L);
  return 1;
}

/* shown(v): a short text for a key or a value in a message */
static int inner_shown(lua_State *L) {
  awl_show_key(L, awl_of(L), 1);
  return 1;
}

/* is_before(a, b): does a come before b in byte order, in any locale [O6]? */
static int inner_is_before(lua_State *L) {
  size_t a_size, b_size;
  const char *a = lua_tolstring(L, 1, &a_size);
  const char *b = lua_tolstring(L, 2, &b_size);
  int order = memcmp(a, b, a_size < b_size ? a_size : b_size);
  lua_pushboolean(L, order != 0 ? order < 0 : a_size < b_size);
  return 1;
}

/* is_event(w): is the Wire w an event [V3]? */
static int inner_is_event(lua_State *L) {
  lua_pushboolean(L, aw_wire_is_event(awl_own_wire(L, awl_of(L), 1)));
  return 1;
}

void awl_open_combine(lua_State *L, awl_state *s) {
  static const luaL_Reg inner[] = {
      {"combine", inner_combine},   {"wire", inner_wire},
      {"shown", inner_shown},       {"is_before", inner_is_before},
      {"is_event", inner_is_event}, {NULL, NULL}};
  static const luaL_Reg functions[] = {{"Every", m_Every}, {NULL, NULL}};
  awl_register(L, s, functions);
  lua_pushvalue(L, -2);
  awl_register_inner(L, s, inner);
  lua_pop(L, 1);
}

const luaL_Reg awl_combine_methods[] = {
    {"map", w_map},         {"bind", w_bind},
    {"catch", w_catch},     {"supervise", w_supervise},
    {"finally", w_finally}, {"timeout", w_timeout},
    {"retry", w_retry},     {NULL, NULL}};

const luaL_Reg awl_combine_operators[] = {{"__band", w_band},
                                          {"__bor", w_bor},
                                          {"__idiv", w_idiv},
                                          {"__div", w_div},
                                          {NULL, NULL}};
