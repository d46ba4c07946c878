/* proxy_guard.c - waits until one of the sockets of a proxy is closed
 *
 * A pump waits for one socket at a time, and the pumps of a paused proxy wait
 * for none. So neither would notice the close of another socket of the proxy.
 * The guard notices the close of each of them.
 *
 * The sockets list a guard only while a task waits. Its userdata lives as long,
 * so it needs no finalizer.
 *
 * Neighbours: proxy.c has the pumps; socket/closing.c tells the guard.
 */
#include "proxy/proxy_guard.h"

#include "socket/closing.h"

enum { SOCKETS = 3 };

static const char *const GUARD = "aiowire.zmq.guard";

typedef struct watched {
  awz_watcher watcher; /* must be first */
  struct guard *guard;
  const awz_box *box; /* NULL: not used */
} watched;

typedef struct guard {
  watched sockets[SOCKETS];
  aw_task *task;         /* that waits, or NULL */
  const awz_box *closed; /* the socket whose close ended the wait */
} guard;

static void forget_all(guard *g) {
  g->task = NULL;
  for (int i = 0; i < SOCKETS; i++)
    awz_forget_watcher(&g->sockets[i].watcher);
}

static void guarded_closed(awz_watcher *watcher) {
  const watched *w = (const watched *)watcher;
  aw_task *task = w->guard->task;
  w->guard->closed = w->box;
  forget_all(w->guard);
  if (task)
    aw_wait_complete(task, AW_ECLOSED);
}

static int arm_guard(aw_task *task, void *data) {
  guard *g = data;
  for (int i = 0; i < SOCKETS; i++) {
    watched *w = &g->sockets[i];
    if (!w->box)
      continue;
    awz_socket *s = awz_socket_in(w->box);
    int rc = awz_socket_check(s);
    if (rc < 0) {
      forget_all(g);
      g->closed = w->box;
      return rc;
    }
    awz_watch_closing(s, &w->watcher);
  }
  g->task = task;
  return 0;
}

static void disarm_guard(aw_task *task, void *data) {
  (void)task;
  forget_all(data);
}

static void describe_guard(const void *data, char *out, size_t size) {
  awz_describe(((const guard *)data)->sockets[0].box, out, size);
}

static const aw_operation wait_closed = {.label = "proxy: closed",
                                         .arm = arm_guard,
                                         .disarm = disarm_guard,
                                         .external = true,
                                         .describe = describe_guard};

/* ---- for Lua ---- */

static int has_closed(lua_State *L, int result, void *data) {
  const guard *g = data;
  const awz_box *box = g->closed ? g->closed : g->sockets[0].box;
  return awz_fail(L, awz_socket_in(box), result < 0 ? result : AW_ECLOSED,
                  "proxy");
}

int awz_proxy_guard_wait(lua_State *L) {
  guard *g = luaL_checkudata(L, 1, GUARD);
  lua_settop(L, 1);
  g->closed = NULL;
  return aw_lua_await(L, &wait_closed, g, "zmq.Proxy", has_closed);
}

int awz_proxy_guard_new(lua_State *L) {
  lua_settop(L, SOCKETS);
  guard *g = lua_newuserdatauv(L, sizeof *g, SOCKETS);
  *g = (guard){.task = NULL};
  for (int i = 0; i < SOCKETS; i++) {
    watched *w = &g->sockets[i];
    w->watcher.closed = guarded_closed;
    w->guard = g;
    w->box = lua_isnil(L, i + 1) ? NULL : &awz_check_handle(L, i + 1)->box;
    lua_pushvalue(L, i + 1);
    lua_setiuservalue(L, -2, i + 1);
  }
  luaL_setmetatable(L, GUARD);
  return 1;
}

void awz_open_proxy_guard(lua_State *L) {
  luaL_newmetatable(L, GUARD);
  lua_pop(L, 1);
}
