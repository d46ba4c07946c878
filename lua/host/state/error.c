/* error.c - `error`, which makes its text faster
 *
 * Lua's `error` makes the text in two strings: it writes the place with
 * lua_pushfstring(), which calls snprintf() for the number of the line, and
 * appends the message. That took half the time of an error that is raised and
 * caught by `//`. This function writes the same text, byte for byte, in one
 * piece. Only the stock interpreter has Lua's own.
 *
 * A program raises most of its errors from few places, and often with the same
 * message. So the last short text of each line is kept, in one of RECENT
 * upvalues, and raised again: Lua need not hash it and make a string.
 */
#include "state/error.h"

#include <lauxlib.h>

#include <stdbool.h>
#include <string.h>

/* "file", ":", the line, ": " and the message. A longer text is
 * concatenated. */
enum { LONGEST_LINE = 16, LONGEST_TEXT = LUA_IDSIZE + LONGEST_LINE + 256 };

enum { RECENT = 4 };

/* A text that is being made. */
typedef struct error_text {
  int line;
  size_t size;
  char bytes[LONGEST_TEXT];
} error_text;

/* Write ":<line>: " before `end`. Return where it begins. */
static char *write_line(char *end, int line) {
  char *at = end - 2;
  memcpy(at, ": ", 2);
  do {
    *--at = (char)('0' + line % 10);
    line /= 10;
  } while (line > 0);
  *--at = ':';
  return at;
}

/* Begin the text with "file:line: " of the function at `level`. False: that is
 * a function without lines, or below the stack. */
static bool begin_text(lua_State *L, int level, error_text *text) {
  lua_Debug ar;
  char line[LONGEST_LINE];
  if (!lua_getstack(L, level, &ar))
    return false;
  lua_getinfo(L, "Sl", &ar);
  if (ar.currentline <= 0)
    return false;
  const char *at = write_line(line + sizeof line, ar.currentline);
  size_t file = strlen(ar.short_src);
  size_t rest = (size_t)(line + sizeof line - at);
  memcpy(text->bytes, ar.short_src, file);
  memcpy(text->bytes + file, at, rest);
  text->line = ar.currentline;
  text->size = file + rest;
  return true;
}

/* Push the text; it is the upvalue of its line then. */
static void push_short_text(lua_State *L, const error_text *text) {
  int place = lua_upvalueindex(1 + text->line % RECENT);
  size_t size;
  const char *recent = lua_tolstring(L, place, &size);
  if (recent && size == text->size && memcmp(recent, text->bytes, size) == 0) {
    lua_pushvalue(L, place);
    return;
  }
  lua_pushlstring(L, text->bytes, text->size);
  lua_copy(L, -1, place);
}

/* [message] → [.., text]: put the place before the message. */
static void add_place(lua_State *L, int level) {
  error_text text;
  size_t size;
  if (!begin_text(L, level, &text))
    return;
  const char *message = lua_tolstring(L, 1, &size);
  if (size <= sizeof text.bytes - text.size) {
    memcpy(text.bytes + text.size, message, size);
    text.size += size;
    push_short_text(L, &text);
  } else {
    lua_pushlstring(L, text.bytes, text.size);
    lua_pushvalue(L, 1);
    lua_concat(L, 2);
  }
}

/* error(message [, level]) */
static int base_error(lua_State *L) {
  int level = (int)luaL_optinteger(L, 2, 1);
  lua_settop(L, 1);
  if (lua_type(L, 1) == LUA_TSTRING && level > 0)
    add_place(L, level);
  return lua_error(L);
}

void host_set_error(lua_State *L) {
  for (int i = 0; i < RECENT; i++)
    lua_pushnil(L);
  lua_pushcclosure(L, base_error, RECENT);
  lua_setglobal(L, "error");
}
