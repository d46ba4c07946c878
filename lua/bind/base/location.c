/* location.c - places in the source, and names of functions: interned texts
 *
 * The binding often asks for the "file:line" of a start and for the name of a
 * function, but people seldom read them. So each text exists once, and a
 * look-up by source and line finds it without building it again: 57 ns against
 * 219 ns for a new string. The table has as many texts as the program has
 * places, and is freed with the state. A program that loads new chunks all the
 * time has ever more places. No text can be freed, since tasks and wires may
 * point to it, so from MOST texts on new places are unknown ("?").
 *
 * Neighbours: arguments.c says what is wrong with arguments; errors/traceback.c
 * makes texts of stacks.
 */
#include "base/location.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct awl_location {
  uint64_t hash;
  int line; /* line of a place; -1: the entry is no place */
  bool function;
  const char *text; /* the text for people */
  /* length of `key`; the key of a place is its short source name */
  size_t length;
  char key[]; /* for a place, the text follows the key */
};

static uint64_t hash_of(const char *text, size_t length, int line) {
  uint64_t hash = UINT64_C(14695981039346656037) ^ (uint64_t)(unsigned)line;
  for (size_t i = 0; i < length; i++) /* FNV-1a */
    hash = (hash ^ (unsigned char)text[i]) * UINT64_C(1099511628211);
  return hash ? hash : 1;
}

/* Return the cell of a text, or the free cell where the text belongs. */
static awl_location **find_location(awl_state *s, uint64_t hash,
                                    const char *key, size_t length, int line,
                                    bool function) {
  size_t mask = s->location_size - 1;
  for (size_t i = (size_t)hash & mask;; i = (i + 1) & mask) {
    awl_location *location = s->locations[i];
    if (!location ||
        (location->hash == hash && location->line == line &&
         location->function == function && location->length == length &&
         memcmp(location->key, key, length) == 0))
      return &s->locations[i];
  }
}

static bool make_location_room(awl_state *s) {
  if (s->location_count * 2 < s->location_size)
    return true;
  size_t old_size = s->location_size;
  awl_location **old = s->locations;
  size_t size = old_size ? old_size * 2 : 64;
  awl_location **locations = aw_allocate(size * sizeof(awl_location *));
  if (!locations)
    return false;
  s->locations = locations;
  s->location_size = size;
  for (size_t i = 0; i < old_size; i++)
    if (old[i])
      *find_location(s, old[i]->hash, old[i]->key, old[i]->length, old[i]->line,
                     old[i]->function) = old[i];
  aw_free(old);
  return true;
}

enum { MOST = 8192 };

/* Return the interned text; NULL: there are too many texts. */
static const char *intern_location(lua_State *L, awl_state *s, const char *key,
                                   int line, bool function) {
  const awl_location *recent = s->recent_locations[function];
  if (recent && recent->line == line && strcmp(recent->key, key) == 0)
    return recent->text;
  size_t length = strlen(key);
  uint64_t hash = hash_of(key, length, line);
  if (!make_location_room(s))
    luaL_error(L, "not enough memory");
  awl_location **cell = find_location(s, hash, key, length, line, function);
  if (*cell) {
    s->recent_locations[function] = *cell;
    return (*cell)->text;
  }
  if (s->location_count >= MOST)
    return NULL;
  static const size_t EXTRA = 32; /* "function@", ":" and a line */
  awl_location *location =
      aw_allocate(sizeof *location + 2 * (length + 1) + EXTRA);
  if (!location)
    luaL_error(L, "not enough memory");
  location->hash = hash;
  location->line = line;
  location->function = function;
  location->length = length;
  memcpy(location->key, key, length + 1);
  location->text = location->key;
  if (line >= 0) {
    char *text = location->key + length + 1;
    snprintf(text, length + EXTRA, "%s%s:%d", function ? "function@" : "", key,
             line);
    location->text = text;
  }
  *cell = location;
  s->location_count++;
  return location->text;
}

const char *awl_where(lua_State *L, awl_state *s, int level) {
  return awl_where_in(L, s, L, level);
}

const char *awl_where_in(lua_State *L, awl_state *s, lua_State *co, int level) {
  lua_Debug ar;
  for (; lua_getstack(co, level, &ar); level++) {
    if (awl_is_users(co, &ar)) {
      const char *where =
          intern_location(L, s, ar.short_src, ar.currentline, false);
      return where ? where : "?";
    }
  }
  return "?";
}

bool awl_is_ours(const lua_Debug *ar) {
  static const char OURS[] = "=[aiowire.";
  return *ar->source == *OURS &&
         strncmp(ar->source, OURS, sizeof OURS - 1) == 0;
}

bool awl_is_users(lua_State *L, lua_Debug *ar) {
  lua_getinfo(L, "Sl", ar);
  return ar->currentline >= 0 && !awl_is_ours(ar);
}

/* Push "file:line: " of the innermost function of the user. If the task runs no
 * function of the user, as aw.Call(aw.sleep, "x"), push the line that started
 * the task. */
static void push_place(lua_State *L) {
  lua_Debug ar;
  for (int level = 1; lua_getstack(L, level, &ar); level++) {
    if (awl_is_users(L, &ar)) {
      lua_pushfstring(L, "%s:%d: ", ar.short_src, ar.currentline);
      return;
    }
  }
  const awl_worker *w = awl_open(L)->run.running;
  const char *where = w && L == w->co ? aw_task_where(w->task) : NULL;
  lua_pushfstring(L, where ? "%s: " : "", where);
}

int aw_lua_error(lua_State *L, const char *format, ...) {
  push_place(L);
  va_list arguments;
  va_start(arguments, format);
  lua_pushvfstring(L, format, arguments);
  va_end(arguments);
  lua_concat(L, 2);
  return lua_error(L);
}

const char *awl_article(const char *word) {
  return *word && strchr("aeio", *word) ? "an" : "a";
}

/* Fill AWL_NAMES with the functions of the loaded modules, once. Of two names
 * the shorter wins; functions of _G have no prefix. */
static void name_module(lua_State *L, int names, const char *module) {
  bool global = strcmp(module, "_G") == 0;
  for (lua_pushnil(L); lua_next(L, -2); lua_pop(L, 1)) {
    if (lua_type(L, -2) != LUA_TSTRING || !lua_isfunction(L, -1))
      continue;
    lua_pushvalue(L, -1);
    if (lua_rawget(L, names) != LUA_TNIL && !global) {
      lua_pop(L, 1);
      continue;
    }
    lua_pop(L, 1);
    lua_pushvalue(L, -1);
    if (global)
      lua_pushvalue(L, -3);
    else
      lua_pushfstring(L, "%s.%s", module, lua_tostring(L, -3));
    lua_rawset(L, names);
  }
}

void awl_name_libraries(lua_State *L, awl_state *s) {
  awl_push_slot(L, s, AWL_NAMES);
  int names = lua_gettop(L);
  lua_getfield(L, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
  for (lua_pushnil(L); lua_next(L, -2); lua_pop(L, 1))
    if (lua_type(L, -2) == LUA_TSTRING && lua_istable(L, -1))
      name_module(L, names, lua_tostring(L, -2));
  lua_settop(L, names - 1);
  s->named = true;
}

const char *awl_library_name(lua_State *L, awl_state *s, int index) {
  index = lua_absindex(L, index);
  if (!s->named)
    awl_name_libraries(L, s);
  awl_push_slot(L, s, AWL_NAMES);
  lua_pushvalue(L, index);
  lua_rawget(L, -2);
  const char *name = lua_tostring(L, -1); /* the table keeps the name alive */
  lua_pop(L, 2);
  return name;
}

/* ---- names of functions ----
 *
 * The states of a machine are few functions, whose names are asked for at each
 * transition. lua_getinfo() and the look-up of its text would cost a quarter of
 * the transition, so the names of some functions are kept by their addresses. A
 * function that is collected leaves AWL_KNOWN, and then its cell is void: the
 * address may be that of another function.
 */

static unsigned known_cell(const void *identity) {
  uintptr_t address = (uintptr_t)identity;
  return (unsigned)((address >> 4 ^ address >> 9) % AWL_MOST_KNOWN);
}

const char *awl_known_name(awl_state *s, const void *identity) {
  unsigned cell = known_cell(identity);
  if (s->known[cell].identity != identity)
    return NULL;
  bool alive = lua_rawgeti(s->util, AWL_KNOWN, cell + 1) == LUA_TFUNCTION;
  lua_pop(s->util, 1);
  return alive ? s->known[cell].name : NULL;
}

/* Return the name of the function of Lua at `index`, and keep it. */
static const char *lua_function_name(lua_State *L, awl_state *s, int index) {
  lua_Debug ar;
  lua_pushvalue(L, index);
  lua_getinfo(L, ">S", &ar);
  const char *name = intern_location(L, s, ar.short_src, ar.linedefined, true);
  if (!name)
    return "function";
  const void *identity = lua_topointer(L, index);
  unsigned cell = known_cell(identity);
  lua_pushvalue(L, index);
  awl_set(L, s, AWL_KNOWN, cell + 1);
  s->known[cell].identity = identity;
  s->known[cell].name = name;
  return name;
}

const char *awl_function_name(lua_State *L, awl_state *s, int index) {
  index = lua_absindex(L, index);
  if (!lua_isfunction(L, index)) {
    const char *name = NULL;
    int type = luaL_getmetafield(L, index, "__name");
    if (type == LUA_TSTRING)
      name = intern_location(L, s, lua_tostring(L, -1), -1, false);
    if (type != LUA_TNIL)
      lua_pop(L, 1);
    return name ? name : luaL_typename(L, index);
  }
  const char *known = awl_known_name(s, lua_topointer(L, index));
  if (known)
    return known;
  if (!lua_iscfunction(L, index))
    return lua_function_name(L, s, index);
  const char *name = awl_library_name(L, s, index);
  if (name)
    name = intern_location(L, s, name, -1, false);
  return name ? name : "function";
}

void awl_free_locations(awl_state *s) {
  for (size_t i = 0; i < s->location_size; i++)
    aw_free(s->locations[i]);
  aw_free(s->locations);
  s->locations = NULL;
  s->recent_locations[0] = s->recent_locations[1] = NULL;
  s->location_size = s->location_count = 0;
}
