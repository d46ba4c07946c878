/* recv_send.c - sources and targets of messages: aw.Recv, aw.Send
 *
 * Channels, sockets, subscriptions and others are classes of their own. Each
 * class has a constant aw_lua_source that says what its objects can do. The
 * metatable has it under a key that no program can make.
 *
 * The number of an object's descriptor is not accepted as a source, since the
 * library watches that descriptor for the object. So AWL_FDS remembers the
 * numbers that a program has asked for.
 */
#include "base/classes.h"
#include "base/location.h"
#include "open.h"

static const char KEY = 'r'; /* the address of KEY is the key */

void aw_lua_add_source(lua_State *L, int metatable,
                       const aw_lua_source *source) {
  metatable = lua_absindex(L, metatable);
  lua_pushlightuserdata(L, (void *)(uintptr_t)source);
  lua_rawsetp(L, metatable, &KEY);
}

const aw_lua_source *aw_lua_find_source(lua_State *L, int index) {
  if (lua_type(L, index) != LUA_TTABLE && !lua_isuserdata(L, index))
    return NULL;
  if (!lua_getmetatable(L, index))
    return NULL;
  lua_rawgetp(L, -1, &KEY);
  const aw_lua_source *source = lua_touserdata(L, -1);
  lua_pop(L, 2);
  return source;
}

/* ---- descriptors that programs have seen ---- */

void aw_lua_tell_fd(lua_State *L, int index, int fd) {
  lua_pushvalue(L, index);
  awl_set(L, awl_open(L), AWL_FDS, fd);
}

bool aw_lua_push_owner(lua_State *L, int fd) {
  awl_get(L, awl_open(L), AWL_FDS, fd);
  if (!lua_isnil(L, -1)) {
    const aw_lua_source *source = aw_lua_find_source(L, -1);
    if (source && source->fd(L, -1) == fd)
      return true;
  }
  lua_pop(L, 1);
  return false;
}

/* Call `maker` in the frame of the function that the user called, so that
 * errors about arguments name that function. */
static int make(lua_State *L, lua_CFunction maker, const char *verb) {
  if (maker)
    return maker(L);
  if (!aw_lua_find_source(L, 1))
    return aw_lua_type_error(L, 1, "channel or socket");
  const char *type = aw_lua_type_name(L, 1);
  return awl_error(L, "%s %s cannot %s", awl_article(type), type, verb);
}

static int m_Recv(lua_State *L) {
  const aw_lua_source *source = aw_lua_find_source(L, 1);
  return make(L, source ? source->recv : NULL, "receive");
}

static int m_Send(lua_State *L) {
  const aw_lua_source *source = aw_lua_find_source(L, 1);
  return make(L, source ? source->send : NULL, "send");
}

/* Register the functions in the module's table, on top. */
void awl_open_source(lua_State *L, awl_state *s) {
  static const luaL_Reg constructors[] = {
      {"Recv", m_Recv}, {"Send", m_Send}, {NULL, NULL}};
  awl_register(L, s, constructors);
}
