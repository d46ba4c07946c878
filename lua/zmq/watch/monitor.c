/* monitor.c - see monitor.h
 *
 *   watch ─► observer ─► queue ─► m:recv(), aw.Recv(m)
 *
 * The queue has at most MOST events; then the oldest is dropped.
 *
 * The bell is rung while the queue has an event, and when the monitor has
 * ended. The lock of the watch guards the queue and the bell: the attendant's
 * thread, or a thread that reports an event of our own, adds to the queue. The
 * thread of Lua alone takes from it, and owns all the rest.
 *
 * An event that a task has taken belongs to that task. If the task is killed
 * before it has the table, or if there is no memory for the table, the event
 * goes back to the front of the queue.
 *
 * The userdata and the events that tasks have taken hold the monitor. A closed
 * monitor keeps its bell, rung, until no task waits: so tasks of any engine see
 * the end.
 */
#include "watch/monitor.h"

#include "context/classes.h"
#include "context/failure.h"
#include "watch/watch.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CLASS "zmq monitor"
enum { MOST = 1000 };

/* An event for a monitor: memory of malloc(3), made by any thread. */
typedef struct queued_event {
  aw_lua_value value; /* must be first; used when a task has taken it */
  struct queued_event *next;
  struct monitor *monitor; /* referenced once a task has taken it */
  bool delivered;
  awz_event event;
  char address[];
} queued_event;

typedef struct monitor {
  awz_observer observer; /* must be first */
  awz_watch *watch;      /* NULL: closed */
  unsigned events;       /* those that it wants */
  queued_event *first, **last;
  unsigned count; /* in the queue */
  uint64_t dropped;
  bool ended; /* no more events will come */
  awz_bell bell;
  unsigned waiting; /* tasks */
  unsigned refs;
  char about[160]; /* the socket, for people */
  aw_lua_held held;
} monitor;

typedef struct monitor_box {
  monitor *monitor; /* NULL: not opened yet, or finalized */
} monitor_box;

/* ---- the queue; call these under the lock ---- */

static queued_event *shift(monitor *m) {
  queued_event *t = m->first;
  m->first = t->next;
  if (!m->first)
    m->last = &m->first;
  m->count--;
  return t;
}

static queued_event *queued_event_new(const awz_event *event) {
  queued_event *t = calloc(1, sizeof *t + event->length);
  if (!t)
    return NULL;
  t->event = *event;
  t->event.address = t->address;
  memcpy(t->address, event->address, event->length);
  return t;
}

static void keep_room(monitor *m) {
  while (m->count >= MOST) {
    free(shift(m));
    m->dropped++;
  }
}

static void queue_event(monitor *m, const awz_event *event) {
  queued_event *t = queued_event_new(event);
  if (!t) {
    m->dropped++;
    return;
  }
  keep_room(m);
  *m->last = t;
  m->last = &t->next;
  m->count++;
}

static void tune_bell(monitor *m) {
  awz_bell_set(&m->bell, m->first || m->ended);
}

static void observe_event(awz_observer *observer, const awz_state *state,
                          const awz_event *event) {
  monitor *m = (monitor *)observer;
  if (event && event->kind & m->events)
    queue_event(m, event);
  m->ended = state->ended;
  tune_bell(m);
}

/* ---- life ---- */

static void close_unused_bell(monitor *m) {
  if (!m->watch && m->waiting == 0)
    awz_bell_close(&m->bell);
}

static void monitor_close(monitor *m) {
  awz_watch *w = m->watch;
  if (!w)
    return;
  bool forked = awz_watch_forked(w); /* the pipe is the parent's, too */
  awz_watch_unobserve(w, &m->observer);
  m->watch = NULL;
  m->ended = true;
  while (m->first)
    free(shift(m));
  if (!forked)
    tune_bell(m);
  close_unused_bell(m);
}

static void monitor_release(monitor *m) {
  if (--m->refs == 0)
    aw_free(m);
}

/* The userdata is gone, and so are all waits. */
static void monitor_leave(monitor *m) {
  monitor_close(m);
  awz_bell_close(&m->bell);
  monitor_release(m);
}

static void release_lost_monitor(aw_lua_held *held) {
  monitor_leave((monitor *)((char *)held - offsetof(monitor, held)));
}

static int monitor_new(awz_socket *s, unsigned events, monitor **out) {
  awz_watch *w = awz_watch_of(s);
  monitor *m = w ? aw_allocate(sizeof *m) : NULL;
  if (!m)
    return AW_ENOMEM;
  int rc = awz_room_for_files();
  if (rc == 0)
    rc = awz_bell_open(&m->bell);
  if (rc < 0) {
    aw_free(m);
    return rc;
  }
  m->observer.notify = observe_event;
  m->watch = w;
  m->events = events;
  m->last = &m->first;
  m->refs = 1;
  m->held.release = release_lost_monitor;
  awz_watch_observe(w, &m->observer);
  *out = m;
  return 0;
}

/* ---- events that tasks have taken ---- */

static int push_queued_event(lua_State *L, aw_lua_value *value) {
  queued_event *t = (queued_event *)value;
  awz_push_event(L, &t->event);
  t->delivered = true;
  return 1;
}

/* Put an event back, unless the monitor is closed. */
static void give_back_event(monitor *m, queued_event *t) {
  if (!m->watch || awz_watch_forked(m->watch)) {
    free(t);
    return;
  }
  awz_watch_lock(m->watch);
  t->next = m->first;
  if (!m->first)
    m->last = &t->next;
  m->first = t;
  m->count++;
  tune_bell(m);
  awz_watch_unlock(m->watch);
}

static void release_queued_event(aw_lua_value *value) {
  queued_event *t = (queued_event *)value;
  monitor *m = t->monitor;
  if (t->delivered)
    free(t);
  else
    give_back_event(m, t);
  monitor_release(m);
}

static int push_end(lua_State *L, aw_lua_value *value) {
  (void)value;
  lua_pushnil(L);
  lua_pushliteral(L, "closed");
  return 2;
}

static void release_end(aw_lua_value *value) {
  aw_free(value);
}

/* Take the next event. NULL: there is none; `ended` tells whether one may
 * come. */
static queued_event *take(monitor *m) {
  if (!m->watch)
    return NULL;
  awz_watch_lock(m->watch);
  queued_event *t = m->first ? shift(m) : NULL;
  tune_bell(m);
  awz_watch_unlock(m->watch);
  if (!t)
    return NULL;
  *t = (queued_event){
      .value = {.push = push_queued_event, .release = release_queued_event},
      .monitor = m,
      .event = t->event};
  m->refs++;
  return t;
}

/* Tells whether no event will come. A look without the lock could miss the end,
 * but never what came before it. */
static bool is_over(monitor *m) {
  if (!m->watch)
    return true;
  awz_watch_lock(m->watch);
  bool over = m->ended && !m->first;
  awz_watch_unlock(m->watch);
  return over;
}

/* Take what comes next as the value of `task`. Returns 1; 0 if the task must
 * wait; or a negative code. */
static int take_event_for(aw_task *task, monitor *m) {
  queued_event *t = take(m);
  if (t) {
    aw_task_set_value(task, aw_lua_box(&t->value));
    return 1;
  }
  if (!is_over(m))
    return 0;
  aw_lua_value *end = aw_allocate(sizeof *end);
  if (!end)
    return AW_ENOMEM;
  *end = (aw_lua_value){.push = push_end, .release = release_end};
  aw_task_set_value(task, aw_lua_box(end));
  return 1;
}

/* ---- waiting ---- */

static int check_monitor_box(const monitor_box *box) {
  const monitor *m = box->monitor;
  if (!m)
    return AW_ECLOSED;
  return m->watch && awz_watch_forked(m->watch) ? AW_EFORKED : 0;
}

/* A task that comes later may not overtake one that waits. */
static int recv_event_arm(aw_task *task, void *data) {
  monitor_box *box = data;
  int rc = check_monitor_box(box);
  monitor *m = box->monitor;
  if (rc == 0 && (m->waiting == 0 || !m->watch))
    rc = take_event_for(task, m);
  if (rc == 0)
    rc = aw_ready_arm(task, m->bell.fds[0], AW_READABLE);
  if (rc == 0)
    m->waiting++;
  return rc;
}

static void recv_event_disarm(aw_task *task, void *data) {
  monitor *m = ((monitor_box *)data)->monitor;
  aw_ready_disarm(task, m->bell.fds[0]);
  m->waiting--;
  close_unused_bell(m);
}

static int recv_event_ready(aw_task *task, void *data) {
  monitor *m = ((monitor_box *)data)->monitor;
  int rc = take_event_for(task, m);
  if (rc != 0)
    m->waiting--;
  return rc;
}

static void monitor_describe(const void *data, char *out, size_t size) {
  const monitor *m = ((const monitor_box *)data)->monitor;
  snprintf(out, size, "monitor of %s", m ? m->about : "(finalized)");
}

static const aw_operation recv_event = {.label = "recv",
                                        .arm = recv_event_arm,
                                        .disarm = recv_event_disarm,
                                        .ready = recv_event_ready,
                                        .external = true,
                                        .describe = monitor_describe};

/* ---- for Lua ---- */

static monitor_box *check_monitor(lua_State *L) {
  monitor_box *box = luaL_testudata(L, 1, CLASS);
  if (!box)
    aw_lua_type_error(L, 1, CLASS);
  return box;
}

static int event_received(lua_State *L, int result, void *data) {
  monitor_box *box = data;
  if (result < 0)
    return awz_raise(L, result, "recv", CLASS);
  if (box->monitor)
    close_unused_bell(box->monitor);
  return aw_lua_take_results(L, aw_current(aw_lua_engine(L)));
}

/* m:recv() → { event =, address =, value =, error = }, or nil, "closed" */
static int monitor_recv(lua_State *L) {
  return aw_lua_await(L, &recv_event, check_monitor(L), "monitor:recv",
                      event_received);
}

/* aw.Recv(m) */
static int make_recv_event(lua_State *L) {
  aw_lua_push_wire(L, aw_wait_for(&recv_event, check_monitor(L)), 1);
  return 1;
}

static const aw_lua_source source = {.recv = make_recv_event};

static int monitor_close_method(lua_State *L) {
  const monitor_box *box = check_monitor(L);
  if (box->monitor)
    monitor_close(box->monitor);
  return 0;
}

static int monitor_gc(lua_State *L) {
  monitor_box *box = luaL_checkudata(L, 1, CLASS);
  monitor *m = box->monitor;
  if (!m)
    return 0;
  if (m->waiting > 0) { /* lua_close(): the tasks end later */
    monitor_close(m);
    return 0;
  }
  box->monitor = NULL;
  aw_lua_let_go(&m->held);
  monitor_leave(m);
  return 0;
}

static int monitor_tostring(lua_State *L) {
  const monitor *m = check_monitor(L)->monitor;
  if (!m)
    lua_pushliteral(L, CLASS " (finalized)");
  else
    lua_pushfstring(L, CLASS " (%s%s)", m->watch ? "of " : "closed",
                    m->watch ? m->about : "");
  return 1;
}

/* In a forked child, the lock is the parent's. */
static uint64_t count_dropped(const monitor *m) {
  if (!m->watch || awz_watch_forked(m->watch))
    return m->dropped;
  awz_watch_lock(m->watch);
  uint64_t count = m->dropped;
  awz_watch_unlock(m->watch);
  return count;
}

/* Upvalue 1: the methods */
static int monitor_index(lua_State *L) {
  const monitor *m = check_monitor(L)->monitor;
  bool counts = lua_type(L, 2) == LUA_TSTRING &&
                strcmp(lua_tostring(L, 2), "dropped") == 0;
  if (counts) {
    lua_pushinteger(L, m ? (lua_Integer)count_dropped(m) : 0);
    return 1;
  }
  lua_settop(L, 2);
  lua_rawget(L, lua_upvalueindex(1));
  return 1;
}

/* s:monitor([events]) → a monitor */
static int socket_monitor(lua_State *L) {
  awz_check_socket(L, "monitor");
  unsigned events = awz_check_events(L, 2);
  monitor_box *box = lua_newuserdatauv(L, sizeof *box, 0);
  box->monitor = NULL;
  luaL_setmetatable(L, CLASS);
  awz_socket *s = awz_check_socket(L, "monitor"); /* finalizers may have run */
  int rc = monitor_new(s, events, &box->monitor);
  if (rc < 0)
    return awz_raise(L, rc, "open", CLASS);
  awz_describe(&awz_check_handle(L, 1)->box, box->monitor->about,
               sizeof box->monitor->about);
  aw_lua_hold(L, &box->monitor->held);
  return 1;
}

static const luaL_Reg methods[] = {
    {"recv", monitor_recv}, {"close", monitor_close_method}, {NULL, NULL}};

static const luaL_Reg meta[] = {{"__close", monitor_close_method},
                                {"__gc", monitor_gc},
                                {"__tostring", monitor_tostring},
                                {NULL, NULL}};

void awz_open_monitor(lua_State *L) {
  awz_push_class(L, CLASS, meta, NULL);
  aw_lua_add_source(L, -1, &source);
  lua_newtable(L);
  aw_lua_set_functions(L, methods, 0);
  lua_pushvalue(L, -1);
  lua_pushcclosure(L, monitor_index, 1);
  lua_setfield(L, -3, "__index"); /* [module, metatable, methods] */
  lua_setfield(L, -3, "monitor_methods");
  lua_pop(L, 1);
  aw_lua_push_function(L, socket_monitor, 0, "monitor");
  lua_setfield(L, -2, "monitor");
}
