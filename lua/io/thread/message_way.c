/* message_way.c - where a value that cannot be copied was found
 *
 * The way is found from its end: from the key that is written now up to the
 * value in which it is. Only errors need it, so a table notes in which other
 * table it was found, and its key there is searched for.
 */
#include "thread/message_writer.h"

#include <lauxlib.h>

#include <ctype.h>

/* A text that grows at its front. What finds no room is left out. */
typedef struct way {
  char text[160];
  size_t start;
  bool full;
} way;

static void put_before(way *y, const char *text, size_t size) {
  enum { DOTS = 3 };
  if (y->full)
    return;
  if (size > y->start - DOTS) {
    y->full = true;
    text = "...";
    size = DOTS;
  }
  y->start -= size;
  memcpy(y->text + y->start, text, size);
}

static bool is_identifier(const char *text, size_t size) {
  bool is = size > 0 && !isdigit((unsigned char)*text);
  for (size_t i = 0; is && i < size; i++)
    is = isalnum((unsigned char)text[i]) || text[i] == '_';
  return is;
}

static void put_string_key(way *y, const char *key, size_t size) {
  enum { LONGEST = 40 };
  char clean[LONGEST];
  if (is_identifier(key, size) && size <= LONGEST) {
    put_before(y, key, size);
    put_before(y, ".", 1);
    return;
  }
  put_before(y, "\"]", 2);
  if (size > LONGEST)
    put_before(y, "...", 3);
  size = size < LONGEST ? size : LONGEST;
  for (size_t i = 0; i < size; i++)
    clean[i] = (char)(iscntrl((unsigned char)key[i]) ? '?' : key[i]);
  put_before(y, clean, size);
  put_before(y, "[\"", 2);
}

/* Put the key on top before the way. */
static void put_key_before(lua_State *L, way *y) {
  size_t size;
  const char *text;
  if (lua_type(L, -1) == LUA_TSTRING) {
    text = lua_tolstring(L, -1, &size);
    put_string_key(y, text, size);
    return;
  }
  if (lua_type(L, -1) == LUA_TNUMBER || lua_type(L, -1) == LUA_TBOOLEAN)
    luaL_tolstring(L, -1, NULL);
  else
    lua_pushfstring(L, "a %s", luaL_typename(L, -1));
  text = lua_tolstring(L, -1, &size);
  put_before(y, "]", 1);
  put_before(y, text, size);
  put_before(y, "[", 1);
  lua_pop(L, 1);
}

/* Put the key of table `number` in its parent before the way. */
static void put_key_of(const awio_writer *w, size_t number, way *y) {
  lua_State *L = w->L;
  int top = lua_gettop(L), key = top + 3;
  lua_rawgeti(L, AWIO_TABLES, (lua_Integer)number);
  lua_rawgeti(L, AWIO_TABLES, (lua_Integer)w->writings[number - 1].parent);
  for (lua_pushnil(L); lua_next(L, top + 2) != 0; lua_settop(L, key)) {
    bool is_key = lua_rawequal(L, key, top + 1);
    if (!is_key && !lua_rawequal(L, key + 1, top + 1))
      continue;
    lua_settop(L, key);
    if (is_key)
      put_before(y, "[a key]", sizeof "[a key]" - 1);
    else
      put_key_before(L, y);
    break;
  }
  lua_settop(L, top);
}

static int put_keys(const awio_writer *w, way *y) {
  size_t number = w->table;
  if (number == 0)
    return w->value;
  if (w->in_key) {
    put_before(y, "[a key]", sizeof "[a key]" - 1);
  } else {
    lua_pushvalue(w->L, w->base + AWIO_KEY_AT);
    put_key_before(w->L, y);
    lua_pop(w->L, 1);
  }
  for (; w->writings[number - 1].parent != 0;
       number = w->writings[number - 1].parent)
    if (!y->full)
      put_key_of(w, number, y);
  return w->writings[number - 1].value;
}

void awio_message_push_way(awio_writer *w) {
  lua_State *L = w->L;
  way y = {.start = sizeof y.text - 1};
  y.text[y.start] = '\0';
  int value = put_keys(w, &y);
  const char *fields = y.text + y.start;
  fields += *fields == '.' && fields[1] != '.';
  if (w->number > 0)
    lua_pushfstring(L, "%s %d", w->what, w->number + value);
  else
    lua_pushstring(L, w->what);
  if (*fields)
    lua_pushfstring(L, ", field '%s'", fields);
  else
    lua_pushliteral(L, "");
  lua_concat(L, 2);
}
