/* show.c - how wires, values and waits look to people [V8, D1]
 *
 * A wire is shown as the expression that makes it, with as few parentheses as
 * Lua's precedence allows: `*` binds tighter than `>>`. Deep and long wires
 * are cut, so the length of a text has a bound.
 */
#include "bridge.h"

#include <stdio.h>
#include <string.h>

enum { DEEPEST = 30, MOST_PARTS = 50, LONGEST_TEXT = 32 };

typedef struct shower {
  lua_State *L;
  awl_state *s;
  int owner; /* stack index of the Wire that is shown, or 0 */
} shower;

/* ---- values ---- */

static void push_quoted(lua_State *L, int index) {
  size_t length;
  const char *text = lua_tolstring(L, index, &length);
  luaL_Buffer b;
  luaL_buffinit(L, &b);
  luaL_addchar(&b, '"');
  for (size_t i = 0; i < length && i < LONGEST_TEXT; i++) {
    unsigned char c = (unsigned char)text[i];
    if (c == '"' || c == '\\') {
      luaL_addchar(&b, '\\');
      luaL_addchar(&b, (char)c);
    } else if (c < 32 || c == 127) {
      char code[8];
      snprintf(code, sizeof code, c == '\n' ? "\\n" : "\\%d", c);
      luaL_addstring(&b, code);
    } else {
      luaL_addchar(&b, (char)c);
    }
  }
  luaL_addstring(&b, length > LONGEST_TEXT ? "...\"" : "\"");
  luaL_pushresult(&b);
}

void awl_show_value(lua_State *L, awl_state *s, int index) {
  index = lua_absindex(L, index);
  switch (lua_type(L, index)) {
  case LUA_TSTRING: push_quoted(L, index); break;
  case LUA_TNUMBER:
  case LUA_TBOOLEAN:
  case LUA_TNIL: luaL_tolstring(L, index, NULL); break;
  case LUA_TFUNCTION: lua_pushstring(L, awl_function_name(L, s, index)); break;
  default:
    if (awl_is(L, s, index, AWL_WIRE) || awl_is(L, s, index, AWL_TASK))
      luaL_tolstring(L, index, NULL);
    else
      lua_pushstring(L, luaL_typename(L, index));
    break;
  }
}

static void push_seconds(lua_State *L, const char *format, uint64_t ns) {
  char text[64];
  snprintf(text, sizeof text, format, (double)ns / 1e9);
  lua_pushstring(L, text);
}

/* ---- wires ---- */

static void push_wire(const shower *show, const aw_wire *wire, int depth);

/* Append ", value" for each argument of a leaf, whose pack is on top. */
static void push_arguments(const shower *show, const awl_leaf *leaf) {
  lua_State *L = show->L;
  int pack = lua_gettop(L);
  lua_pushliteral(L, "");
  for (int i = 1; i <= leaf->extra; i++) {
    bool first = i == 1 && leaf->kind == AWL_LEAF_VALUE;
    lua_pushstring(L, first ? "" : ", ");
    lua_rawgeti(L, pack, i);
    awl_show_value(L, show->s, -1);
    lua_remove(L, -2);
    lua_concat(L, 3);
  }
}

static void push_host(const shower *show, const aw_wire_view *view) {
  static const char *const names[] = {"Call", "Wire", "Value", ""};
  lua_State *L = show->L;
  const awl_leaf *leaf = view->data;
  const char *name = view->name ? view->name : "";
  if (leaf->kind == AWL_LEAF_HELD) {
    lua_pushstring(L, name);
    return;
  }
  if (leaf->extra < 0) {
    lua_pushfstring(L, "%s(%s)", names[leaf->kind], name);
    return;
  }
  if (leaf->number != AWL_UNNUMBERED)
    awl_get(L, show->s, AWL_BODIES, (lua_Integer)leaf->number + 1);
  else
    lua_getiuservalue(L, show->owner, 1);
  push_arguments(show, leaf);
  lua_pushfstring(L, "%s(%s%s)", names[leaf->kind], name, lua_tostring(L, -1));
  lua_insert(L, -3);
  lua_pop(L, 2);
}

/* Push a part, in parentheses if it is a sequence of several. */
static void push_operand(const shower *show, const aw_wire *part, int depth) {
  aw_wire_view view;
  aw_wire_look(part, &view);
  push_wire(show, part, depth + 1);
  if (view.kind == AW_WIRE_SEQUENCE && view.count > 1) {
    lua_pushfstring(show->L, "(%s)", lua_tostring(show->L, -1));
    lua_remove(show->L, -2);
  }
}

static void push_sequence(const shower *show, const aw_wire_view *view,
                          int depth) {
  lua_State *L = show->L;
  if (view->count < 2) {
    lua_pushliteral(L, "Sequence(");
    if (view->count == 1)
      push_wire(show, aw_wire_part(view, 0), depth + 1);
    else
      lua_pushliteral(L, "");
    lua_pushliteral(L, ")");
    lua_concat(L, 3);
    return;
  }
  push_wire(show, aw_wire_part(view, 0), depth + 1);
  for (size_t i = 1; i < view->count; i++) {
    lua_pushliteral(L, " >> ");
    if (i == MOST_PARTS)
      lua_pushliteral(L, "...");
    else
      push_wire(show, aw_wire_part(view, i), depth + 1);
    lua_concat(L, 3);
    if (i == MOST_PARTS)
      break;
  }
}

static void push_repeat(const shower *show, const aw_wire_view *view,
                        int depth) {
  lua_State *L = show->L;
  if (view->number == AW_FOREVER) {
    push_wire(show, aw_wire_part(view, 0), depth + 1);
    lua_pushfstring(L, "Forever(%s)", lua_tostring(L, -1));
  } else {
    push_operand(show, aw_wire_part(view, 0), depth);
    lua_pushfstring(L, "%s * %I", lua_tostring(L, -1),
                    (LUAI_UACINT)view->number);
  }
  lua_remove(L, -2);
}

/* Operand with a method's suffix, parts of operators in parentheses. */
static void push_method(const shower *show, const aw_wire_view *view,
                        int depth) {
  lua_State *L = show->L;
  aw_wire_view part;
  const aw_wire *wire = aw_wire_part(view, 0);
  aw_wire_look(wire, &part);
  push_wire(show, wire, depth + 1);
  bool operator= part.kind == AW_WIRE_SEQUENCE || part.kind == AW_WIRE_REPEAT;
  if (view->kind == AW_WIRE_WHOLE)
    lua_pushliteral(L, "whole()");
  else if (view->number == AW_NEVER)
    lua_pushliteral(L, "shielded(math.huge)");
  else
    push_seconds(L, "shielded(%.14g)", view->number);
  lua_pushfstring(L, operator? "(%s):%s" : "%s:%s", lua_tostring(L, -2),
                  lua_tostring(L, -1));
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

/* What an operation waits for, as "5"; "" if it does not say. */
static void describe(const aw_operation *operation, const void *data, char *out,
                     size_t size) {
  *out = '\0';
  if (operation->describe)
    operation->describe(data, out, size);
}

enum { LONGEST_WAIT = 64 };

/* Readable(5), of the operation "readable" */
static void push_wait(lua_State *L, const aw_wire_view *view) {
  char about[LONGEST_WAIT];
  describe(view->operation, view->data, about, sizeof about);
  if (!*about) {
    lua_pushstring(L, view->name);
    return;
  }
  int first = *view->name;
  if (first >= 'a' && first <= 'z')
    first += 'A' - 'a';
  lua_pushfstring(L, "%c%s(%s)", first, view->name + 1, about);
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
  case AW_WIRE_HOST: push_host(show, &view); break;
  case AW_WIRE_SLEEP:
  case AW_WIRE_UNTIL: push_sleep(L, &view); break;
  case AW_WIRE_SEQUENCE: push_sequence(show, &view, depth); break;
  case AW_WIRE_REPEAT: push_repeat(show, &view, depth); break;
  case AW_WIRE_WHOLE:
  case AW_WIRE_SHIELD: push_method(show, &view, depth); break;
  case AW_WIRE_DONE:
    lua_pushliteral(L, "Done(");
    awl_push_task_name(L, show->s, view.task);
    lua_pushliteral(L, ")");
    lua_concat(L, 3);
    break;
  case AW_WIRE_NAMED: lua_pushstring(L, view.name); break;
  case AW_WIRE_WAIT: push_wait(L, &view); break;
  case AW_WIRE_CALL: lua_pushliteral(L, "C step"); break;
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

/* ---- tasks ---- */

void awl_cut_name(lua_State *L) {
  enum { LONGEST_NAME = 60 };
  size_t length;
  const char *text = lua_tolstring(L, -1, &length);
  if (length <= LONGEST_NAME)
    return;
  lua_pushlstring(L, text, LONGEST_NAME - 3);
  lua_pushliteral(L, "...");
  lua_concat(L, 2);
  lua_remove(L, -2);
}

void awl_push_plain_name(lua_State *L, awl_state *s, const aw_task *task) {
  const char *name = aw_task_name(task);
  const aw_wire *wire = aw_task_wire(task);
  if (name) {
    lua_pushstring(L, name);
  } else if (wire) {
    awl_show_wire(L, s, wire);
    awl_cut_name(L);
  } else { /* it has ended, and the wire is gone */
    const char *where = aw_task_where(task);
    lua_pushfstring(L, "wire%s%s", where ? "@" : "", where ? where : "");
  }
}

const char *awl_push_task_name(lua_State *L, awl_state *s,
                               const aw_task *task) {
  awl_push_plain_name(L, s, task);
  lua_pushfstring(L, "task %I '%s'", (LUAI_UACINT)aw_task_id(task),
                  lua_tostring(L, -1));
  lua_remove(L, -2);
  return lua_tostring(L, -1);
}

static void push_sleep_label(lua_State *L, const aw_task *task,
                             const aw_waiting *waiting) {
  if (waiting->until == AW_NEVER) {
    lua_pushliteral(L, "sleep for ever");
    return;
  }
  uint64_t now = aw_engine_now(aw_loop_engine(aw_task_loop(task)));
  uint64_t left = waiting->until > now ? waiting->until - now : 0;
  char text[64];
  snprintf(text, sizeof text, "sleep %.1f (%.1f left)",
           awl_seconds(waiting->span), awl_seconds(left));
  lua_pushstring(L, text);
}

static void push_operation_label(lua_State *L, const aw_waiting *waiting) {
  char about[LONGEST_WAIT];
  describe(waiting->operation, waiting->data, about, sizeof about);
  lua_pushfstring(L, *about ? "%s %s" : "%s", waiting->label, about);
}

void awl_push_label(lua_State *L, awl_state *s, const aw_task *task) {
  aw_waiting waiting;
  if (!aw_task_waiting(task, &waiting))
    lua_pushnil(L);
  else if (strcmp(waiting.label, "sleep") == 0)
    push_sleep_label(L, task, &waiting);
  else if (waiting.task) {
    lua_pushliteral(L, "join ");
    awl_push_task_name(L, s, waiting.task);
    lua_concat(L, 2);
  } else if (strcmp(waiting.label, "children") == 0)
    lua_pushfstring(L, "join %d child%s", (int)waiting.children,
                    waiting.children == 1 ? "" : "ren");
  else
    push_operation_label(L, &waiting);
}
