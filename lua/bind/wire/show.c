/* show.c - how values, tasks and waits look to people [V8, D1]
 *
 * Texts are short: names and values are cut. Wires: expression.c.
 */
#include "wire/show.h"

#include "base/location.h"
#include "base/tasks.h"
#include "base/text.h"
#include "base/values.h"
#include "wire/build.h"
#include "wire/expression.h"

#include <stdio.h>
#include <string.h>

enum { LONGEST_TEXT = 32 };

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

/* Nothing of users is called, as __tostring. */
static void show_object(lua_State *L, awl_state *s, int index) {
  const aw_task *task = awl_test_task(L, s, index);
  bool is_wire = awl_is(L, s, index, AWL_WIRE);
  if (task)
    awl_push_task_name(L, s, task);
  else if (is_wire && awl_wire_of(L, index))
    awl_show_owned(L, s, awl_wire_of(L, index), index);
  else
    lua_pushstring(L,
                   is_wire ? AWL_FINALIZED_WIRE : aw_lua_type_name(L, index));
}

void awl_show_value(lua_State *L, awl_state *s, int index) {
  index = lua_absindex(L, index);
  switch (lua_type(L, index)) {
  case LUA_TSTRING: push_quoted(L, index); break;
  case LUA_TNUMBER:
  case LUA_TBOOLEAN:
  case LUA_TNIL: luaL_tolstring(L, index, NULL); break;
  case LUA_TFUNCTION: lua_pushstring(L, awl_function_name(L, s, index)); break;
  default: show_object(L, s, index); break;
  }
}

/* ---- waits ---- */

void awl_describe(const aw_operation *operation, const void *data, char *out,
                  size_t size) {
  *out = '\0';
  if (operation->describe)
    operation->describe(data, out, size);
}

/* ---- tasks ---- */

void awl_push_cut(lua_State *L, const char *text, size_t size) {
  awl_text cut;
  awl_text_init(&cut, AWL_LONGEST_NAME);
  awl_text_add(&cut, text, size);
  lua_pushlstring(L, cut.data, cut.length);
}

void awl_push_cut_name(lua_State *L, const char *name) {
  awl_push_cut(L, name, strnlen(name, AWL_LONGEST_NAME + 1));
}

void awl_cut_name(lua_State *L) {
  size_t size;
  const char *text = lua_tolstring(L, -1, &size);
  awl_push_cut(L, text, size);
  lua_remove(L, -2);
}

/* The wire is kept by a Wire meanwhile: the text may collect, and a finalizer
 * may end the task, unless it runs. */
bool awl_push_state(lua_State *L, awl_state *s, const aw_task *task,
                    size_t most) {
  bool runs = aw_task_state_of(task) == AW_TASK_RUNNING;
  if (runs)
    lua_pushnil(L);
  else
    awl_push_simple(L, s);
  aw_wire *wire = (aw_wire *)(uintptr_t)aw_task_wire(task);
  if (!wire) {
    lua_pop(L, 1);
    return false;
  }
  if (!runs)
    awl_fill_wire(L, s, aw_wire_keep(wire));
  const char *name = aw_wire_name(wire);
  if (name)
    awl_push_cut_name(L, name);
  else
    awl_show_wire(L, s, wire, most);
  lua_remove(L, -2);
  return true;
}

void awl_show_key(lua_State *L, awl_state *s, int index) {
  size_t size;
  if (lua_type(L, index) != LUA_TSTRING) {
    awl_show_value(L, s, index);
    return;
  }
  const char *text = lua_tolstring(L, index, &size);
  awl_push_cut(L, text, size);
}

void awl_push_plain_name(lua_State *L, awl_state *s, const aw_task *task) {
  const char *name = aw_task_name(task);
  if (name) {
    awl_push_cut_name(L, name);
  } else if (!awl_push_state(L, s, task, AWL_LONGEST_NAME)) {
    /* it has ended, and the wire is gone */
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
  char about[AWL_LONGEST_WAIT];
  awl_describe(waiting->operation, waiting->data, about, sizeof about);
  lua_pushfstring(L, *about ? "%s %s" : "%s", waiting->label, about);
}

void awl_push_label(lua_State *L, awl_state *s, const aw_task *task) {
  aw_waiting waiting;
  if (!aw_task_waiting(task, &waiting))
    lua_pushnil(L);
  else if (strcmp(waiting.label, "sleep") == 0)
    push_sleep_label(L, task, &waiting);
  else if (waiting.task) {
    awl_push_task(L, s, waiting.task); /* keeps it */
    lua_pushliteral(L, "join ");
    awl_push_task_name(L, s, waiting.task);
    lua_concat(L, 2);
    lua_remove(L, -2);
  } else if (strcmp(waiting.label, "children") == 0)
    lua_pushfstring(L, "join %d child%s", (int)waiting.children,
                    waiting.children == 1 ? "" : "ren");
  else
    push_operation_label(L, &waiting);
}
