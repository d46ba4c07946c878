/* wait.c - waits for a descriptor with a time limit; what a cancel closes
 *
 * An operation arms the descriptor, and the alarm of the task as the limit:
 *
 *     ready ──► 0, and the call tries again      due ──► UV_ETIMEDOUT
 *     cancel ──► disarm(), which may close the socket
 *
 * The socket was made inside of what is cancelled, so that nobody outside can
 * use it, if the task that waits has made it, and
 *
 *   - the cancel is one of the whole task: of itself, its loop, a race that it
 *     lost, or of the scope that it is a child in; or
 *   - the cancel is a time-out, and a time-out that applied when the socket was
 *     made is over (`limit`). It no longer applies once the task sees a later
 *     deadline, or none: then `left` is set.
 *
 * No other task must be waiting for the socket. Then disarm() closes it.
 */
#include "luasocket/luasocket.h"

#include <uv.h>

#include <math.h>
#include <stdio.h>
#include <unistd.h>

/* ---- what a cancel closes ---- */

void awio_ls_note_maker(lua_State *L, awio_ls *s) {
  aw_engine *engine = aw_lua_engine(L);
  const aw_task *task = engine ? aw_current(engine) : NULL;
  if (!task)
    return;
  s->maker = aw_task_id(task);
  s->made_in = engine;
  s->limit = aw_task_deadline(task);
}

static bool is_maker(const aw_task *task, const awio_ls *s) {
  return s->maker == aw_task_id(task) && s->made_in == aw_task_engine(task);
}

static void note_deadline(const aw_task *task, awio_ls *s) {
  if (!s->left && s->limit != AW_NEVER && is_maker(task, s))
    s->left = aw_task_deadline(task) > s->limit;
}

/* Does the cancel that the task sees reach all of it? */
static bool reaches_whole(const aw_task *task) {
  const aw_task *parent = aw_task_parent(task);
  switch (aw_task_cancelled_by(task, NULL)) {
  case AW_BY_TASK:
  case AW_BY_LOOP:
  case AW_BY_PARENT:
  case AW_BY_RACE: return true;
  case AW_BY_NOTHING: return false;
  default: return parent && aw_task_cancelled(parent);
  }
}

static bool limit_is_over(const aw_task *task, const awio_ls *s) {
  return !s->left && s->limit != AW_NEVER &&
         s->limit <= aw_engine_now(aw_task_engine(task)) &&
         aw_task_cancelled_by(task, NULL) == AW_BY_DEADLINE;
}

static bool was_made_inside(const aw_task *task, const awio_ls *s) {
  return is_maker(task, s) && (reaches_whole(task) || limit_is_over(task, s));
}

/* ---- operations ---- */

static int arm_socket(aw_task *task, awio_ls *s, int events) {
  aw_engine *engine = aw_task_engine(task);
  if (s->fd < 0)
    return AW_ECLOSED;
  s->spread = s->spread || (s->engine && s->engine != engine);
  s->engine = engine;
  int rc = aw_ready_arm_kept(task, s->fd, events, &s->keeper);
  if (rc == 0 && s->until != AW_NEVER) {
    rc = aw_alarm_arm(task, s->until);
    if (rc < 0)
      aw_ready_disarm(task, s->fd);
  }
  if (rc == 0) {
    s->waits++;
    note_deadline(task, s);
  }
  return rc;
}

static int arm_in(aw_task *task, void *data) {
  return arm_socket(task, data, AW_READABLE);
}

static int arm_out(aw_task *task, void *data) {
  return arm_socket(task, data, AW_WRITABLE);
}

static int socket_ready(aw_task *task, void *data) {
  (void)task;
  ((awio_ls *)data)->waits--;
  return 1;
}

static void disarm_socket(aw_task *task, void *data) {
  awio_ls *s = data;
  aw_ready_disarm(task, s->fd);
  aw_alarm_disarm(task);
  if (--s->waits == 0 && !s->spread && was_made_inside(task, s)) {
    aw_ready_done(&s->keeper);
    close(s->fd);
    s->fd = -1;
  }
}

static void socket_due(aw_task *task, void *data) {
  awio_ls *s = data;
  s->waits--;
  aw_ready_disarm(task, s->fd);
  aw_wait_complete(task, UV_ETIMEDOUT);
}

static void describe_ls(const void *data, char *out, size_t size) {
  snprintf(out, size, "%d", ((const awio_ls *)data)->fd);
}

#define WAITING(what, begin) \
  { \
    .label = (what), .arm = (begin), .disarm = disarm_socket, \
    .external = true, .describe = describe_ls, .due = socket_due, \
    .ready = socket_ready \
  }
const aw_operation awio_ls_wait_receive = WAITING("socket:receive", arm_in);
const aw_operation awio_ls_wait_send = WAITING("socket:send", arm_out);
const aw_operation awio_ls_wait_connect = WAITING("socket:connect", arm_out);
const aw_operation awio_ls_wait_accept = WAITING("socket:accept", arm_in);

/* ---- for the methods ---- */

int awio_ls_begin(lua_State *L, awio_ls *s, const awio_ls_call *call) {
  if (aw_lua_quick(s->here, L) || (s->block == 0 && !aw_lua_may_await(L)))
    return call->then(L, 0, s);
  return aw_lua_begin(L, s, call->wait->label, call->then);
}

/* `seconds` after `from`. */
static uint64_t seconds_after(uint64_t from, double seconds) {
  double ns = ceil(seconds * (double)AW_SECOND);
  return ns >= 9e18 - (double)from ? AW_NEVER : from + (uint64_t)ns;
}

bool awio_ls_may_wait(lua_State *L, awio_ls *s, const awio_ls_call *call) {
  s->until = AW_NEVER;
  if (s->block < 0 && s->total < 0)
    return true;
  if (s->block == 0 || s->total == 0)
    return false;
  uint64_t now = aw_engine_now(aw_lua_engine(L)), start = now;
  if (lua_isnil(L, call->start)) {
    lua_pushinteger(L, (lua_Integer)now);
    lua_replace(L, call->start);
  } else {
    start = (uint64_t)lua_tointeger(L, call->start);
  }
  s->until = seconds_after(start, s->total < 0 ? s->block : s->total);
  if (s->block > 0 && s->total > 0 && seconds_after(now, s->block) < s->until)
    s->until = seconds_after(now, s->block);
  return s->until > now;
}

int awio_ls_wait(lua_State *L, awio_ls *s, const awio_ls_call *call) {
  return aw_lua_await_here(s->here, L, call->wait, s, call->wait->label,
                           call->then);
}
