/* expression.c - a wire as the expression that makes it [V8]
 *
 * With as few parentheses as Lua's precedence allows, and cut where it is deep
 * or long, so the length of a text has a bound. `owner` is the Wire that is
 * shown: a leaf that is the whole of it has its arguments there.
 *
 * Neighbours: show.c has values, tasks and waits; leaf.c the kinds of leaves.
 */
#include "expression.h"

#include "held.h"
#include "lchannel.h"
#include "show.h"
#include "wires.h"

#include <stdio.h>
#include <string.h>

enum { DEEPEST = 30, MOST_PARTS = 50 };

typedef struct shower {
  lua_State *L;
  awl_state *s;
  int owner; /* stack index of the Wire that is shown, or 0 */
} shower;

static void push_seconds(lua_State *L, const char *format, uint64_t ns) {
  char text[64];
  snprintf(text, sizeof text, format, (double)ns / 1e9);
  lua_pushstring(L, text);
}

/* ---- wires: leaves ---- */

static void push_wire(const shower *show, const aw_wire *wire, int depth);

/* Push the text of the argument on top; a Wire is cut as any part is. */
static void push_argument(const shower *show, int depth) {
  lua_State *L = show->L;
  if (!awl_is(L, show->s, -1, AWL_WIRE)) {
    awl_show_value(L, show->s, -1);
    return;
  }
  shower inner = {L, show->s, lua_gettop(L)};
  const aw_wire *wire = awl_wire_of(L, -1);
  if (wire)
    push_wire(&inner, wire, depth + 1);
  else
    lua_pushliteral(L, AWL_FINALIZED_WIRE);
}

/* Append ", value" for each argument of a leaf, whose pack is on top; nil: they
 * are garbage, and the wire is, too. */
static void push_arguments(const shower *show, const awl_leaf *leaf,
                           int depth) {
  lua_State *L = show->L;
  int pack = lua_gettop(L);
  int count = lua_istable(L, pack) ? leaf->extra : 0;
  lua_pushliteral(L, "");
  for (int i = 1; i <= count; i++) {
    bool first = i == 1 && leaf->kind == AWL_LEAF_VALUE;
    lua_pushstring(L, first ? "" : ", ");
    lua_rawgeti(L, pack, i);
    push_argument(show, depth);
    lua_remove(L, -2);
    lua_concat(L, 3);
  }
}

static void push_host(const shower *show, const aw_wire_view *view, int depth) {
  static const char *const names[] = {"Call", "Wire", "Value", ""};
  lua_State *L = show->L;
  const awl_leaf *leaf = view->data;
  const char *name = view->name ? view->name : "";
  if (leaf->kind >= AWL_LEAF_HELD) {
    lua_pushstring(L, name);
    return;
  }
  if (leaf->extra < 0) {
    lua_pushfstring(L, "%s(%s)", names[leaf->kind], name);
    return;
  }
  if (leaf->number != AWL_UNNUMBERED)
    awl_get(L, show->s, AWL_BODIES, (lua_Integer)leaf->number + 1);
  else if (lua_isuserdata(L, show->owner))
    lua_getiuservalue(L, show->owner, 1);
  else
    lua_pushnil(L);
  push_arguments(show, leaf, depth);
  lua_pushfstring(L, "%s(%s%s)", names[leaf->kind], name, lua_tostring(L, -1));
  lua_insert(L, -3);
  lua_pop(L, 2);
}

static void push_sleep(lua_State *L, const aw_wire_view *view) {
  if (view->number == AW_NEVER)
    lua_pushliteral(L, "Never");
  else if (view->kind == AW_WIRE_SLEEP)
    push_seconds(L, "Sleep(%.14g)", view->number);
  else
    push_seconds(L, "SleepUntil(%.14g)", view->number);
}

/* Readable(5), of the operation "readable"; what is sent comes after that */
static void push_wait(lua_State *L, awl_state *s, const aw_wire_view *view) {
  char about[AWL_LONGEST_WAIT];
  awl_describe(view->operation, view->data, about, sizeof about);
  if (!*about) {
    lua_pushstring(L, view->name);
    return;
  }
  int first = *view->name;
  if (first >= 'a' && first <= 'z')
    first += 'A' - 'a';
  bool sends = awl_push_sent(L, s, view);
  if (sends)
    awl_show_value(L, s, -1);
  else
    lua_pushliteral(L, "");
  lua_pushfstring(L, "%c%s(%s%s%s)", first, view->name + 1, about,
                  sends ? ", " : "", lua_tostring(L, -1));
  lua_replace(L, -2 - sends);
  lua_pop(L, sends);
}

/* ---- wires: operators ----
 *
 * Lua's levels of the operators that wires have, the loosest first. A part is
 * put in parentheses when its operator binds looser than its place asks for.
 */
typedef enum level {
  LEVEL_RACE = 1, /* | */
  LEVEL_JOIN,     /* & */
  LEVEL_SEQUENCE, /* >> */
  LEVEL_STEP,     /* * / // */
  LEVEL_RIGHT,    /* to the right of one of these */
  LEVEL_METHOD    /* names, calls, what has a method */
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
  default: return LEVEL_METHOD;
  }
}

/* Push a part for a place that takes `least`. */
static void push_operand(const shower *show, const aw_wire *part, level least,
                         int depth) {
  aw_wire_view view;
  aw_wire_look(part, &view);
  push_wire(show, part, depth + 1);
  if (level_of(&view) >= least)
    return;
  lua_pushfstring(show->L, "(%s)", lua_tostring(show->L, -1));
  lua_remove(show->L, -2);
}

/* Push the parts with what is between them. */
static void push_list(const shower *show, const aw_wire_view *view,
                      const char *between, level first, level others,
                      int depth) {
  lua_State *L = show->L;
  lua_pushliteral(L, "");
  for (size_t i = 0; i < view->count; i++) {
    lua_pushstring(L, i > 0 ? between : "");
    if (i == MOST_PARTS)
      lua_pushliteral(L, "...");
    else
      push_operand(show, aw_wire_part(view, i), i > 0 ? others : first, depth);
    lua_concat(L, 3);
    if (i == MOST_PARTS)
      break;
  }
}

static void push_sequence(const shower *show, const aw_wire_view *view,
                          int depth) {
  if (view->count > 1) {
    push_list(show, view, " >> ", LEVEL_STEP, LEVEL_STEP, depth);
    return;
  }
  lua_pushliteral(show->L, "Sequence(");
  push_list(show, view, "", LEVEL_RACE, LEVEL_RACE, depth);
  lua_pushliteral(show->L, ")");
  lua_concat(show->L, 3);
}

static void push_repeat(const shower *show, const aw_wire_view *view,
                        int depth) {
  lua_State *L = show->L;
  if (view->number == AW_FOREVER) {
    push_wire(show, aw_wire_part(view, 0), depth + 1);
    lua_pushfstring(L, "Forever(%s)", lua_tostring(L, -1));
  } else {
    push_operand(show, aw_wire_part(view, 0), LEVEL_STEP, depth);
    lua_pushfstring(L, "%s * %I", lua_tostring(L, -1),
                    (LUAI_UACINT)view->number);
  }
  lua_remove(L, -2);
}

/* ---- wires: table forms ---- */

/* Append the parts of `view` to the text on top, with the keys that stand in
 * the table at `keys` (0: none). */
static void push_entries(const shower *show, const aw_wire_view *view, int keys,
                         int depth) {
  lua_State *L = show->L;
  for (size_t i = 0; i < view->count && i <= MOST_PARTS; i++) {
    lua_pushstring(L, i > 0 ? ", " : "");
    bool named =
        keys && lua_rawgeti(L, keys, (lua_Integer)i + 1) == LUA_TSTRING;
    if (named)
      lua_pushliteral(L, " = ");
    else if (keys)
      lua_pop(L, 1);
    if (i == MOST_PARTS)
      lua_pushliteral(L, "...");
    else
      push_wire(show, aw_wire_part(view, i), depth + 1);
    lua_concat(L, named ? 5 : 3);
  }
}

static void push_form(const shower *show, const aw_wire_view *view, int keys,
                      int depth) {
  lua_State *L = show->L;
  lua_pushstring(L, view->kind == AW_WIRE_ALL    ? "All{"
                    : view->kind == AW_WIRE_RACE ? "Race{"
                    : view->kind == AW_WIRE_ANY  ? "Any{"
                                                 : "Select{");
  push_entries(show, view, keys, depth);
  if (view->number > 0)
    lua_pushfstring(L, ", limit = %I}", (LUAI_UACINT)view->number);
  else
    lua_pushliteral(L, "}");
  lua_concat(L, 2);
}

/* ---- wires: methods ---- */

/* "math.huge" for never */
static void push_time(lua_State *L, uint64_t ns) {
  if (ns == AW_NEVER)
    lua_pushliteral(L, "math.huge");
  else
    push_seconds(L, "%.14g", ns);
}

/* Push "w:" for the first part of `view`. */
static void push_subject(const shower *show, const aw_wire_view *view,
                         int depth) {
  push_operand(show, aw_wire_part(view, 0), LEVEL_METHOD, depth);
  lua_pushliteral(show->L, ":");
  lua_concat(show->L, 2);
}

/* The leaf of Lua that is the second part, or NULL. */
static const awl_leaf *second_leaf(const aw_wire_view *view) {
  aw_wire_view then;
  aw_wire_look(aw_wire_part(view, 1), &then);
  return then.kind == AW_WIRE_HOST ? then.data : NULL;
}

static bool is_mapped(const aw_wire_view *view) {
  const awl_leaf *leaf = second_leaf(view);
  return leaf && leaf->kind == AWL_LEAF_MAP;
}

static void push_name_of_second(lua_State *L, const aw_wire_view *view) {
  const char *name = aw_wire_name(aw_wire_part(view, 1));
  lua_pushstring(L, name ? name : "C step");
}

/* w:name(f) */
static void push_second(const shower *show, const aw_wire_view *view,
                        const char *name, int depth) {
  lua_State *L = show->L;
  push_subject(show, view, depth);
  push_name_of_second(L, view);
  lua_pushfstring(L, "%s(%s)", name, lua_tostring(L, -1));
  lua_remove(L, -2);
  lua_concat(L, 2);
}

static void push_bind(const shower *show, const aw_wire_view *view, int depth) {
  lua_State *L = show->L;
  const awl_leaf *leaf = second_leaf(view);
  if (leaf && leaf->kind >= AWL_LEAF_KEYED) {
    aw_wire_view form;
    aw_wire_look(aw_wire_part(view, 0), &form);
    awl_get(L, show->s, AWL_BODIES, (lua_Integer)leaf->number + 1);
    push_form(show, &form, lua_istable(L, -1) ? lua_gettop(L) : 0, depth);
    lua_remove(L, -2);
  } else if (leaf && leaf->kind == AWL_LEAF_MAP) {
    push_operand(show, aw_wire_part(view, 0), LEVEL_STEP, depth);
    lua_pushliteral(L, " / ");
    push_name_of_second(L, view);
    lua_concat(L, 3);
  } else {
    push_second(show, view, "bind", depth);
  }
}

/* w:finally(f [, grace]) */
static void push_finally(const shower *show, const aw_wire_view *view,
                         int depth) {
  lua_State *L = show->L;
  if (view->number == AW_DEFAULT) {
    push_second(show, view, "finally", depth);
    return;
  }
  push_subject(show, view, depth);
  push_name_of_second(L, view);
  push_time(L, view->number);
  lua_pushfstring(L, "finally(%s, %s)", lua_tostring(L, -2),
                  lua_tostring(L, -1));
  lua_replace(L, -3);
  lua_pop(L, 1);
  lua_concat(L, 2);
}

static void push_catch(const shower *show, const aw_wire_view *view,
                       int depth) {
  const awl_leaf *leaf = second_leaf(view);
  bool supervise = leaf && leaf->kind == AWL_LEAF_SUPERVISE;
  push_second(show, view, supervise ? "supervise" : "catch", depth);
}

/* w:name(seconds), w:shielded() */
static void push_timed(const shower *show, const aw_wire_view *view,
                       const char *name, int depth) {
  lua_State *L = show->L;
  push_subject(show, view, depth);
  if (view->number == AW_DEFAULT)
    lua_pushliteral(L, "");
  else
    push_time(L, view->number);
  if (view->kind == AW_WIRE_TIMEOUT && view->grace != AW_DEFAULT) {
    push_time(L, view->grace);
    lua_pushfstring(L, "%s(%s, {grace = %s})", name, lua_tostring(L, -2),
                    lua_tostring(L, -1));
    lua_replace(L, -3);
    lua_pop(L, 1);
  } else {
    lua_pushfstring(L, "%s(%s)", name, lua_tostring(L, -1));
    lua_remove(L, -2);
  }
  lua_concat(L, 2);
}

static void push_whole(const shower *show, const aw_wire_view *view,
                       int depth) {
  push_subject(show, view, depth);
  lua_pushliteral(show->L, "whole()");
  lua_concat(show->L, 2);
}

/* Append "name = what is on top" to the list below it; pops it. */
static void add_option(lua_State *L, const char *name) {
  const char *so_far = lua_tostring(L, -2);
  lua_pushfstring(L, "%s%s%s = %s", so_far, *so_far ? ", " : "", name,
                  lua_tostring(L, -1));
  lua_replace(L, -3);
  lua_pop(L, 1);
}

/* The same with a time, if it is not `otherwise`. */
static void add_time(lua_State *L, const char *name, uint64_t ns,
                     uint64_t otherwise) {
  if (ns == otherwise)
    return;
  push_time(L, ns);
  add_option(L, name);
}

/* The options of a retry that are not the default. */
static void push_rule(lua_State *L, const aw_retry_rule *rule) {
  static const double DOUBLE = 2;
  lua_pushliteral(L, "");
  if (rule->times != AW_FOREVER) {
    lua_pushinteger(L, (lua_Integer)rule->times);
    add_option(L, "times");
  }
  add_time(L, "delay", rule->delay, 0);
  if (rule->factor < DOUBLE || rule->factor > DOUBLE) {
    lua_pushnumber(L, rule->factor);
    luaL_tolstring(L, -1, NULL);
    lua_remove(L, -2);
    add_option(L, "factor");
  }
  add_time(L, "max", rule->most, AW_NEVER);
  if (rule->jitter) {
    lua_pushliteral(L, "\"full\"");
    add_option(L, "jitter");
  }
  add_time(L, "within", rule->within, AW_NEVER);
}

static void push_retry(const shower *show, const aw_wire_view *view,
                       int depth) {
  lua_State *L = show->L;
  push_subject(show, view, depth);
  push_rule(L, view->rule);
  if (view->count > 1) {
    push_name_of_second(L, view);
    add_option(L, "when");
  }
  lua_pushfstring(L, "retry{%s}", lua_tostring(L, -1));
  lua_remove(L, -2);
  lua_concat(L, 2);
}

static void push_every(const shower *show, const aw_wire_view *view,
                       int depth) {
  static const char *const missed[] = {"", ", {missed = \"burst\"}",
                                       ", {missed = \"delay\"}"};
  lua_State *L = show->L;
  push_time(L, view->number);
  push_wire(show, aw_wire_part(view, 0), depth + 1);
  lua_pushfstring(L, "Every(%s, %s%s)", lua_tostring(L, -2),
                  lua_tostring(L, -1), missed[view->missed]);
  lua_replace(L, -3);
  lua_pop(L, 1);
}

/* ---- wires: all ---- */

static void push_done(const shower *show, const aw_wire_view *view) {
  lua_State *L = show->L;
  lua_pushliteral(L, "Done(");
  awl_push_task_name(L, show->s, view->task);
  lua_pushliteral(L, ")");
  lua_concat(L, 3);
}

static void push_group(const shower *show, const aw_wire_view *view,
                       int depth) {
  if (view->table)
    push_form(show, view, 0, depth);
  else if (view->kind == AW_WIRE_ALL)
    push_list(show, view, " & ", LEVEL_SEQUENCE, LEVEL_SEQUENCE, depth);
  else
    push_list(show, view, " | ", LEVEL_JOIN, LEVEL_JOIN, depth);
}

static void push_wire(const shower *show, const aw_wire *wire, int depth) {
  lua_State *L = show->L;
  aw_wire_view view;
  aw_wire_look(wire, &view);
  luaL_checkstack(L, 16, "wire too deep");
  if (depth > DEEPEST) {
    lua_pushliteral(L, "...");
    return;
  }
  switch (view.kind) {
  case AW_WIRE_HOST: push_host(show, &view, depth); break;
  case AW_WIRE_SLEEP:
  case AW_WIRE_UNTIL: push_sleep(L, &view); break;
  case AW_WIRE_SEQUENCE: push_sequence(show, &view, depth); break;
  case AW_WIRE_REPEAT: push_repeat(show, &view, depth); break;
  case AW_WIRE_WHOLE: push_whole(show, &view, depth); break;
  case AW_WIRE_SHIELD: push_timed(show, &view, "shielded", depth); break;
  case AW_WIRE_TIMEOUT: push_timed(show, &view, "timeout", depth); break;
  case AW_WIRE_DONE: push_done(show, &view); break;
  case AW_WIRE_NAMED: lua_pushstring(L, view.name); break;
  case AW_WIRE_WAIT: push_wait(L, show->s, &view); break;
  case AW_WIRE_CALL: lua_pushliteral(L, "C step"); break;
  case AW_WIRE_ALL:
  case AW_WIRE_RACE:
  case AW_WIRE_ANY:
  case AW_WIRE_SELECT: push_group(show, &view, depth); break;
  case AW_WIRE_ELSE:
    push_list(show, &view, " // ", LEVEL_STEP, LEVEL_RIGHT, depth);
    break;
  case AW_WIRE_BIND: push_bind(show, &view, depth); break;
  case AW_WIRE_CATCH: push_catch(show, &view, depth); break;
  case AW_WIRE_FINALLY: push_finally(show, &view, depth); break;
  case AW_WIRE_RETRY: push_retry(show, &view, depth); break;
  case AW_WIRE_EVERY: push_every(show, &view, depth); break;
  }
}

void awl_show_wire(lua_State *L, awl_state *s, const aw_wire *wire) {
  shower show = {L, s, 0};
  awl_push_owner(L, s, wire);
  show.owner = lua_gettop(L);
  push_wire(&show, wire, 0);
  lua_remove(L, show.owner);
}

void awl_show_owned(lua_State *L, awl_state *s, const aw_wire *wire,
                    int owner) {
  shower show = {L, s, owner};
  push_wire(&show, wire, 0);
}
