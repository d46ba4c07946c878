/* server.c - the class Server: accept, close, name, reload; aw.Accept
 *
 *     Server (userdata) ─► awio_listener (C)
 *
 * accept() tries at once, unless another task already waits. Else it waits by
 * an operation of listener.c; then the Lua stack is [server, quiet]. With
 * `quiet`, which Serve uses, a closed server is no error.
 */
#include "net/server.h"

#include "io.h"
#include "tls/server_context.h"

#include <lauxlib.h>
#include <uv.h>

#include <stddef.h>

static const char *const SERVER = "aiowire.Server";
static const char *const LISTENING = "aiowire.listening"; /* in the registry */

/* ---- making ---- */

/* Lua has skipped the finalizer of the Server: close the listener here. */
static void release_lost_server(aw_lua_held *held) {
  awio_listener *l =
      (awio_listener *)((char *)held - offsetof(awio_listener, held));
  awio_listener_close(l, NULL);
  awio_listener_free(l);
}

awio_listener **awio_push_server(lua_State *L) {
  enum { WEIGHT = 2 * 1024 }; /* of a descriptor and its socket, a guess */
  awio_listener **box = lua_newuserdatauv(L, sizeof *box, 0);
  *box = NULL;
  luaL_setmetatable(L, SERVER);
  aw_lua_weigh(L, WEIGHT);
  return box;
}

/* Push the table of the Servers by their descriptors; its values are weak. */
static void push_listening(lua_State *L) {
  if (luaL_getsubtable(L, LUA_REGISTRYINDEX, LISTENING))
    return;
  lua_createtable(L, 0, 1);
  lua_pushliteral(L, "v");
  lua_setfield(L, -2, "__mode");
  lua_setmetatable(L, -2);
}

bool awio_is_listening(lua_State *L, int fd) {
  push_listening(L);
  lua_rawgeti(L, -1, fd);
  awio_listener **box = lua_touserdata(L, -1);
  bool listening = box && *box && (*box)->fd == fd;
  lua_pop(L, 2);
  return listening;
}

void awio_fill_server(lua_State *L, awio_listener **box,
                      awio_listener *listener) {
  *box = listener;
  if (!listener)
    return;
  listener->held.release = release_lost_server;
  listener->here = aw_lua_place(L);
  aw_lua_hold(L, &listener->held);
  push_listening(L);
  lua_pushvalue(L, -2);
  lua_rawseti(L, -2, listener->fd);
  lua_pop(L, 1);
}

/* Return the userdata of the Server at 1. */
static awio_listener **check_box(lua_State *L) {
  awio_listener **box = luaL_testudata(L, 1, SERVER);
  if (!box)
    aw_lua_type_error(L, 1, "server");
  return box;
}

static awio_listener *check_server(lua_State *L, const char *call) {
  awio_listener *l = *check_box(L);
  if (!l)
    aw_lua_system_error(L, AW_ECLOSED, call, "server (finalized)");
  return l;
}

/* ---- accepting ---- */

static int fail_accept(lua_State *L, const awio_listener *l, int code) {
  bool closed = !l || l->closed;
  if (closed && lua_toboolean(L, 2))
    return 0;
  const char *about = l ? l->name : "server (finalized)";
  if (code == AW_EBUSY)
    return aw_lua_error(L, "tasks of another engine wait for connections of %s",
                        about);
  return aw_lua_system_error(L, closed ? AW_ECLOSED : code, "accept", about);
}

static int accept_waited(lua_State *L, int result, void *data) {
  const awio_listener *l = *(awio_listener **)data;
  if (!l || result < 0)
    return fail_accept(L, l, result);
  return aw_lua_take_results_here(l->here, L);
}

static int push_accepted(lua_State *L, const awio_listener *l, int fd,
                         const awio_address *peer) {
  aw_task *task = aw_lua_task(L, "server:accept");
  aw_value value = awio_socket_value(fd, &l->options, peer);
  if (!value)
    return aw_lua_error(L, "not enough memory");
  aw_task_set_value(task, value);
  return aw_lua_take_results(L, task);
}

/* Out of descriptors, the operation tries again, and pauses if it must. */
static int accept_at_once(lua_State *L, int result, void *data) {
  awio_listener **box = data;
  awio_listener *l = *box;
  if (!l || l->closed || result < 0)
    return fail_accept(L, l, result);
  awio_address peer;
  int fd = awio_listener_take(l, &peer);
  if (fd >= 0)
    return push_accepted(L, l, fd, &peer);
  if (fd != UV_EAGAIN && !awio_exhausted(fd))
    return fail_accept(L, l, fd);
  return aw_lua_await_here(l->here, L,
                           fd == UV_EAGAIN ? &awio_accept_later : &awio_accept,
                           box, "server:accept", accept_waited);
}

static int begin_accept(lua_State *L, awio_listener **box, const char *what) {
  if (*box && aw_lua_quick((*box)->here, L))
    return accept_at_once(L, 0, box);
  return aw_lua_begin(L, box, what, accept_at_once);
}

/* server:accept() → the Stream of the next connection */
static int server_accept(lua_State *L) {
  awio_listener **box = check_box(L);
  lua_settop(L, 1);
  lua_pushboolean(L, false);
  return begin_accept(L, box, "server:accept");
}

/* accept(server) → the Stream of the next connection; nothing if the server is
 * closed */
static int inner_accept(lua_State *L) {
  awio_listener **box = check_box(L);
  lua_settop(L, 1);
  lua_pushboolean(L, true);
  return begin_accept(L, box, "Serve");
}

/* aw.Accept(server), aw.Recv(server) */
static int m_Accept(lua_State *L) {
  awio_listener **box = check_box(L);
  aw_lua_push_wire(L, aw_wait_for(&awio_accept, box), 1);
  return 1;
}

/* ---- the rest ---- */

static int server_close(lua_State *L) {
  aw_engine *engine = aw_lua_engine(L); /* first: it may run a finalizer */
  awio_listener *l = *check_box(L);
  if (l)
    awio_listener_close(l, engine);
  return 0;
}

static int server_gc(lua_State *L) {
  awio_listener **box = lua_touserdata(L, 1);
  awio_listener *l = *box;
  if (l) {
    aw_lua_let_go(&l->held);
    awio_listener_close(l, l->engine ? aw_lua_engine(L) : NULL);
    awio_listener_free(l);
  }
  *box = NULL;
  return 0;
}

/* server:name() → host, port; or a path */
static int server_name(lua_State *L) {
  return awio_push_address(L, &check_server(L, "name")->address);
}

/* server:getfd() → descriptor */
static int server_getfd(lua_State *L) {
  const awio_listener *l = check_server(L, "getfd");
  if (l->closed)
    return aw_lua_system_error(L, AW_ECLOSED, "getfd", l->name);
  lua_pushinteger(L, l->fd);
  return 1;
}

/* server:reload([opts]) → server. Options that are not given stay, and all
 * files are read again. An error leaves the server as it was. */
static int server_reload(lua_State *L) {
  static const char *const known[] = {AWIO_TLS_SERVER_OPTIONS, NULL};
  awio_listener *l = check_server(L, "reload");
  lua_settop(L, 2);
  if (!lua_isnil(L, 2))
    aw_lua_check_options(L, 2, known, false);
  if (l->closed)
    return aw_lua_system_error(L, AW_ECLOSED, "reload", l->name);
  if (!l->options.tls)
    return aw_lua_error(L, "the server '%s' is not TLS", l->name);
  awio_listener_set_tls(
      l, awio_tls_server_context(L, 2, l->options.tls, "reload"));
  lua_settop(L, 1);
  return 1;
}

static int server_tostring(lua_State *L) {
  const awio_listener *l = *check_box(L);
  if (l)
    lua_pushfstring(L, "server '%s' (%s)", l->name,
                    l->closed ? "closed" : "open");
  else
    lua_pushliteral(L, "server (finalized)");
  return 1;
}

/* server_title(value) → the name of a Server, as "tcp 127.0.0.1:80"; nil if the
 * value is no Server */
static int inner_server_title(lua_State *L) {
  awio_listener **box = luaL_testudata(L, 1, SERVER);
  if (box)
    lua_pushstring(L, *box ? (*box)->name : "finalized");
  else
    lua_pushnil(L);
  return 1;
}

/* ---- as a source ---- */

static const aw_operation *server_ready(lua_State *L, int index, int events,
                                        void **data) {
  awio_listener **box = lua_touserdata(L, index);
  if (!*box)
    aw_lua_system_error(L, AW_ECLOSED, "readable", "server (finalized)");
  if (!(events & AW_READABLE))
    aw_lua_error(L, "a server is never writable");
  *data = box;
  return &awio_acceptable;
}

static int server_source_fd(lua_State *L, int index) {
  awio_listener **box = lua_touserdata(L, index);
  return *box ? (*box)->fd : -1;
}

static const aw_lua_source server_source = {
    .recv = m_Accept, .ready = server_ready, .fd = server_source_fd};

static void make_server_class(lua_State *L) {
  static const luaL_Reg methods[] = {
      {"accept", server_accept}, {"close", server_close},
      {"name", server_name},     {"getfd", server_getfd},
      {"reload", server_reload}, {NULL, NULL}};
  static const luaL_Reg meta[] = {{"__close", server_close},
                                  {"__gc", server_gc},
                                  {"__tostring", server_tostring},
                                  {NULL, NULL}};
  luaL_newmetatable(L, SERVER);
  aw_lua_set_functions(L, meta, 0);
  lua_pushboolean(L, 0);
  lua_setfield(L, -2, "__metatable"); /* locked */
  lua_newtable(L);
  aw_lua_set_functions(L, methods, 0);
  lua_setfield(L, -2, "__index");
  aw_lua_add_source(L, -1, &server_source);
  lua_pop(L, 1);
}

void awio_open_server(lua_State *L) {
  static const luaL_Reg functions[] = {{"Accept", m_Accept}, {NULL, NULL}};
  static const luaL_Reg inner[] = {{"accept", inner_accept},
                                   {"server_title", inner_server_title},
                                   {NULL, NULL}};
  make_server_class(L);
  aw_lua_set_functions(L, functions, 0);
  awio_add_inner(L, inner);
}
