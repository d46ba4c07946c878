/* session_wait.c - the hidden tasks of a session, which keep its loop open and
 * wait for descriptors
 *
 *     a waiter:  rests ── a wait begins ──► watches its descriptor
 *                  ▲                           │ readable: `ready`, and WOKEN
 *                  └── the wait has ended ─────┘
 *
 * A loop ends with its last foreground task, and cancels its background tasks
 * then. So the first waiter is there from the begin of the loop. Nothing
 * outside of the engine ends a rest, so it hides no deadlock. The waiters of
 * further descriptors are made when they are needed, and stay: a wait makes no
 * task, and takes no id. Only the end of the loop ends them.
 *
 * The tasks have `awl_hidden` as the place that started them: objects/tree.c
 * leaves them out.
 *
 * Neighbours: session.c drives; driver.c ends the run at a WOKEN if `ready` is
 * set.
 */
#include "embed/session.h"

#include "signals/signals.h"

#include <errno.h>
#include <stdio.h>

/* ---- the waiters ---- */

static void stop_resting(aw_task *task, void *data) {
  (void)task;
  (void)data;
}

static const aw_operation resting = {.label = "session",
                                     .disarm = stop_resting};

static aw_engine *engine_of_session(const aw_lua_session *session) {
  return session->base.loop->engine->core;
}

void awl_session_end_wait(aw_lua_session *session) {
  if (!session->waiting)
    return;
  session->base.ready = true;
  aw_engine_wake(engine_of_session(session));
}

static void note_readable(awl_waiter *w, int result) {
  if (!w->wanted)
    return;
  w->wanted = false;
  w->ended = true;
  w->result = result;
  awl_session_end_wait(w->session);
}

/* Begin to wait for the descriptor. Returns false if that has failed. */
static bool watch(awl_waiter *w, aw_task *task) {
  int rc = aw_await_operation(task, aw_ready_operation(AW_READABLE),
                              (void *)(intptr_t)w->fd);
  w->watching = rc == 0;
  if (rc < 0)
    note_readable(w, rc);
  return rc == 0;
}

/* The step of a waiter. It never fails, since that would fail the loop. */
static aw_turn run_waiter(aw_task *task, void *data) {
  awl_waiter *w = data;
  if (aw_task_cancelled(task))
    return aw_task_fail(task, AW_ECANCELED);
  int result = aw_task_came_back(task) ? aw_task_result(task) : 0;
  if (w->watching)
    note_readable(w, result);
  w->watching = false;
  if (w->wanted && watch(w, task))
    return AW_WAIT;
  int rc = aw_await_operation(task, &resting, NULL);
  return rc < 0 ? aw_task_fail(task, rc) : AW_WAIT;
}

static int start_waiter(aw_lua_session *session, awl_waiter *w) {
  const aw_task_config config = {.where = awl_hidden};
  w->session = session;
  int rc = aw_loop_start(session->base.loop->core, aw_call(run_waiter, w),
                         &config, &w->task);
  session->base.hidden += rc == 0;
  return rc;
}

int awl_session_keep_open(aw_lua_session *session) {
  return start_waiter(session, &session->waiters[0]);
}

void awl_session_forget_waiters(aw_lua_session *session) {
  for (int i = 0; i < AWL_MOST_FDS; i++) {
    aw_task_release(session->waiters[i].task);
    session->waiters[i] = (awl_waiter){.task = NULL};
  }
  session->base.hidden = 0;
}

/* ---- a wait ---- */

/* A waiter whose last wait was interrupted has had no turn since, maybe; then
 * it does not rest, and need not be woken. */
static int begin_wait(aw_lua_session *session, const int *fds, int count) {
  session->base.ready = false;
  session->waiting = true;
  for (int i = 0; i < count; i++) {
    awl_waiter *w = &session->waiters[i];
    int rc = w->task ? 0 : start_waiter(session, w);
    if (rc < 0)
      return rc;
    w->fd = fds[i];
    w->wanted = true;
    w->ended = false;
    aw_wait_complete(w->task, 0);
  }
  return 0;
}

static void end_wait(aw_lua_session *session, int count) {
  for (int i = 0; i < count; i++) {
    awl_waiter *w = &session->waiters[i];
    w->wanted = false;
    if (w->watching)
      (void)aw_wait_interrupt(w->task, AW_EAGAIN);
    w->watching = false; /* whatever has ended its wait */
  }
  session->waiting = session->base.ready = false;
}

/* (fd, code): raise a SystemError. */
static int raise_unwatched(lua_State *L) {
  char about[32];
  snprintf(about, sizeof about, "descriptor %d", (int)lua_tointeger(L, 1));
  return aw_lua_system_error(L, (int)lua_tointeger(L, 2), "wait for", about);
}

/* Push the error of a descriptor that cannot be watched, and nil. */
static int fail_wait(lua_State *L, int fd, int rc, int *code) {
  lua_pushcfunction(L, raise_unwatched);
  lua_pushinteger(L, fd);
  lua_pushinteger(L, rc);
  (void)lua_pcall(L, 2, 0, 0);
  lua_pushnil(L);
  *code = 1;
  return AW_LUA_ERROR;
}

/* A read from a descriptor that is closed does not block: it fails. */
static int end_of_wait(const aw_lua_session *session, lua_State *L, int count,
                       int *code) {
  /* what is readable will be so in the next wait, too */
  if (awl_signals_interrupts(session->base.state) > 0)
    return AW_LUA_CANCELLED;
  for (int i = 0; i < count; i++) {
    const awl_waiter *w = &session->waiters[i];
    if (!w->ended)
      continue;
    if (w->result < 0 && w->result != -EBADF)
      return fail_wait(L, w->fd, w->result, code);
    *code = i;
    return AW_LUA_OK;
  }
  return AW_LUA_CANCELLED;
}

int aw_lua_session_wait(aw_lua_session *session, lua_State *L, const int *fds,
                        int count, int *code) {
  if (count < 1 || count > AWL_MOST_FDS)
    return aw_lua_error(L, "a session waits for 1 to %d descriptors, not %d",
                        AWL_MOST_FDS, count);
  if (awl_session_enter(session, L, "wait", code))
    return awl_session_turn_back(session, L, code);
  int end, rc = begin_wait(session, fds, count);
  if (rc < 0) {
    end = fail_wait(L, fds[0], rc, code);
  } else {
    end = awl_session_drive(session, L, NULL, code);
    if (end == AW_LUA_OK)
      end = end_of_wait(session, L, count, code);
  }
  end_wait(session, count);
  awl_session_leave(session);
  return end;
}
