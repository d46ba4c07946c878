/* look.c - wires as tables of Lua, for graphs [D30]
 *
 * The table of a wire says what it is made of. aiowire/graph_wires.lua draws
 * it. All fields but `kind` are only there where they mean something:
 *
 *   kind       "body", "call", "value", "step" (of C), "sleep", "until",
 *              "wait", "done", "sequence", "repeat", "whole", "shielded",
 *              "named", "all", "race", "any", "select", "else", "timeout",
 *              "map", "bind", "catch", "supervise", "finally", "retry",
 *              "every"; "cut": nothing more is known than `text`
 *   text       of the arguments, the wait, the task, or of the whole wire
 *   name       of a NAMED wire, or of a function
 *   place      "file:line" of a function of Lua
 *   line       the text of that line, in which its name may be
 *   fn         {name=, place=, line=}: the second part of map, bind, catch,
 *              supervise, finally and retry
 *   seconds, grace, times, limit, missed, delay, factor, most, within,
 *   reset_after, jitter
 *              options, in seconds; nil: the default, or none
 *   parts      tables of the parts; a part of a table form may have a `key`
 *   more       how many further parts there are
 *
 * The walk is bounded in depth, breadth and wires. No code of users is called.
 *
 * Neighbours: show.c makes the text of a wire; objects/tree.c has the tasks.
 */
#include "base/classes.h"
#include "base/location.h"
#include "base/show_value.h"
#include "base/tasks.h"
#include "base/text.h"
#include "base/values.h"
#include "open.h"
#include "wire/build.h"
#include "wire/convert.h"
#include "wire/show.h"
#include "wire/source_line.h"
#include "wire/task_text.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { DEEPEST_LOOK = 24, MOST_LOOKED = 500, MOST_WIRES = 3000 };

typedef struct looker {
  lua_State *L;
  awl_state *s;
  int owner; /* stack index of the Wire that is looked at, or of nil */
  int left;  /* how many more wires to look at */
} looker;

/* ---- fields of the table on top ---- */

static void note_text(const looker *look, const char *key, const char *text) {
  if (!text)
    return;
  awl_push_cut_name(look->L, text);
  lua_setfield(look->L, -2, key);
}

static void note_integer(const looker *look, const char *key, uint64_t n) {
  lua_pushinteger(look->L, n <= INT64_MAX ? (lua_Integer)n : INT64_MAX);
  lua_setfield(look->L, -2, key);
}

/* Set a time, unless it is the default. AW_NEVER is math.huge. */
static void note_seconds(const looker *look, const char *key, uint64_t ns) {
  if (ns == AW_DEFAULT)
    return;
  lua_pushnumber(look->L, ns == AW_NEVER ? HUGE_VAL : awl_seconds(ns));
  lua_setfield(look->L, -2, key);
}

/* ---- leaves ---- */

/* Push the function of a leaf, or something else if it has none. */
static void push_leaf_function(const looker *look, const awl_leaf *leaf) {
  lua_State *L = look->L;
  if (leaf->kind == AWL_LEAF_HELD)
    awl_push_value(L, look->s, leaf->value);
  else if (leaf->number != AWL_UNNUMBERED)
    awl_get(L, look->s, AWL_BODIES, (lua_Integer)leaf->number + 1);
  else
    lua_pushvalue(L, look->owner);
  bool whole = leaf->kind != AWL_LEAF_HELD && leaf->number == AWL_UNNUMBERED;
  if (lua_isuserdata(L, -1) && (whole || leaf->wrapped)) {
    lua_getiuservalue(L, -1, 1);
    lua_remove(L, -2);
  }
  if (lua_istable(L, -1) && leaf->extra >= 0) {
    lua_rawgeti(L, -1, 0);
    lua_remove(L, -2);
  }
}

/* Set `place` of the table on top to the line of the leaf's function. */
static void note_leaf_place(const looker *look, const awl_leaf *leaf) {
  lua_State *L = look->L;
  lua_Debug ar;
  if (!awl_leaf_calls(leaf))
    return;
  push_leaf_function(look, leaf);
  if (!lua_isfunction(L, -1) || lua_iscfunction(L, -1)) {
    lua_pop(L, 1);
    return;
  }
  lua_getinfo(L, ">S", &ar);
  if (awl_is_ours(&ar))
    return;
  lua_pushfstring(L, "%s:%d", ar.short_src, ar.linedefined);
  lua_setfield(L, -2, "place");
  awl_push_source_line(L, ar.source, ar.linedefined);
  lua_setfield(L, -2, "line");
}

static void look_at_host(const looker *look, const aw_wire_view *view) {
  const awl_leaf *leaf = view->data;
  if (leaf->kind != AWL_LEAF_VALUE)
    note_text(look, "name", view->name ? view->name : "?");
  note_leaf_place(look, leaf);
  if (leaf->extra < 0)
    return;
  awl_show_arguments(look->L, look->s, leaf, look->owner, AWL_LONGEST_NAME);
  lua_setfield(look->L, -2, "text");
}

/* Set `text` to what a wait waits for, such as "recv jobs". */
static void look_at_wait(const looker *look, const aw_wire_view *view) {
  lua_State *L = look->L;
  char about[AWL_LONGEST_WAIT];
  awl_describe(view->operation, view->data, about, sizeof about);
  lua_pushfstring(L, *about ? "%s %s" : "%s", view->name ? view->name : "wait",
                  about);
  if (awl_push_operation_argument(L, look->s, view)) {
    awl_show_value(L, look->s, -1);
    lua_remove(L, -2);
    lua_pushfstring(L, "%s, %s", lua_tostring(L, -2), lua_tostring(L, -1));
    lua_replace(L, -3);
    lua_pop(L, 1);
  }
  lua_setfield(L, -2, "text");
}

static void look_at_done(const looker *look, const aw_wire_view *view) {
  awl_push_task_name(look->L, look->s, view->task);
  lua_setfield(look->L, -2, "text");
}

/* ---- parts ---- */

static void push_part(looker *look, const aw_wire *wire, int depth);

/* Give the part on top its key, if the list at `keys` (0: none) has a string
 * for part `i`. */
static void note_key(const looker *look, int keys, size_t i) {
  lua_State *L = look->L;
  if (keys == 0)
    return;
  if (lua_rawgeti(L, keys, (lua_Integer)i + 1) == LUA_TSTRING) {
    awl_show_key(L, look->s, -1);
    lua_setfield(L, -3, "key");
  }
  lua_pop(L, 1);
}

/* Set `parts`, and `more`, to the first `count` parts of the wire. */
static void note_parts(looker *look, const aw_wire_view *view, size_t count,
                       int keys, int depth) {
  lua_State *L = look->L;
  size_t i = 0;
  lua_newtable(L);
  for (; i < count && i < MOST_LOOKED && look->left > 0; i++) {
    push_part(look, aw_wire_part(view, i), depth + 1);
    note_key(look, keys, i);
    lua_rawseti(L, -2, (lua_Integer)i + 1);
  }
  lua_setfield(L, -2, "parts");
  if (i < count)
    note_integer(look, "more", count - i);
}

/* Set `fn` to the function that is the second part. */
static void note_second(const looker *look, const aw_wire_view *view) {
  const char *name = aw_wire_name(aw_wire_part(view, 1));
  const awl_leaf *leaf = awl_second_leaf(view);
  lua_newtable(look->L);
  note_text(look, "name", name ? name : "C step");
  if (leaf)
    note_leaf_place(look, leaf);
  lua_setfield(look->L, -2, "fn");
}

static void note_rule(const looker *look, const aw_retry_rule *rule) {
  if (rule->times != AW_FOREVER)
    note_integer(look, "times", rule->times);
  if (rule->delay > 0)
    note_seconds(look, "delay", rule->delay);
  lua_pushnumber(look->L, rule->factor);
  lua_setfield(look->L, -2, "factor");
  if (rule->most > 0 && rule->most != AW_NEVER)
    note_seconds(look, "most", rule->most);
  if (rule->within > 0 && rule->within != AW_NEVER)
    note_seconds(look, "within", rule->within);
  if (rule->reset_after > 0 && rule->reset_after != AW_NEVER)
    note_seconds(look, "reset_after", rule->reset_after);
  lua_pushboolean(look->L, rule->jitter);
  lua_setfield(look->L, -2, "jitter");
}

/* The options of a wire by its kind, and its functions. */
static void note_options(const looker *look, const aw_wire_view *view) {
  static const char *const missed[] = {"skip", "burst", "delay"};
  switch (view->kind) {
  case AW_WIRE_REPEAT:
    if (view->number != AW_FOREVER)
      note_integer(look, "times", view->number);
    break;
  case AW_WIRE_ALL:
    if (view->number > 0)
      note_integer(look, "limit", view->number);
    break;
  case AW_WIRE_SLEEP:
  case AW_WIRE_UNTIL:
  case AW_WIRE_SHIELD: note_seconds(look, "seconds", view->number); break;
  case AW_WIRE_TIMEOUT:
    note_seconds(look, "seconds", view->number);
    note_seconds(look, "grace", view->grace);
    break;
  case AW_WIRE_FINALLY:
    note_seconds(look, "grace", view->number);
    note_second(look, view);
    break;
  case AW_WIRE_BIND:
  case AW_WIRE_CATCH: note_second(look, view); break;
  case AW_WIRE_RETRY:
    note_rule(look, view->rule);
    if (view->count > 1)
      note_second(look, view);
    break;
  case AW_WIRE_EVERY:
    note_seconds(look, "seconds", view->number);
    note_text(look, "missed", missed[view->missed]);
    break;
  case AW_WIRE_NAMED: note_text(look, "name", view->name); break;
  case AW_WIRE_HOST: look_at_host(look, view); break;
  case AW_WIRE_WAIT: look_at_wait(look, view); break;
  case AW_WIRE_DONE: look_at_done(look, view); break;
  case AW_WIRE_CALL:
  case AW_WIRE_SEQUENCE:
  case AW_WIRE_WHOLE:
  case AW_WIRE_RACE:
  case AW_WIRE_ANY:
  case AW_WIRE_SELECT:
  case AW_WIRE_ELSE:
  case AW_WIRE_SLOT: break;
  }
}

static const char *host_kind(const awl_leaf *leaf) {
  return leaf->kind == AWL_LEAF_CALL    ? "call"
         : leaf->kind == AWL_LEAF_VALUE ? "value"
                                        : "body";
}

static const char *kind_name(const aw_wire_view *view) {
  const awl_leaf *leaf = NULL;
  switch (view->kind) {
  case AW_WIRE_CALL: return "step";
  case AW_WIRE_HOST: return host_kind(view->data);
  case AW_WIRE_SLEEP: return "sleep";
  case AW_WIRE_UNTIL: return "until";
  case AW_WIRE_DONE: return "done";
  case AW_WIRE_WAIT: return "wait";
  case AW_WIRE_SEQUENCE: return "sequence";
  case AW_WIRE_REPEAT: return "repeat";
  case AW_WIRE_WHOLE: return "whole";
  case AW_WIRE_SHIELD: return "shielded";
  case AW_WIRE_NAMED: return "named";
  case AW_WIRE_ALL: return "all";
  case AW_WIRE_RACE: return "race";
  case AW_WIRE_ANY: return "any";
  case AW_WIRE_SELECT: return "select";
  case AW_WIRE_ELSE: return "else";
  case AW_WIRE_TIMEOUT: return "timeout";
  case AW_WIRE_BIND:
    leaf = awl_second_leaf(view);
    return leaf && leaf->kind == AWL_LEAF_MAP ? "map" : "bind";
  case AW_WIRE_CATCH:
    leaf = awl_second_leaf(view);
    return leaf && leaf->kind == AWL_LEAF_SUPERVISE ? "supervise" : "catch";
  case AW_WIRE_FINALLY: return "finally";
  case AW_WIRE_RETRY: return "retry";
  case AW_WIRE_EVERY: return "every";
  case AW_WIRE_SLOT: break; /* see awl_look_inside() */
  }
  return "cut";
}

/* How many parts of a wire are drawn as parts: functions are in `fn`. */
static size_t parts_of(const aw_wire_view *view) {
  switch (view->kind) {
  case AW_WIRE_BIND:
  case AW_WIRE_CATCH:
  case AW_WIRE_FINALLY:
  case AW_WIRE_RETRY: return 1;
  default: return view->count;
  }
}

/* ---- wires ---- */

static void push_cut_wire(const looker *look, const aw_wire *wire) {
  lua_createtable(look->L, 0, 2);
  note_text(look, "kind", "cut");
  awl_show_wire(look->L, look->s, wire, AWL_LONGEST_NAME);
  lua_setfield(look->L, -2, "text");
}

/* A table form with string keys is a BIND of the form, whose second part has
 * the keys; users see the form. Look at the form then, and push its keys. */
static bool look_at_keys(const looker *look, aw_wire_view *view) {
  const awl_leaf *leaf =
      view->kind == AW_WIRE_BIND ? awl_second_leaf(view) : NULL;
  if (!leaf || !awl_leaf_is_keyed(leaf))
    return false;
  awl_look_inside(aw_wire_part(view, 0), view);
  awl_get(look->L, look->s, AWL_BODIES, (lua_Integer)leaf->number + 1);
  return true;
}

static void push_part(looker *look, const aw_wire *wire, int depth) {
  lua_State *L = look->L;
  aw_wire_view view;
  luaL_checkstack(L, LUA_MINSTACK, "wire too deep");
  look->left--;
  if (depth > DEEPEST_LOOK) {
    push_cut_wire(look, wire);
    return;
  }
  awl_look_inside(wire, &view);
  bool keyed = look_at_keys(look, &view);
  int keys = keyed && lua_istable(L, -1) ? lua_gettop(L) : 0;
  lua_newtable(L);
  note_text(look, "kind", kind_name(&view));
  note_options(look, &view);
  if (view.count > 0)
    note_parts(look, &view, parts_of(&view), keys, depth);
  if (keyed)
    lua_remove(L, -2);
}

static void push_look_of(lua_State *L, awl_state *s, const aw_wire *wire,
                         int owner) {
  looker look = {L, s, owner, MOST_WIRES};
  push_part(&look, wire, 0);
}

/* look_wire(w): the table of the Wire w */
static int inner_look_wire(lua_State *L) {
  awl_state *s = awl_of(L);
  const aw_wire *wire = awl_own_wire(L, s, 1);
  lua_settop(L, 1);
  if (!wire) {
    lua_pushnil(L);
    return 1;
  }
  push_look_of(L, s, wire, 1);
  return 1;
}

/* Push the table of a wire that somebody keeps alive. */
static void push_kept_look(lua_State *L, awl_state *s, const aw_wire *wire) {
  awl_push_owner(L, s, wire);
  int owner = lua_gettop(L);
  push_look_of(L, s, wire, owner);
  lua_remove(L, owner);
}

/* Push the table of the wire at which the task is, or nil. As with its text in
 * task_text.c, a Wire keeps the wire alive meanwhile, and no longer. */
static void push_task_look(lua_State *L, awl_state *s, const aw_task *task) {
  awl_push_simple(L, s);
  aw_wire *wire = (aw_wire *)(uintptr_t)aw_task_wire(task);
  if (!wire) {
    lua_pushnil(L);
  } else {
    awl_fill_wire(L, s, aw_wire_keep(wire));
    push_kept_look(L, s, wire);
    awl_empty_wire(s, lua_touserdata(L, -2));
  }
  lua_remove(L, -2);
}

/* Push the list of the wires that the chain of the task has left, the latest
 * first: {name=, times=}. */
static void push_chain(lua_State *L, const aw_task *task) {
  uint32_t times;
  const char *name;
  lua_newtable(L);
  for (size_t i = 0; (name = aw_task_chain(task, i, &times)) != NULL; i++) {
    lua_createtable(L, 0, 2);
    awl_push_cut_name(L, name);
    lua_setfield(L, -2, "name");
    lua_pushinteger(L, times);
    lua_setfield(L, -2, "times");
    lua_rawseti(L, -2, (lua_Integer)i + 1);
  }
}

/* look_task(task): its name or nil; the table of its wire, or nil if it has
 * ended; and its chain */
static int inner_look_task(lua_State *L) {
  awl_state *s = awl_of(L);
  const aw_task *task = awl_check_task(L, s, 1);
  const char *name = aw_task_name(task);
  if (name)
    awl_push_cut_name(L, name);
  else
    lua_pushnil(L);
  push_task_look(L, s, task);
  push_chain(L, task);
  return 3;
}

/* source_line("file:line"): the text of that line; "" if there is none */
static int inner_source_line(lua_State *L) {
  const char *place = luaL_checkstring(L, 1);
  const char *colon = strrchr(place, ':');
  if (!colon) {
    lua_pushliteral(L, "");
    return 1;
  }
  lua_pushliteral(L, "@");
  lua_pushlstring(L, place, (size_t)(colon - place));
  lua_concat(L, 2);
  awl_push_source_line(L, lua_tostring(L, -1), atoi(colon + 1));
  return 1;
}

void awl_open_look(lua_State *L, awl_state *s) {
  static const luaL_Reg inner[] = {{"look_wire", inner_look_wire},
                                   {"look_task", inner_look_task},
                                   {"source_line", inner_source_line},
                                   {NULL, NULL}};
  lua_pushvalue(L, -2);
  awl_register_inner(L, s, inner);
  lua_pop(L, 1);
}
