/* traceback.c - the text of a stack [E2]
 *
 * A traceback is Lua's own text with two differences: levels of the binding are
 * left out, and a function of a loaded library has its full name. Almost every
 * error that is raised in a body gets a traceback, even if the body catches the
 * error. So speed matters: the text is written into one buffer. The slowest
 * step is to ask Lua for the name that the caller uses for a function. It is
 * left out if the function's name in a library is known.
 *
 * Neighbours: frames.c keeps stacks raw, and makes their text later.
 */
#include "errors/traceback.h"

#include "base/location.h"

#include <string.h>

enum { MOST_LEVELS = 22 };

/* [.., function] → [..]: return the name of the function in a library, or NULL.
 * NULL also if the names of libraries have not been read: only a C function
 * makes awl_push_traceback() read them. */
static const char *take_library_name(lua_State *L, awl_state *s) {
  const char *name = s->named ? awl_library_name(L, s, -1) : NULL;
  lua_pop(L, 1);
  return name;
}

static void add_quoted(luaL_Buffer *b, const char *what, const char *name) {
  luaL_addstring(b, what);
  luaL_addlstring(b, " '", 2);
  luaL_addstring(b, name);
  luaL_addchar(b, '\'');
}

/* Write ":" and the number by hand: snprintf() would take a third of the time
 * of a traceback. */
static void add_line_number(luaL_Buffer *b, int line) {
  char text[16];
  char *at = text + sizeof text;
  do {
    *--at = (char)('0' + line % 10);
    line /= 10;
  } while (line > 0);
  *--at = ':';
  luaL_addlstring(b, at, (size_t)(text + sizeof text - at));
}

static void add_function(luaL_Buffer *b, const lua_Debug *ar,
                         const char *library_name) {
  if (library_name)
    add_quoted(b, "function", library_name);
  else if (*ar->what == 'm')
    luaL_addstring(b, "main chunk");
  else if (*ar->namewhat == 'g') /* a global function: as Lua shows it */
    add_quoted(b, "function", ar->name);
  else if (*ar->namewhat != '\0')
    add_quoted(b, ar->namewhat, ar->name);
  else if (*ar->what == 'C')
    luaL_addchar(b, '?');
  else {
    luaL_addstring(b, "function <");
    luaL_addstring(b, ar->short_src);
    add_line_number(b, ar->linedefined);
    luaL_addchar(b, '>');
  }
}

/* Does a part of the library in Lua call the function at this level? */
static bool called_by_ours(lua_State *co, int level) {
  lua_Debug ar;
  if (!lua_getstack(co, level + 1, &ar))
    return false;
  lua_getinfo(co, "S", &ar);
  return awl_is_ours(&ar);
}

void awl_add_level(luaL_Buffer *b, const lua_Debug *ar,
                   const char *library_name) {
  luaL_addstring(b, ar->short_src);
  if (ar->currentline > 0)
    add_line_number(b, ar->currentline);
  luaL_addstring(b, ": in ");
  add_function(b, ar, library_name);
}

/* Add the line of the level `ar` to `b`. The function of the level is on top
 * of b's stack (popped). False: the level belongs to the library and gets no
 * line. */
static bool add_line(luaL_Buffer *b, awl_state *s, lua_State *co,
                     lua_Debug *ar) {
  lua_State *L = b->L;
  bool is_c = lua_iscfunction(L, -1);
  const char *name = take_library_name(L, s);
  if (is_c && name) {
    luaL_addstring(b, "\n\t[C]: in ");
    add_function(b, ar, name);
    return true;
  }
  lua_getinfo(co, "Slnt", ar);
  if (awl_is_ours(ar))
    return false;
  luaL_addlstring(b, "\n\t", 2);
  awl_add_level(b, ar, name);
  return true;
}

/* Is `f` the lowest C function of the binding? No level below is the user's. */
static bool is_bottom(const awl_state *s, lua_CFunction f) {
  return f && (f == s->upcalls.worker || f == s->upcalls.handler);
}

void awl_push_traceback(lua_State *L, awl_state *s, lua_State *co, int level) {
  lua_Debug ar;
  luaL_Buffer b;
  if (co != L) { /* keep `co` alive: a finalizer may end its task */
    lua_pushthread(co);
    lua_xmove(co, L, 1);
  } else {
    lua_pushnil(L);
  }
  luaL_buffinit(L, &b);
  luaL_addstring(&b, "stack traceback:");
  for (int i = 0; i < MOST_LEVELS && lua_getstack(co, level, &ar); level++) {
    lua_getinfo(co, "f", &ar);
    if (is_bottom(s, lua_tocfunction(co, -1))) {
      lua_pop(co, 1);
      break;
    }
    if (co != L)
      lua_xmove(co, L, 1);
    if (!s->named && lua_iscfunction(L, -1)) {
      /* this may collect, so look at the level again */
      awl_name_libraries(L, s);
      lua_pop(L, 1);
      level--;
      continue;
    }
    if (lua_iscfunction(L, -1) && called_by_ours(co, level))
      lua_pop(L, 1);
    else
      i += add_line(&b, s, co, &ar);
  }
  luaL_pushresult(&b);
  lua_remove(L, -2);
}

void awl_join_traceback(lua_State *L, awl_state *s, lua_State *co) {
  static const char HEAD[] = "stack traceback:";
  awl_push_traceback(L, s, co, 0);
  lua_pushstring(L, lua_tostring(L, -1) + sizeof HEAD - 1);
  lua_remove(L, -2);
  lua_concat(L, 2);
}

bool awl_has_lines(const char *traceback) {
  static const char C[] = "\n\t[C]:";
  for (const char *at = traceback; (at = strstr(at, "\n\t")) != NULL; at++)
    if (strncmp(at, C, sizeof C - 1) != 0)
      return true;
  return false;
}
