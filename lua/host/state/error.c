/* error.c - `error`, which makes its text faster
 *
 * Lua's `error` makes the text in two strings: it writes the place with
 * lua_pushfstring(), which calls snprintf() for the number of the line, and
 * appends the message. That took half the time of an error that is raised and
 * caught by `//`. This function writes the same text, byte for byte, in one
 * piece. Only the stock interpreter has Lua's own.
 */
#include "state/error.h"

#include <lauxlib.h>

#include <string.h>

/* "file", ":", the line, ": " and the message. A longer text is concatenated. */
enum { LONGEST_LINE = 16, LONGEST_TEXT = LUA_IDSIZE + LONGEST_LINE + 256 };

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

/* Write "file:line: " of the function at `level`. Return the size: 0 for a
 * function without lines, and below the stack. */
static size_t write_place(lua_State *L, int level, char *text) {
  lua_Debug ar;
  char line[LONGEST_LINE];
  if (!lua_getstack(L, level, &ar))
    return 0;
  lua_getinfo(L, "Sl", &ar);
  if (ar.currentline <= 0)
    return 0;
  const char *at = write_line(line + sizeof line, ar.currentline);
  size_t file = strlen(ar.short_src);
  size_t rest = (size_t)(line + sizeof line - at);
  memcpy(text, ar.short_src, file);
  memcpy(text + file, at, rest);
  return file + rest;
}

/* [message] → [message]: put the place before it. */
static void add_place(lua_State *L, int level) {
  char text[LONGEST_TEXT];
  size_t place = write_place(L, level, text), size;
  if (place == 0)
    return;
  const char *message = lua_tolstring(L, 1, &size);
  if (size <= sizeof text - place) {
    memcpy(text + place, message, size);
    lua_pushlstring(L, text, place + size);
  } else {
    lua_pushlstring(L, text, place);
    lua_pushvalue(L, 1);
    lua_concat(L, 2);
  }
}

int host_error(lua_State *L) {
  int level = (int)luaL_optinteger(L, 2, 1);
  lua_settop(L, 1);
  if (lua_type(L, 1) == LUA_TSTRING && level > 0)
    add_place(L, level);
  return lua_error(L);
}
