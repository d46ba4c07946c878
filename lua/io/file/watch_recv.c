/* watch_recv.c - tasks that wait for what a watch tells
 *
 * Whoever waits tries when the descriptor is ready, the oldest task first, so
 * each event goes to one task.
 *
 * A task that has taken an event owns it. If the task is killed before it has
 * the table, or if there is no memory for that, the event goes back.
 *
 * A closed watch keeps its descriptor, ready for ever, until no task waits: so
 * tasks of any engine see the end.
 *
 * Invariant: `waiting` counts the tasks whose wait `arm` has begun and neither
 * `ready` nor `disarm` has ended. If the library ends a wait in another way,
 * the count stays too high; then tasks wait for readiness before they try.
 */
#include "file/watch.h"

#include <stdio.h>
#include <unistd.h>

static const char *const names[] = {
    [AWIO_CHANGE] = "change",
    [AWIO_RENAME] = "rename",
    [AWIO_OVERFLOW] = "overflow",
};

/* ---- values of tasks ---- */

static int push_told(lua_State *L, aw_lua_value *value) {
  awio_told *t = (awio_told *)value;
  lua_createtable(L, 0, 2);
  lua_pushlstring(L, t->path, t->length);
  lua_setfield(L, -2, "path");
  lua_pushstring(L, names[t->what]);
  lua_setfield(L, -2, "what");
  t->delivered = true;
  return 1;
}

static void release_told(aw_lua_value *value) {
  awio_told *t = (awio_told *)value;
  awio_watch *w = t->watch;
  if (t->delivered)
    aw_free(t);
  else
    awio_watch_give_back(t);
  awio_watch_release(w);
}

/* What a task gets when the watch is closed. */
typedef struct watch_end {
  aw_lua_value value; /* must be first */
  awio_watch *watch;  /* a reference */
} watch_end;

static int push_watch_end(lua_State *L, aw_lua_value *value) {
  (void)value;
  lua_pushnil(L);
  lua_pushliteral(L, "closed");
  return 2;
}

/* The task that waited last closes the descriptor. */
static void release_watch_end(aw_lua_value *value) {
  awio_watch *w = ((watch_end *)value)->watch;
  awio_watch_close_unused(w);
  awio_watch_release(w);
  aw_free(value);
}

/* End the wait of `task` with nil and "closed". Returns 1 or AW_ENOMEM. */
static int end_wait_of(aw_task *task, awio_watch *w) {
  watch_end *end = aw_allocate(sizeof *end);
  if (!end)
    return AW_ENOMEM;
  end->value.push = push_watch_end;
  end->value.release = release_watch_end;
  end->watch = w;
  w->refs++;
  aw_task_set_value(task, aw_lua_box(&end->value));
  return 1;
}

/* Take an event as the value of `task`. Returns 1; 0 if there is none; or a
 * negative code. */
static int take_told_for(aw_task *task, awio_watch *w) {
  awio_told *t;
  if (w->closed)
    return end_wait_of(task, w);
  int rc = awio_watch_take(w, &t);
  if (rc <= 0)
    return rc;
  t->value = (aw_lua_value){.push = push_told, .release = release_told};
  aw_task_set_value(task, aw_lua_box(&t->value));
  return 1;
}

/* ---- the operation ---- */

static int check_watch_here(awio_watch *w, const aw_task *task) {
  aw_engine *engine = aw_loop_engine(aw_task_loop(task));
  if (!w)
    return AW_ECLOSED;
  if (w->owner != getpid())
    return AW_EFORKED;
  if (w->waiting > 0 && w->engine != engine)
    return AW_EBUSY;
  w->engine = engine;
  return 0;
}

/* A task that comes later may not overtake one that waits. */
static int watch_recv_arm(aw_task *task, void *data) {
  awio_watch *w = ((awio_watch_box *)data)->watch;
  int rc = w && w->closed ? 0 : check_watch_here(w, task);
  if (rc == 0 && (w->waiting == 0 || w->closed))
    rc = take_told_for(task, w);
  if (rc == 0)
    rc = aw_ready_arm_kept(task, w->fd, AW_READABLE, &w->keeper);
  if (rc == 0)
    w->waiting++;
  return rc;
}

static void count_down_watch(awio_watch *w) {
  w->waiting--;
  awio_watch_close_unused(w);
}

static void watch_recv_disarm(aw_task *task, void *data) {
  awio_watch *w = ((awio_watch_box *)data)->watch;
  aw_ready_disarm(task, w->fd);
  count_down_watch(w);
}

static int watch_recv_ready(aw_task *task, void *data) {
  awio_watch *w = ((awio_watch_box *)data)->watch;
  int rc = take_told_for(task, w);
  if (rc != 0)
    w->waiting--;
  return rc;
}

static void watch_recv_describe(const void *data, char *out, size_t size) {
  const awio_watch *w = ((const awio_watch_box *)data)->watch;
  snprintf(out, size, "%s", w ? w->path : "watch (finalized)");
}

const aw_operation awio_watch_recv = {.label = "recv",
                                      .arm = watch_recv_arm,
                                      .disarm = watch_recv_disarm,
                                      .ready = watch_recv_ready,
                                      .external = true,
                                      .describe = watch_recv_describe};
