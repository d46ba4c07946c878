/* wait_peers.c - waits until a socket has a number of peers
 *
 * Each wait is a userdata with an observer. Its bell is rung while the socket
 * has that many peers, or is closed. The lock of the watch guards the bell and
 * `enough`. */
#include "watch/wait_peers.h"

#include "context/failure.h"
#include "watch/watch.h"

#include <stddef.h>
#include <stdio.h>

#define CLASS "zmq peers"

typedef struct wait {
  awz_observer observer; /* must be first */
  awz_watch *watch;      /* NULL: not begun, or finalized */
  unsigned wanted;
  bool enough, closing;
  awz_bell bell;
  unsigned waiting; /* tasks */
  char about[160];
  aw_lua_held held;
} wait;

typedef struct wait_box {
  wait *wait;
} wait_box;

static void count_peers(awz_observer *observer, const awz_state *state,
                        const awz_event *event) {
  wait *w = (wait *)observer;
  (void)event;
  w->enough = state->peers >= w->wanted;
  w->closing = state->closing;
  awz_bell_set(&w->bell, w->enough || w->closing);
}

/* Returns 1 if there are enough peers; 0; or a negative code. */
static int look_for_peers(const wait *w) {
  if (awz_watch_forked(w->watch))
    return AW_EFORKED;
  awz_watch_lock(w->watch);
  int rc = w->closing ? AW_ECLOSED : w->enough;
  awz_watch_unlock(w->watch);
  return rc;
}

/* ---- life ---- */

static int wait_new(awz_socket *s, unsigned wanted, wait **out) {
  awz_watch *watch = awz_watch_of(s);
  wait *w = watch ? aw_allocate(sizeof *w) : NULL;
  if (!w)
    return AW_ENOMEM;
  int rc = awz_room_for_files();
  if (rc == 0)
    rc = awz_bell_open(&w->bell);
  if (rc < 0) {
    aw_free(w);
    return rc;
  }
  w->observer.notify = count_peers;
  w->watch = watch;
  w->wanted = wanted;
  awz_watch_observe(watch, &w->observer);
  *out = w;
  return 0;
}

static void wait_free(wait *w) {
  awz_watch_unobserve(w->watch, &w->observer);
  awz_bell_close(&w->bell);
  aw_free(w);
}

static void release_lost_wait(aw_lua_held *held) {
  wait_free((wait *)((char *)held - offsetof(wait, held)));
}

/* ---- the operation ---- */

static int peers_arm(aw_task *task, void *data) {
  wait *w = ((wait_box *)data)->wait;
  int rc = w ? look_for_peers(w) : AW_ECLOSED;
  if (rc == 0)
    rc = aw_ready_arm(task, w->bell.fds[0], AW_READABLE);
  if (rc == 0)
    w->waiting++;
  return rc;
}

static void peers_disarm(aw_task *task, void *data) {
  wait *w = ((wait_box *)data)->wait;
  aw_ready_disarm(task, w->bell.fds[0]);
  w->waiting--;
}

static int peers_ready(aw_task *task, void *data) {
  wait *w = ((wait_box *)data)->wait;
  (void)task;
  int rc = look_for_peers(w);
  if (rc != 0)
    w->waiting--;
  return rc;
}

static void peers_describe(const void *data, char *out, size_t size) {
  const wait *w = ((const wait_box *)data)->wait;
  if (w)
    snprintf(out, size, "%s", w->about);
}

static const aw_operation wait_operation = {.label = "wait_peers",
                                            .arm = peers_arm,
                                            .disarm = peers_disarm,
                                            .ready = peers_ready,
                                            .external = true,
                                            .describe = peers_describe};

/* ---- for Lua ---- */

/* has_peers(socket, n): raises if the socket is closed */
static int has_peers(lua_State *L) {
  awz_socket *s = awz_check_socket(L, "wait_peers");
  unsigned wanted = (unsigned)lua_tointeger(L, 2), peers = s->linked;
  if (s->watch) {
    awz_watch_lock(s->watch);
    peers = awz_watch_state(s->watch).peers;
    awz_watch_unlock(s->watch);
  }
  lua_pushboolean(L, peers >= wanted);
  return 1;
}

static int wait_gc(lua_State *L) {
  wait_box *box = luaL_checkudata(L, 1, CLASS);
  wait *w = box->wait;
  if (!w || w->waiting > 0) /* lua_close(): the task ends later */
    return 0;
  box->wait = NULL;
  aw_lua_let_go(&w->held);
  wait_free(w);
  return 0;
}

/* peers(socket, n) → a Wire, and an object to close when it has ended */
static int make_peers(lua_State *L) {
  unsigned wanted = (unsigned)lua_tointeger(L, 2);
  wait_box *box = lua_newuserdatauv(L, sizeof *box, 0);
  box->wait = NULL;
  luaL_setmetatable(L, CLASS);
  awz_socket *s = awz_check_socket(L, "wait_peers");
  int rc = wait_new(s, wanted, &box->wait);
  if (rc < 0)
    return awz_raise(L, rc, "open", CLASS);
  awz_describe(&awz_check_handle(L, 1)->box, box->wait->about,
               sizeof box->wait->about);
  box->wait->held.release = release_lost_wait;
  aw_lua_hold(L, &box->wait->held);
  aw_lua_push_wire(L, aw_wait_for(&wait_operation, box), -1);
  lua_insert(L, -2);
  return 2;
}

static const luaL_Reg meta[] = {
    {"__gc", wait_gc}, {"__close", wait_gc}, {NULL, NULL}};

static const luaL_Reg functions[] = {
    {"has_peers", has_peers}, {"peers", make_peers}, {NULL, NULL}};

void awz_open_wait_peers(lua_State *L) {
  luaL_newmetatable(L, CLASS);
  luaL_setfuncs(L, meta, 0);
  lua_pop(L, 1);
  luaL_setfuncs(L, functions, 0);
}
