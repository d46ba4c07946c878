/* session_wait.c - the hidden tasks of a session: one keeps its loop open, one
 * waits for descriptors
 *
 *     loop ─┬ opener: waits for nothing, until it is cancelled
 *           ├ waiter: waits for one descriptor, or races for several
 *           └ the tasks of users
 *
 * A loop ends with its last foreground task, and cancels its background tasks
 * then. So the opener is a foreground task. Nothing outside can end its wait,
 * so it hides no deadlock. Only the end of the loop cancels it.
 *
 * The tasks have `awl_hidden` as the place that started them: objects/tree.c
 * leaves them out.
 *
 * Neighbours: session.c drives.
 */
#include "embed/session.h"

#include "run/signals.h"

#include <errno.h>
#include <stdio.h>

/* ---- the opener ---- */

static void stop_resting(aw_task *task, void *data) {
  (void)task;
  (void)data;
}

static const aw_operation resting = {.label = "session",
                                     .disarm = stop_resting};

static int start_hidden(aw_lua_session *session, aw_wire *wire, aw_task **out) {
  const aw_task_config config = {.where = awl_hidden};
  return aw_loop_start(session->base.loop->core, wire, &config, out);
}

int awl_session_keep_open(aw_lua_session *session) {
  return start_hidden(session, aw_wait_for(&resting, NULL), &session->opener);
}

/* ---- the waiter ---- */

/* A C step, since a wire that fails would be a failure of the loop. */
static aw_turn wait_for_fd(aw_task *task, void *data) {
  awl_waited_fd *waited = data;
  int rc = aw_task_result(task);
  if (!aw_task_came_back(task)) {
    rc = aw_await_operation(task, aw_ready_operation(AW_READABLE),
                            (void *)(intptr_t)waited->fd);
    if (rc == 0)
      return AW_WAIT;
  }
  if (rc == AW_ECANCELED)
    return aw_task_fail(task, rc);
  waited->result = rc;
  waited->ended = true;
  return AW_DONE;
}

/* The wire of a wait for the first `count` descriptors. */
static aw_wire *wait_for_any(aw_lua_session *session, int count) {
  aw_wire *wire = aw_call(wait_for_fd, &session->fds[0]);
  for (int i = 1; i < count; i++)
    wire = aw_either(wire, aw_call(wait_for_fd, &session->fds[i]));
  return wire;
}

static int start_waiter(aw_lua_session *session, const int *fds, int count) {
  for (int i = 0; i < count; i++)
    session->fds[i] = (awl_waited_fd){.fd = fds[i]};
  if (session->wait_count != count) {
    aw_wire_release(session->waits);
    session->waits = wait_for_any(session, count);
    session->wait_count = session->waits ? count : 0;
  }
  int rc =
      start_hidden(session, aw_wire_keep(session->waits), &session->waiter);
  if (rc < 0)
    return rc;
  aw_task_watch(session->waiter);
  bool races = count > 1;
  session->base.hidden += races ? (size_t)count + 1 : 1;
  session->base.hidden_scopes += races;
  return 0;
}

static void end_waiter(aw_lua_session *session) {
  aw_task_release(session->waiter);
  session->waiter = NULL;
  session->base.hidden = 1;
  session->base.hidden_scopes = 0;
}

/* (fd, code): raise a SystemError. */
static int raise_unwatched(lua_State *L) {
  char about[32];
  snprintf(about, sizeof about, "descriptor %d", (int)lua_tointeger(L, 1));
  return aw_lua_system_error(L, (int)lua_tointeger(L, 2), "wait for", about);
}

/* Push the error of a descriptor that cannot be watched, and nil. */
static int fail_wait(lua_State *L, int fd, int rc) {
  lua_pushcfunction(L, raise_unwatched);
  lua_pushinteger(L, fd);
  lua_pushinteger(L, rc);
  lua_pcall(L, 2, 0, 0);
  lua_pushnil(L);
  return AW_LUA_ERROR;
}

/* A descriptor that is closed can be "read": that fails at once. */
static int end_of_wait(const aw_lua_session *session, lua_State *L, int *code) {
  /* what is readable will be so in the next wait, too */
  if (awl_signals_interrupts(session->base.state) > 0)
    return AW_LUA_CANCELLED;
  for (int i = 0; i < session->wait_count; i++) {
    const awl_waited_fd *waited = &session->fds[i];
    if (!waited->ended)
      continue;
    *code = waited->result < 0 && waited->result != -EBADF ? 1 : i;
    return waited->result < 0 && waited->result != -EBADF
               ? fail_wait(L, waited->fd, waited->result)
               : AW_LUA_OK;
  }
  return AW_LUA_CANCELLED;
}

int aw_lua_session_wait(aw_lua_session *session, lua_State *L, const int *fds,
                        int count, int *code) {
  if (count < 1 || count > AWL_MOST_FDS)
    return aw_lua_error(L, "a session waits for 1 to %d descriptors, not %d",
                        AWL_MOST_FDS, count);
  if (awl_session_enter(session, L, "wait"))
    return awl_session_turn_back(session, L, code);
  int rc = start_waiter(session, fds, count);
  if (rc < 0) {
    awl_session_leave(session);
    *code = 1;
    return fail_wait(L, fds[0], rc);
  }
  int end = awl_session_drive(session, L, session->waiter, code);
  if (end == AW_LUA_OK)
    end = end_of_wait(session, L, code);
  end_waiter(session);
  awl_session_leave(session);
  return end;
}
