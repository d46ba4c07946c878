/* class.c - the class of sockets: how Lua finds their methods and fields
 *
 *   socket ──► metatable ──__index──► members ──► metatable
 *              its own                its own     shared
 *                                                   └─__index──► find_member()
 *                                                        a method, which it
 *                                                        adds to members, or
 *                                                        an option
 *
 * A program looks up a method for each message. A table as __index costs a
 * third of a function as __index. But only a function can read an option, and
 * the __index function of a table gets that table, not the socket. So each
 * socket has a table of its own (members) with the methods used so far and the
 * socket.
 */
#include "zmq.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

const char *const AWZ_SOCKET_CLASS = "zmq socket";

static const char *const MEMBERS_CLASS = "aiowire.zmq.members";
static const char SOCKET_KEY = 's'; /* its address is the key */

void awz_describe(const awz_box *box, char *out, size_t size) {
  const awz_socket *s = awz_socket_in(box);
  if (s)
    snprintf(out, size, "%s%s%s", s->type->name, *s->address ? " " : "",
             s->address);
  else
    snprintf(out, size, "%s (finalized)", AWZ_SOCKET_CLASS);
}

/* The names of methods; further ones are never suggested. */
typedef struct names {
  const char *at[64];
  size_t count;
} names;

static const char *name_in(const void *list, size_t index) {
  const names *all = list;
  return index < all->count ? all->at[index] : NULL;
}

/* Push the method whose name is nearest to `name` and return true; false: none
 * is near. */
static bool push_meant_method(lua_State *L, int methods, const char *name) {
  names all = {.count = 0};
  lua_pushnil(L);
  while (lua_next(L, methods)) {
    lua_pop(L, 1);
    if (lua_type(L, -1) == LUA_TSTRING &&
        all.count < sizeof all.at / sizeof *all.at)
      all.at[all.count++] = lua_tostring(L, -1);
  }
  const char *meant = aw_lua_nearest(name, name_in, &all);
  if (meant)
    lua_pushstring(L, meant);
  return meant != NULL;
}

/* find(members, name) → a method or the value of an option. Upvalue 1 has all
 * methods. */
static int find_member(lua_State *L) {
  lua_pushvalue(L, 2);
  if (lua_rawget(L, lua_upvalueindex(1)) != LUA_TNIL) {
    lua_pushvalue(L, 2);
    lua_pushvalue(L, -2);
    lua_rawset(L, 1);
    return 1;
  }
  lua_rawgetp(L, 1, &SOCKET_KEY);
  lua_replace(L, 1);
  lua_settop(L, 2);
  const char *name = aw_lua_check_string(L, 2, NULL);
  bool is_closed = strcmp(name, "closed") == 0;
  if (!is_closed && !awz_nearest_option(name) &&
      push_meant_method(L, lua_upvalueindex(1), name))
    return awz_error(L,
                     "a zmq socket has no method or option '%s', did you "
                     "mean '%s'?",
                     name, lua_tostring(L, -1));
  if (!is_closed)
    return awz_get_option(L, awz_check_socket(L, "get"));
  const awz_socket *s = awz_socket_in(&awz_check_handle(L, 1)->box);
  lua_pushboolean(L, !s || !s->raw);
  return 1;
}

static int socket_newindex(lua_State *L) {
  return awz_set_option(L, awz_check_socket(L, "set"));
}

/* __close(socket, error). It ignores the error, unlike close(linger). */
static int socket_leave(lua_State *L) {
  const awz_box *box = &awz_check_handle(L, 1)->box;
  awz_use(L, box);
  awz_socket *s = awz_socket_in(box);
  if (s)
    awz_socket_close(s);
  return 0;
}

/* (socket) */
static int tell_late(lua_State *L) {
  awz_use(L, lua_touserdata(L, 1));
  return 0;
}

/* Lua did not call the finalizer of the userdata. */
static void release_lost_socket(aw_lua_held *held) {
  awz_socket *s = (awz_socket *)((char *)held - offsetof(awz_socket, held));
  awz_socket_close(s);
  awz_socket_release(s);
}

void awz_fill_socket(lua_State *L, awz_box *box, awz_socket *s) {
  box->object = s;
  s->held.release = release_lost_socket;
  aw_lua_hold(L, &s->held);
}

static int socket_gc(lua_State *L) {
  awz_box *box = lua_touserdata(L, 1);
  lua_pushcfunction(L, tell_late);
  lua_pushvalue(L, 1);
  lua_pcall(L, 1, 0, 0); /* an error must not keep the socket from closing */
  awz_socket *s = box->object;
  box->object = NULL;
  if (s) {
    aw_lua_let_go(&s->held);
    awz_socket_close(s);
    awz_socket_release(s);
  }
  return 0;
}

static int socket_tostring(lua_State *L) {
  const awz_socket *s = awz_socket_in(&awz_check_handle(L, 1)->box);
  if (!s) {
    lua_pushfstring(L, "%s (finalized)", AWZ_SOCKET_CLASS);
    return 1;
  }
  const char *state = !s->raw        ? "closed"
                      : !*s->address ? "not connected"
                      : s->bound     ? "bound to "
                                     : "connected to ";
  lua_pushfstring(L, "zmq %s socket (%s%s)", s->type->name, state,
                  s->raw ? s->address : "");
  return 1;
}

static const luaL_Reg meta[] = {{"__newindex", socket_newindex},
                                {"__close", socket_leave},
                                {"__gc", socket_gc},
                                {"__tostring", socket_tostring},
                                {NULL, NULL}};

/* Push the members of the socket that is on top. */
static void push_members(lua_State *L) {
  enum { ROOMY = 8 }; /* few methods collide: a lookup takes one step */
  lua_createtable(L, 0, ROOMY);
  lua_pushvalue(L, -2);
  lua_rawsetp(L, -2, &SOCKET_KEY);
  luaL_setmetatable(L, MEMBERS_CLASS);
}

awz_box *awz_push_socket(lua_State *L) {
  enum { FIELDS = 16 }; /* twice as many as there are, as above */
  awz_handle *handle = lua_newuserdatauv(L, sizeof *handle, 0);
  awz_box *box = &handle->box;
  *box = (awz_box){AWZ_SOCKET_CLASS, NULL};
  handle->plain = (awz_way){.box = box};
  handle->multipart = (awz_way){.box = box, .as_table = true};
  handle->described =
      (awz_way){.box = box, .as_table = true, .with_meta = true};
  push_members(L);
  lua_createtable(L, 0, FIELDS); /* [socket, members, class] */
  luaL_setfuncs(L, meta, 0);     /* runs for each socket: no names */
  aw_lua_add_source(L, -1, &awz_source);
  lua_pushstring(L, AWZ_SOCKET_CLASS);
  lua_setfield(L, -2, "__name");
  lua_pushboolean(L, 0);
  lua_setfield(L, -2, "__metatable"); /* locked */
  lua_insert(L, -2);
  lua_setfield(L, -2, "__index");
  lua_setmetatable(L, -2);
  return box;
}

/* [methods] → the same */
void awz_open_class(lua_State *L) {
  luaL_newmetatable(L, MEMBERS_CLASS);
  lua_pushvalue(L, -2);
  lua_pushcclosure(L, find_member, 1);
  lua_setfield(L, -2, "__index");
  lua_pop(L, 1);
}
