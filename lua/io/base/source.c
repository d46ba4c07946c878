/* source.c - finds the source in a number, a Lua file or an object [Q6]
 *
 * An object is a source if it has a member `pollfd`, `getfd` or `fd`: a method
 * that returns its descriptor, or the number itself. An object is also readable
 * while its own buffer holds data: its method `dirty()` (LuaSocket) or
 * `pending()` (cqueues) tells. The number 0 is also readable while the buffer
 * of io.stdin holds data, since scripts read descriptor 0 through io.stdin. A
 * class may have its own way to wait (aw_lua_source), as zmq sockets have.
 */
#include "base/source.h"

#include <aiowire.h>

#include <lauxlib.h>

#include <limits.h>
#include <stdio.h>

enum { STDIN = 0 };

/* ---- Lua files ---- */

/* Has `f` read data that nobody has taken yet? Only glibc shows this. */
#if defined(__GLIBC__)
static bool has_unread(const FILE *f) {
  return f->_IO_read_ptr < f->_IO_read_end;
}
#else
static bool has_unread(const FILE *f) {
  (void)f;
  return false;
}
#endif

int awio_file_fd(const void *file) {
  const luaL_Stream *stream = file;
  return stream->closef ? fileno(stream->f) : -1;
}

bool awio_file_buffered(const void *file) {
  const luaL_Stream *stream = file;
  return stream->closef && has_unread(stream->f);
}

bool awio_stdin_buffered(void) {
  return has_unread(stdin);
}

/* ---- objects ---- */

/* Push member `name` of the object at `index`, and return its type. If the
 * member is a method, call the method and push its first result instead. */
static int push_member(lua_State *L, int index, const char *name) {
  int type = lua_getfield(L, index, name);
  if (type != LUA_TFUNCTION)
    return type;
  lua_pushvalue(L, index);
  lua_call(L, 1, 1);
  return LUA_TFUNCTION;
}

static bool has_fields(lua_State *L, int index) {
  if (lua_istable(L, index))
    return true;
  if (!lua_isuserdata(L, index) ||
      luaL_getmetafield(L, index, "__index") == LUA_TNIL)
    return false;
  lua_pop(L, 1);
  return true;
}

static bool find_fd(lua_State *L, int index, int *fd) {
  static const char *const names[] = {"pollfd", "getfd", "fd"};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    int type = push_member(L, index, names[i]);
    int is_integer;
    lua_Integer n = lua_tointegerx(L, -1, &is_integer);
    lua_pop(L, 1);
    if (type == LUA_TNIL)
      continue;
    *fd = is_integer && n >= 0 && n <= INT_MAX ? (int)n : -1;
    return is_integer || type == LUA_TFUNCTION;
  }
  return false;
}

static bool is_buffered(lua_State *L, int index) {
  int top = lua_gettop(L);
  bool buffered =
      push_member(L, index, "dirty") == LUA_TFUNCTION && lua_toboolean(L, -1);
  if (!buffered)
    buffered = push_member(L, index, "pending") == LUA_TFUNCTION &&
               lua_tointeger(L, -1) > 0;
  lua_settop(L, top);
  return buffered;
}

bool awio_to_source(lua_State *L, int index, awio_source *out) {
  index = lua_absindex(L, index);
  *out = (awio_source){.fd = -1};
  if (lua_type(L, index) == LUA_TNUMBER) {
    int is_integer; /* LuaSocket's getfd() gives a float */
    lua_Integer n = lua_tointegerx(L, index, &is_integer);
    out->is_fd = true;
    out->fd = n <= INT_MAX ? (int)n : -1;
    out->is_stdin = is_integer && n == STDIN;
    return is_integer && n >= 0 && n <= INT_MAX;
  }
  const void *file = luaL_testudata(L, index, LUA_FILEHANDLE);
  if (file) {
    out->is_file = true;
    out->fd = awio_file_fd(file);
    out->buffered = awio_file_buffered(file);
    return true;
  }
  out->class = aw_lua_find_source(L, index);
  if (out->class && out->class->ready) {
    out->fd = out->class->fd(L, index);
    return true;
  }
  out->class = NULL;
  if (!has_fields(L, index) || !find_fd(L, index, &out->fd))
    return false;
  out->buffered = out->fd >= 0 && is_buffered(L, index);
  return true;
}
