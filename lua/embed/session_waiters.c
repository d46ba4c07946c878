/* session_waiters.c - the hidden tasks of a session, which keep its loop open
 * and wait for descriptors
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
 * Neighbours: session_wait.c tells them what to wait for; run/driver.c ends the
 * run at a WOKEN if `ready` is set.
 */
#include "embed/session.h"

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

int awl_session_start_waiter(aw_lua_session *session, awl_waiter *w) {
  const aw_task_config config = {.where = awl_hidden};
  w->session = session;
  int rc = aw_loop_start(session->base.loop->core, aw_call(run_waiter, w),
                         &config, &w->task);
  session->base.hidden += rc == 0;
  return rc;
}

int awl_session_keep_open(aw_lua_session *session) {
  return awl_session_start_waiter(session, &session->waiters[0]);
}

void awl_session_forget_waiters(aw_lua_session *session) {
  for (int i = 0; i < AWL_MOST_FDS; i++) {
    aw_task_release(session->waiters[i].task);
    session->waiters[i] = (awl_waiter){.task = NULL};
  }
  session->base.hidden = 0;
}
