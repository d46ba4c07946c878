/* show_value.c - how values look to people [V8, D1]
 *
 * Texts are short: names and values are cut. No code of users is called, not
 * even __tostring. The room of a class sets a function that shows its objects
 * (awl_set_show).
 *
 * Neighbours: text.c bounds texts; wire/show.c shows wires, and
 * wire/task_text.c tasks.
 */
#include "base/show_value.h"

#include "base/location.h"
#include "base/text.h"

#include <stdio.h>
#include <string.h>

/* ---- cut texts ---- */

void awl_push_cut(lua_State *L, const char *text, size_t size) {
  awl_text cut;
  awl_text_init(&cut, AWL_LONGEST_NAME);
  awl_text_add(&cut, text, size);
  lua_pushlstring(L, cut.data, cut.length);
}

void awl_push_cut_name(lua_State *L, const char *name) {
  size_t size = strnlen(name, AWL_LONGEST_NAME + 1);
  if (size <= AWL_LONGEST_NAME)
    lua_pushstring(L, name); /* Lua finds a text by its address */
  else
    awl_push_cut(L, name, size);
}

void awl_cut_name(lua_State *L) {
  size_t size;
  const char *text = lua_tolstring(L, -1, &size);
  awl_push_cut(L, text, size);
  lua_remove(L, -2);
}

/* ---- values ---- */

enum { LONGEST_TEXT = 32 };

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

void awl_set_show(awl_state *s, awl_class class, awl_show show) {
  s->shows[class] = show;
}

/* Show an object by the function of its class, or else by the name of its
 * type. */
static void show_other(lua_State *L, awl_state *s, int index) {
  for (int class = 0; class < AWL_CLASSES; class ++)
    if (s->shows[class] && awl_is(L, s, index, (awl_class) class) &&
        s->shows[class](L, s, index))
      return;
  lua_pushstring(L, aw_lua_type_name(L, index));
}

void awl_show_value(lua_State *L, awl_state *s, int index) {
  index = lua_absindex(L, index);
  switch (lua_type(L, index)) {
  case LUA_TSTRING: push_quoted(L, index); break;
  case LUA_TNUMBER:
  case LUA_TBOOLEAN:
  case LUA_TNIL: luaL_tolstring(L, index, NULL); break;
  case LUA_TFUNCTION: lua_pushstring(L, awl_function_name(L, s, index)); break;
  default: show_other(L, s, index); break;
  }
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

/* ---- operations ---- */

void awl_describe(const aw_operation *operation, const void *data, char *out,
                  size_t size) {
  *out = '\0';
  if (operation->describe)
    operation->describe(data, out, size);
}

void awl_add_argument(awl_state *s, const aw_operation *operation,
                      awl_push_argument push) {
  size_t i = 0;
  while (s->arguments[i].operation)
    i++;
  s->arguments[i].operation = operation;
  s->arguments[i].push = push;
}

bool awl_push_operation_argument(lua_State *L, awl_state *s,
                                 const aw_wire_view *view) {
  for (size_t i = 0; i < AWL_MOST_ARGUMENTS; i++)
    if (s->arguments[i].operation == view->operation) {
      s->arguments[i].push(L, s, view->data);
      return true;
    }
  return false;
}

/* ---- tasks without a wire ---- */

void awl_push_given_name(lua_State *L, const aw_task *task) {
  const char *name = aw_task_name(task), *where = aw_task_where(task);
  if (name)
    awl_push_cut_name(L, name);
  else /* the task has ended, and its wire is gone */
    lua_pushfstring(L, "wire%s%s", where ? "@" : "", where ? where : "");
}
