/* session_wait.c - a wait of a session: drives its loop until one of some
 * descriptors is readable
 *
 * Neighbours: session_waiters.c has the tasks that wait for the descriptors;
 * session_drive.c drives.
 */
#include "embed/session.h"

#include "signals/signals.h"

#include <errno.h>
#include <stdio.h>

/* A waiter whose last wait was interrupted has had no turn since, maybe; then
 * it does not rest, and need not be woken. */
static int begin_wait(aw_lua_session *session, const int *fds, int count) {
  session->base.ready = false;
  session->waiting = true;
  for (int i = 0; i < count; i++) {
    awl_waiter *w = &session->waiters[i];
    int rc = w->task ? 0 : awl_session_start_waiter(session, w);
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
