/* show.c - shows a wire as the expression that makes it [V8]
 *
 * The text has as few parentheses as Lua's precedence allows. It is written
 * from left to right, with a bounded length: deep parts are cut, and so are
 * long lists of parts or arguments. The walk ends as soon as the text is full,
 * so its time is bounded, too. No code of users is called.
 *
 * `owner` is the Wire that is shown. If the whole Wire is one leaf, the
 * arguments of the leaf are in the Wire.
 *
 * This file is longer than others, since it is one walk: each kind of wire has
 * its few lines here, and operators need each other's precedence.
 *
 * Neighbours: base/text.c bounds the text; base/show_value.c shows values;
 * task_text.c shows tasks and waits; look.c takes wires apart for graphs.
 */
#include "wire/show.h"

#include "base/show_value.h"
#include "base/tasks.h"
#include "base/text.h"
#include "wire/build.h"
#include "wire/convert.h"

#include <string.h>

enum { DEEPEST = 30, MOST_PARTS = 50 };

typedef struct shower {
  lua_State *L;
  awl_state *s;
  awl_text *text;
  int owner; /* stack index of the shown Wire; nil there: not known */
} shower;

static void put_text(const shower *show, const char *piece) {
  awl_text_put(show->text, piece);
}

static void put_seconds(const shower *show, const char *format, uint64_t ns) {
  awl_text_format(show->text, format, (double)ns / 1e9);
}

/* Add a name or a key that a user chose, cut by itself. */
static void put_name(const shower *show, const char *name, size_t size) {
  size_t begun = awl_text_begin_name(show->text);
  awl_text_add(show->text, name, size);
  awl_text_end_name(show->text, begun);
}

/* Add a name that the core keeps; it may be NULL. */
static void put_core_name(const shower *show, const char *name) {
  if (name)
    put_name(show, name, strnlen(name, AWL_LONGEST_NAME + 1));
}

/* Begin part number `i` of a list. False: the part is not shown. */
static bool begin_part(const shower *show, size_t i, const char *between) {
  if (show->text->full)
    return false;
  if (i > 0)
    put_text(show, between);
  if (i < MOST_PARTS)
    return true;
  put_text(show, "...");
  return false;
}

/* ---- wires: leaves ---- */

static void put_wire(const shower *show, const aw_wire *wire, int depth);

/* Add a wire whose Wire is at `owner`. */
static void put_wire_of(const shower *show, const aw_wire *wire, int owner,
                        int depth) {
  shower inner = {show->L, show->s, show->text, owner};
  put_wire(&inner, wire, depth);
}

/* Add a task by its name, or by its wire. */
static void put_task(const shower *show, const aw_task *task, int depth) {
  lua_State *L = show->L;
  const char *name = aw_task_name(task);
  const aw_wire *wire = name ? NULL : aw_task_wire(task);
  awl_text_format(show->text, "task %llu '",
                  (unsigned long long)aw_task_id(task));
  size_t begun = awl_text_begin_name(show->text);
  if (wire) {
    awl_push_owner(L, show->s, wire);
    put_wire_of(show, wire, lua_gettop(L), depth + 1);
  } else {
    awl_push_given_name(L, task);
    put_core_name(show, lua_tostring(L, -1));
  }
  lua_pop(L, 1);
  awl_text_end_name(show->text, begun);
  put_text(show, "'");
}

/* Add the value on top (popped); a Wire is cut like any part. */
static void take_value(const shower *show, int depth) {
  lua_State *L = show->L;
  int value = lua_gettop(L);
  const aw_task *task = awl_test_task(L, show->s, value);
  const aw_wire *wire =
      awl_is_object(L, show->s, value) ? awl_own_wire(L, show->s, value) : NULL;
  if (wire) {
    put_wire_of(show, wire, value, depth + 1);
  } else if (task) {
    put_task(show, task, depth + 1);
  } else {
    awl_show_value(L, show->s, value);
    put_core_name(show, lua_tostring(L, -1));
  }
  lua_settop(L, value - 1);
}

/* Add the arguments of a leaf; the table of arguments is on top, or the Wire in
 * which they are. If not `first`, a comma comes before them. */
static void put_arguments(const shower *show, const awl_leaf *leaf, bool first,
                          int depth) {
  lua_State *L = show->L;
  if (!lua_istable(L, -1) && !(leaf->wrapped && lua_isuserdata(L, -1)))
    return; /* the table and the wire are being collected */
  for (int i = 1; i <= leaf->extra && !show->text->full; i++) {
    if (!first)
      put_text(show, ", ");
    first = false;
    if (i > MOST_PARTS) {
      put_text(show, "...");
      return;
    }
    if (leaf->wrapped)
      lua_getiuservalue(L, -1, i + 1);
    else
      lua_rawgeti(L, -1, i);
    take_value(show, depth);
  }
}

/* Push what has the arguments of a leaf, for put_arguments(). */
static void push_arguments(const shower *show, const awl_leaf *leaf) {
  lua_State *L = show->L;
  if (leaf->wrapped)
    lua_pushvalue(L, show->owner);
  else if (leaf->number != AWL_UNNUMBERED)
    awl_get(L, show->s, AWL_BODIES, (lua_Integer)leaf->number + 1);
  else if (lua_isuserdata(L, show->owner))
    lua_getiuservalue(L, show->owner, 1);
  else
    lua_pushnil(L);
}

/* Returns the function of the module that makes leaves of this kind, or NULL if
 * no such function does. */
static const char *constructor_of(awl_leaf_kind kind) {
  switch (kind) {
  case AWL_LEAF_CALL: return "Call";
  case AWL_LEAF_BODY: return "Wire";
  case AWL_LEAF_VALUE: return "Value";
  case AWL_LEAF_HELD:
  case AWL_LEAF_MAP:
  case AWL_LEAF_BIND:
  case AWL_LEAF_CATCH:
  case AWL_LEAF_FINALLY:
  case AWL_LEAF_SUPERVISE:
  case AWL_LEAF_WHEN:
  case AWL_LEAF_KEYED:
  case AWL_LEAF_KEY_LAST:
  case AWL_LEAF_KEY_FIRST: break;
  }
  return NULL;
}

static void put_host(const shower *show, const aw_wire_view *view, int depth) {
  const awl_leaf *leaf = view->data;
  const char *name =
      leaf->wrapped ? "Wire" : constructor_of(leaf->kind); /* a held body */
  if (!name) {
    put_core_name(show, view->name);
    return;
  }
  put_text(show, name);
  put_text(show, "(");
  put_core_name(show, view->name);
  if (leaf->extra >= 0) {
    push_arguments(show, leaf);
    put_arguments(show, leaf, leaf->kind == AWL_LEAF_VALUE, depth);
    lua_pop(show->L, 1);
  }
  put_text(show, ")");
}

static void put_sleep(const shower *show, const aw_wire_view *view) {
  if (view->number == AW_NEVER)
    put_text(show, "Never");
  else if (view->kind == AW_WIRE_SLEEP)
    put_seconds(show, "Sleep(%.14g)", view->number);
  else
    put_seconds(show, "SleepUntil(%.14g)", view->number);
}

/* Add for example Readable(5) for the operation "readable". An operation that
 * sends shows its value, too. */
static void put_wait(const shower *show, const aw_wire_view *view, int depth) {
  char about[AWL_LONGEST_WAIT];
  awl_describe(view->operation, view->data, about, sizeof about);
  if (!*about) {
    put_text(show, view->name);
    return;
  }
  char first = *view->name;
  if (first >= 'a' && first <= 'z')
    first = (char)(first + 'A' - 'a');
  awl_text_add(show->text, &first, 1);
  put_text(show, view->name + 1);
  put_text(show, "(");
  put_text(show, about);
  if (awl_push_operation_argument(show->L, show->s, view)) {
    put_text(show, ", ");
    take_value(show, depth);
  }
  put_text(show, ")");
}

/* ---- wires: operators ----
 *
 * The levels of the operators of wires, by Lua's precedence, the loosest first.
 * A part gets parentheses if its operator binds looser than its place needs.
 */
typedef enum level {
  LEVEL_RACE = 1, /* | */
  LEVEL_JOIN,     /* & */
  LEVEL_SEQUENCE, /* >> */
  LEVEL_STEP,     /* * / // */
  LEVEL_RIGHT,    /* the right side of * / // */
  LEVEL_METHOD    /* names, calls, objects of methods */
} level;

static bool is_mapped(const aw_wire_view *view);

static level level_of(const aw_wire_view *view) {
  switch (view->kind) {
  case AW_WIRE_RACE: return view->table ? LEVEL_METHOD : LEVEL_RACE;
  case AW_WIRE_ALL: return view->table ? LEVEL_METHOD : LEVEL_JOIN;
  case AW_WIRE_SEQUENCE: return view->count > 1 ? LEVEL_SEQUENCE : LEVEL_METHOD;
  case AW_WIRE_REPEAT:
    return view->number == AW_FOREVER ? LEVEL_METHOD : LEVEL_STEP;
  case AW_WIRE_ELSE: return LEVEL_STEP;
  case AW_WIRE_BIND: return is_mapped(view) ? LEVEL_STEP : LEVEL_METHOD;
  case AW_WIRE_CALL:
  case AW_WIRE_HOST:
  case AW_WIRE_SLEEP:
  case AW_WIRE_UNTIL:
  case AW_WIRE_DONE:
  case AW_WIRE_WAIT:
  case AW_WIRE_WHOLE:
  case AW_WIRE_SHIELD:
  case AW_WIRE_NAMED:
  case AW_WIRE_ANY:
  case AW_WIRE_SELECT:
  case AW_WIRE_TIMEOUT:
  case AW_WIRE_CATCH:
  case AW_WIRE_FINALLY:
  case AW_WIRE_RETRY:
  case AW_WIRE_EVERY:
  case AW_WIRE_SLOT: break;
  }
  return LEVEL_METHOD;
}

/* Add a part for a place that needs at least the level `least`. */
static void put_operand(const shower *show, const aw_wire *part, level least,
                        int depth) {
  aw_wire_view view;
  awl_look_inside(part, &view);
  bool fits = level_of(&view) >= least;
  if (!fits)
    put_text(show, "(");
  put_wire(show, part, depth + 1);
  if (!fits)
    put_text(show, ")");
}

/* Add all parts, with `between` between them. */
static void put_list(const shower *show, const aw_wire_view *view,
                     const char *between, level first, level others,
                     int depth) {
  for (size_t i = 0; i < view->count && begin_part(show, i, between); i++)
    put_operand(show, aw_wire_part(view, i), i > 0 ? others : first, depth);
}

static void put_sequence(const shower *show, const aw_wire_view *view,
                         int depth) {
  if (view->count > 1) {
    put_list(show, view, " >> ", LEVEL_STEP, LEVEL_STEP, depth);
    return;
  }
  put_text(show, "Sequence(");
  put_list(show, view, "", LEVEL_RACE, LEVEL_RACE, depth);
  put_text(show, ")");
}

static void put_repeat(const shower *show, const aw_wire_view *view,
                       int depth) {
  if (view->number == AW_FOREVER) {
    put_text(show, "Forever(");
    put_wire(show, aw_wire_part(view, 0), depth + 1);
    put_text(show, ")");
    return;
  }
  put_operand(show, aw_wire_part(view, 0), LEVEL_STEP, depth);
  awl_text_format(show->text, " * %llu", (unsigned long long)view->number);
}

/* ---- wires: table forms ---- */

/* Add "key = " for part `i`, if the list at `keys` (0: none) has a string for
 * it. */
static void put_key(const shower *show, int keys, size_t i) {
  lua_State *L = show->L;
  if (keys == 0)
    return;
  if (lua_rawgeti(L, keys, (lua_Integer)i + 1) == LUA_TSTRING) {
    size_t size;
    const char *key = lua_tolstring(L, -1, &size);
    put_name(show, key, size);
    put_text(show, " = ");
  }
  lua_pop(L, 1);
}

static void put_form(const shower *show, const aw_wire_view *view, int keys,
                     int depth) {
  put_text(show, view->kind == AW_WIRE_ALL    ? "All{"
                 : view->kind == AW_WIRE_RACE ? "Race{"
                 : view->kind == AW_WIRE_ANY  ? "Any{"
                                              : "Select{");
  for (size_t i = 0; i < view->count && begin_part(show, i, ", "); i++) {
    put_key(show, keys, i);
    put_wire(show, aw_wire_part(view, i), depth + 1);
  }
  if (view->number > 0)
    awl_text_format(show->text, ", limit = %llu",
                    (unsigned long long)view->number);
  put_text(show, "}");
}

/* ---- wires: methods ---- */

/* Add seconds; AW_NEVER is "math.huge" */
static void put_time(const shower *show, uint64_t ns) {
  if (ns == AW_NEVER)
    put_text(show, "math.huge");
  else
    put_seconds(show, "%.14g", ns);
}

/* Add "w:name", where w is the first part of `view`. */
static void put_method(const shower *show, const aw_wire_view *view,
                       const char *name, int depth) {
  put_operand(show, aw_wire_part(view, 0), LEVEL_METHOD, depth);
  put_text(show, ":");
  put_text(show, name);
}

static bool is_mapped(const aw_wire_view *view) {
  const awl_leaf *leaf = awl_second_leaf(view);
  return leaf && leaf->kind == AWL_LEAF_MAP;
}

static void put_name_of_second(const shower *show, const aw_wire_view *view) {
  const char *name = aw_wire_name(aw_wire_part(view, 1));
  put_core_name(show, name ? name : "C step");
}

/* Add w:name(f). */
static void put_second(const shower *show, const aw_wire_view *view,
                       const char *name, int depth) {
  put_method(show, view, name, depth);
  put_text(show, "(");
  put_name_of_second(show, view);
  put_text(show, ")");
}

static void put_keyed(const shower *show, const aw_wire_view *view,
                      const awl_leaf *leaf, int depth) {
  lua_State *L = show->L;
  aw_wire_view form;
  aw_wire_look(aw_wire_part(view, 0), &form);
  awl_get(L, show->s, AWL_BODIES, (lua_Integer)leaf->number + 1);
  put_form(show, &form, lua_istable(L, -1) ? lua_gettop(L) : 0, depth);
  lua_pop(L, 1);
}

static void put_bind(const shower *show, const aw_wire_view *view, int depth) {
  const awl_leaf *leaf = awl_second_leaf(view);
  if (leaf && awl_leaf_is_keyed(leaf)) {
    put_keyed(show, view, leaf, depth);
  } else if (leaf && leaf->kind == AWL_LEAF_MAP) {
    put_operand(show, aw_wire_part(view, 0), LEVEL_STEP, depth);
    put_text(show, " / ");
    put_name_of_second(show, view);
  } else {
    put_second(show, view, "bind", depth);
  }
}

/* Add w:finally(f [, grace]). */
static void put_finally(const shower *show, const aw_wire_view *view,
                        int depth) {
  put_method(show, view, "finally", depth);
  put_text(show, "(");
  put_name_of_second(show, view);
  if (view->number != AW_DEFAULT) {
    put_text(show, ", ");
    put_time(show, view->number);
  }
  put_text(show, ")");
}

static void put_catch(const shower *show, const aw_wire_view *view, int depth) {
  const awl_leaf *leaf = awl_second_leaf(view);
  bool supervise = leaf && leaf->kind == AWL_LEAF_SUPERVISE;
  put_second(show, view, supervise ? "supervise" : "catch", depth);
}

/* Add w:name(seconds [, {grace=}]) or w:shielded(). */
static void put_timed(const shower *show, const aw_wire_view *view,
                      const char *name, int depth) {
  put_method(show, view, name, depth);
  put_text(show, "(");
  if (view->number != AW_DEFAULT)
    put_time(show, view->number);
  if (view->kind == AW_WIRE_TIMEOUT && view->grace != AW_DEFAULT) {
    put_text(show, ", {grace = ");
    put_time(show, view->grace);
    put_text(show, "}");
  }
  put_text(show, ")");
}

static void put_whole(const shower *show, const aw_wire_view *view, int depth) {
  put_method(show, view, "whole()", depth);
}

/* Add "name = ", with a comma before it unless it is the first option. */
static void begin_option(const shower *show, const char *name, bool *first) {
  if (!*first)
    put_text(show, ", ");
  *first = false;
  put_text(show, name);
  put_text(show, " = ");
}

/* Add the option `name`, a time, unless it has the default `otherwise`. */
static void put_time_option(const shower *show, const char *name, uint64_t ns,
                            uint64_t otherwise, bool *first) {
  if (ns == otherwise)
    return;
  begin_option(show, name, first);
  put_time(show, ns);
}

static void put_number(const shower *show, double number) {
  lua_State *L = show->L;
  lua_pushnumber(L, number);
  put_text(show, luaL_tolstring(L, -1, NULL));
  lua_pop(L, 2);
}

/* Add the options of a retry that differ from their defaults. Return true if
 * there are none. */
static bool put_rule(const shower *show, const aw_retry_rule *rule) {
  static const double DOUBLE = 2;
  bool first = true;
  if (rule->times != AW_FOREVER) {
    begin_option(show, "times", &first);
    awl_text_format(show->text, "%llu", (unsigned long long)rule->times);
  }
  put_time_option(show, "delay", rule->delay, 0, &first);
  if (rule->factor < DOUBLE || rule->factor > DOUBLE) {
    begin_option(show, "factor", &first);
    put_number(show, rule->factor);
  }
  put_time_option(show, "max", rule->most, AW_NEVER, &first);
  if (rule->jitter) {
    begin_option(show, "jitter", &first);
    put_text(show, "\"full\"");
  }
  put_time_option(show, "within", rule->within, AW_NEVER, &first);
  if (rule->reset_after > 0)
    put_time_option(show, "reset_after", rule->reset_after, AW_NEVER, &first);
  return first;
}

static void put_retry(const shower *show, const aw_wire_view *view, int depth) {
  put_method(show, view, "retry{", depth);
  bool first = put_rule(show, view->rule);
  if (view->count > 1) {
    begin_option(show, "when", &first);
    put_name_of_second(show, view);
  }
  put_text(show, "}");
}

static void put_every(const shower *show, const aw_wire_view *view, int depth) {
  static const char *const missed[] = {")", ", {missed = \"burst\"})",
                                       ", {missed = \"delay\"})"};
  put_text(show, "Every(");
  put_time(show, view->number);
  put_text(show, ", ");
  put_wire(show, aw_wire_part(view, 0), depth + 1);
  put_text(show, missed[view->missed]);
}

/* ---- wires: all ---- */

static void put_done(const shower *show, const aw_wire_view *view, int depth) {
  put_text(show, "Done(");
  put_task(show, view->task, depth);
  put_text(show, ")");
}

static void put_group(const shower *show, const aw_wire_view *view, int depth) {
  if (view->table)
    put_form(show, view, 0, depth);
  else if (view->kind == AW_WIRE_ALL)
    put_list(show, view, " & ", LEVEL_SEQUENCE, LEVEL_SEQUENCE, depth);
  else
    put_list(show, view, " | ", LEVEL_JOIN, LEVEL_JOIN, depth);
}

static void put_wire(const shower *show, const aw_wire *wire, int depth) {
  aw_wire_view view;
  if (show->text->full)
    return;
  if (depth > DEEPEST) {
    put_text(show, "...");
    return;
  }
  luaL_checkstack(show->L, LUA_MINSTACK, "wire too deep");
  awl_look_inside(wire, &view);
  switch (view.kind) {
  case AW_WIRE_HOST: put_host(show, &view, depth); break;
  case AW_WIRE_SLEEP:
  case AW_WIRE_UNTIL: put_sleep(show, &view); break;
  case AW_WIRE_SEQUENCE: put_sequence(show, &view, depth); break;
  case AW_WIRE_REPEAT: put_repeat(show, &view, depth); break;
  case AW_WIRE_WHOLE: put_whole(show, &view, depth); break;
  case AW_WIRE_SHIELD: put_timed(show, &view, "shielded", depth); break;
  case AW_WIRE_TIMEOUT: put_timed(show, &view, "timeout", depth); break;
  case AW_WIRE_DONE: put_done(show, &view, depth); break;
  case AW_WIRE_NAMED: put_core_name(show, view.name); break;
  case AW_WIRE_WAIT: put_wait(show, &view, depth); break;
  case AW_WIRE_CALL: put_text(show, "C step"); break;
  case AW_WIRE_ALL:
  case AW_WIRE_RACE:
  case AW_WIRE_ANY:
  case AW_WIRE_SELECT: put_group(show, &view, depth); break;
  case AW_WIRE_ELSE:
    put_list(show, &view, " // ", LEVEL_STEP, LEVEL_RIGHT, depth);
    break;
  case AW_WIRE_BIND: put_bind(show, &view, depth); break;
  case AW_WIRE_CATCH: put_catch(show, &view, depth); break;
  case AW_WIRE_FINALLY: put_finally(show, &view, depth); break;
  case AW_WIRE_RETRY: put_retry(show, &view, depth); break;
  case AW_WIRE_EVERY: put_every(show, &view, depth); break;
  case AW_WIRE_SLOT: break; /* see awl_look_inside() */
  }
}

static void show_wire(lua_State *L, awl_state *s, const aw_wire *wire,
                      int owner, size_t most) {
  awl_text text;
  awl_text_init(&text, most);
  shower show = {L, s, &text, owner};
  put_wire(&show, wire, 0);
  lua_pushlstring(L, text.data, text.length);
}

void awl_show_wire(lua_State *L, awl_state *s, const aw_wire *wire,
                   size_t most) {
  awl_push_owner(L, s, wire);
  int owner = lua_gettop(L);
  show_wire(L, s, wire, owner, most);
  lua_remove(L, owner);
}

void awl_show_owned(lua_State *L, awl_state *s, const aw_wire *wire,
                    int owner) {
  show_wire(L, s, wire, owner, AWL_LONGEST_TEXT);
}

void awl_show_arguments(lua_State *L, awl_state *s, const awl_leaf *leaf,
                        int owner, size_t most) {
  awl_text text;
  awl_text_init(&text, most);
  shower show = {L, s, &text, owner};
  push_arguments(&show, leaf);
  put_arguments(&show, leaf, true, 0);
  lua_pop(L, 1);
  lua_pushlstring(L, text.data, text.length);
}

static bool show_wire_object(lua_State *L, awl_state *s, int index) {
  lua_pushvalue(L, index);
  int owner = lua_gettop(L);
  const aw_wire *wire = awl_own_wire(L, s, owner);
  if (wire)
    awl_show_owned(L, s, wire, owner);
  else
    lua_pushliteral(L, AWL_FINALIZED_WIRE);
  lua_remove(L, owner);
  return true;
}

void awl_set_wire_show(awl_state *s) {
  awl_set_show(s, AWL_WIRE, show_wire_object);
  awl_set_show(s, AWL_SLEEP, show_wire_object);
  awl_set_show(s, AWL_BODY, show_wire_object);
}
