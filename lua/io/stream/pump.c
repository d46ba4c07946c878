/* pump.c - sending the queue of a stream, and waiting for that; see stream.h
 *
 * The pump is a background task of C steps. It writes and waits in turn until
 * nothing is owed; if the stream was closed meanwhile, it then closes the
 * descriptor. It is started when something is queued, and lives no longer than
 * that takes. Owed are the bytes in `out`. Over TLS that is also the handshake,
 * which comes first, close_notify, which comes last, and sometimes a farewell:
 * see secure.h.
 *
 *     start ─► pump() ─── cancelled: its loop ends, or is stopped ─► pump_on()
 *                 └─ nothing owed ─► over ◄─ nothing owed, or hard cancel ┘
 *
 * A closed socket lingers: the pump has an alarm, by which its peer must have
 * taken something. See "lingers" in stream.h. A handshake has a deadline. The
 * kernel does not tell when the peer has all bytes, so a farewell looks again
 * and again.
 */
#include "stream/stream.h"

#include "stream/disk.h"
#include "stream/secure.h"

#include <uv.h>

#include <stdio.h>
#include <sys/ioctl.h>

static void describe_pumped(const void *data, char *out, size_t size) {
  const awio_stream *s = data;
  snprintf(out, size, "%s", s->name);
}

/* ---- lingering ---- */

static uint64_t now_for(aw_task *task) {
  return aw_engine_now(aw_loop_engine(aw_task_loop(task)));
}

/* Return how many bytes the kernel has for the peer. A slow peer may take many
 * of them before the kernel has room for more. */
static int unread_by_peer(const awio_stream *s) {
  int count = 0;
  return ioctl(s->fd, TIOCOUTQ, &count) < 0 ? 0 : count;
}

static int arm_linger(aw_task *task, awio_stream *s) {
  s->unread = unread_by_peer(s);
  return aw_alarm_arm(task, now_for(task) + s->linger);
}

/* Between two looks of a farewell. */
#define PAUSE (AW_SECOND / 50)

/* Set the alarm of the wait, if it has a limit. */
static int arm_limit(aw_task *task, awio_stream *s, awio_owed owed) {
  if (owed == AWIO_HANDSHAKE && s->secure->deadline == AW_NEVER)
    return 0;
  if (owed == AWIO_HANDSHAKE)
    return aw_alarm_arm(task, s->secure->deadline);
  if (owed == AWIO_BYTES)
    return s->socket && s->closed ? arm_linger(task, s) : 0;
  if (s->secure->look == 0) {
    s->unread = unread_by_peer(s);
    s->secure->look = now_for(task) + PAUSE;
  }
  return aw_alarm_arm(task, s->secure->look);
}

static int pump_arm(aw_task *task, void *data) {
  awio_stream *s = data;
  awio_owed owed = awio_stream_owes(s);
  int events = owed == AWIO_FAREWELL ? AW_READABLE : AW_WRITABLE;
  if (owed == AWIO_HANDSHAKE)
    events = awio_secure_events(s);
  int rc = awio_stream_arm(task, s, events);
  if (rc != 0)
    return rc;
  rc = arm_limit(task, s, owed);
  if (rc < 0)
    awio_stream_disarm(task, s);
  return rc;
}

static void pump_disarm(aw_task *task, void *data) {
  aw_alarm_disarm(task);
  awio_stream_disarm(task, data);
}

/* The peer takes nothing: what is owed is lost. */
static void drop_owed(awio_stream *s) {
  awio_stream_drop(s);
  awio_secure_cut(s);
}

static void pump_due(aw_task *task, void *data) {
  awio_stream *s = data;
  awio_owed owed = awio_stream_owes(s);
  bool progress = owed != AWIO_HANDSHAKE && unread_by_peer(s) < s->unread;
  if (owed == AWIO_BYTES && progress && arm_linger(task, s) == 0)
    return;
  if (owed == AWIO_HANDSHAKE)
    awio_secure_fail(s, UV_ETIMEDOUT);
  else if (owed == AWIO_FAREWELL)
    awio_secure_waited(s, now_for(task), progress);
  else
    drop_owed(s);
  awio_stream_disarm(task, s);
  aw_wait_complete(task, 0);
}

#define PUMPING(what) \
  { \
    .label = (what), .arm = pump_arm, .disarm = pump_disarm, .external = true, \
    .describe = describe_pumped, .due = pump_due \
  }
static const aw_operation pump_waits[] = {
    [AWIO_HANDSHAKE] = PUMPING("stream:handshake"),
    [AWIO_BYTES] = PUMPING("stream:write"),
    [AWIO_FAREWELL] = PUMPING("stream:close")};

/* ---- the pump ---- */

/* Send what the kernel takes of what is owed. Returns 0 or a code. */
static int send_owed(awio_stream *s) {
  int rc = s->secure ? awio_secure_open(s) : 0;
  if (rc != 0)
    return rc == UV_EAGAIN ? 0 : rc;
  ssize_t sent = awio_stream_send_queue(s);
  if (sent < 0)
    return (int)sent;
  if (awio_secure_parts(s))
    awio_secure_part(s);
  if (awio_secure_settles(s))
    awio_secure_settle(s);
  return 0;
}

/* What is owed can never be sent. */
static void fail_owed(awio_stream *s, int code) {
  s->error = code;
  awio_buffer_free(&s->out);
  if (s->secure) {
    awio_secure_fail(s, code);
    awio_secure_cut(s);
  }
}

/* A step of the pump. */
static aw_turn pump_once(aw_task *task, awio_stream *s, bool cancelled) {
  int rc = send_owed(s);
  awio_owed owed = awio_stream_owes(s);
  if (rc >= 0 && owed && !cancelled)
    rc = aw_await_operation(task, &pump_waits[owed], s);
  if (rc < 0)
    fail_owed(s, rc);
  if (awio_buffer_length(&s->out) <= AWIO_LOW_WATER)
    awio_waiters_wake(&s->room, 0);
  if (awio_stream_owes(s) && !cancelled)
    return AW_WAIT;
  if (awio_buffer_length(&s->out) == 0)
    awio_buffer_free(&s->out);
  return cancelled ? AW_FAIL : AW_DONE;
}

static aw_turn pump(aw_task *task, void *data) {
  awio_stream *s = data;
  bool cancelled = aw_task_result(task) == AW_ECANCELED;
  s->stopped = cancelled && !aw_loop_error(aw_task_loop(task));
  return pump_once(task, s, cancelled);
}

/* The steps of the pump once it is cancelled, in a shield. A loop that ends, or
 * is stopped, sends what is written to its sockets within the grace. A loop
 * that fails does not; but a task that cleans up may wait. */
static aw_turn pump_on(aw_task *task, void *data) {
  awio_stream *s = data;
  bool first = !s->stopping;
  bool waited_for = s->room.count > 0 || (s->secure && s->secure->count > 0);
  bool sends = s->socket && s->stopped && !awio_secure_opens(s);
  if (first && (!(waited_for || sends) || !awio_stream_owes(s)))
    return AW_DONE;
  s->stopping = true;
  return pump_once(task, s, !first && aw_task_result(task) == AW_ECANCELED);
}

/* The wire of the pump is freed: the pump has ended, or could not start. */
static void pump_over(void *data) {
  awio_stream *s = data;
  s->pumping = s->stopping = false;
  if (s->closed)
    awio_stream_close_fd(s, s->engine);
  awio_waiters_wake(&s->room, 0);
  awio_secure_wake(s, 0); /* those of other loops begin it anew */
  awio_stream_release(s);
}

int awio_stream_pump(awio_stream *s, aw_loop *loop) {
  if (s->pumping)
    return 0;
  if (s->disk) {
    awio_disk_pump(s, loop);
    return 0;
  }
  aw_task_config config = {.name = awio_secure_opens(s) ? "handshake" : "write",
                           .background = true};
  s->pumping = true;
  s->refs++;
  aw_wire *wire = aw_finally(aw_call(pump, s), aw_call(pump_on, s), AW_NEVER);
  wire = aw_hold(wire, s, pump_over);
  if (!wire)
    return AW_ENOMEM;
  return aw_loop_start(loop, wire, &config, NULL);
}

ssize_t awio_stream_send(awio_stream *s, aw_loop *loop, const char *data,
                         size_t size) {
  ssize_t sent = awio_stream_submit(s, data, size);
  if (sent > 0 && s->disk)
    awio_disk_submitted(s);
  else if (sent < 0 || awio_buffer_length(&s->out) == 0)
    return sent;
  int rc = awio_stream_pump(s, loop);
  return rc < 0 ? rc : sent;
}

bool awio_stream_finish(awio_stream *s, aw_task *task) {
  aw_loop *loop = aw_task_loop(task);
  awio_secure_part(s);
  bool owes = awio_stream_owes(s) == AWIO_BYTES || !awio_secure_settle(s);
  if (s->fd < 0 || !owes || awio_stream_pump(s, loop) < 0)
    return false;
  awio_stream_close(s, aw_loop_engine(loop));
  return awio_stream_owes(s);
}

/* ---- waiting for `out` ---- */

static int room_arm(aw_task *task, void *data) {
  awio_stream *s = data;
  return awio_waiters_add(&s->room, task);
}

static void room_disarm(aw_task *task, void *data) {
  awio_stream *s = data;
  awio_waiters_remove(&s->room, task);
}

/* The large write is cancelled half way: its remaining bytes are never sent. */
static void large_disarm(aw_task *task, void *data) {
  awio_stream *s = data;
  s->broken = true;
  s->large = false;
  awio_waiters_remove(&s->room, task);
  awio_waiters_wake(&s->room, 0);
}

#define WRITING(what, end) \
  { \
    .label = (what), .arm = room_arm, .disarm = (end), .external = true, \
    .describe = describe_pumped \
  }
const aw_operation awio_wait_room = WRITING("stream:write", room_disarm);
const aw_operation awio_wait_large = WRITING("stream:write", large_disarm);
/* A file takes what is submitted, so no cancel breaks its large write. */
const aw_operation awio_wait_large_file = {.label = "stream:write",
                                           .arm = room_arm,
                                           .abandon = large_disarm,
                                           .external = true,
                                           .describe = describe_pumped};
const aw_operation awio_wait_sent = WRITING("stream:shutdown", room_disarm);
const aw_operation awio_wait_flushed = WRITING("stream:flush", room_disarm);
const aw_operation awio_wait_closed = WRITING("stream:close", room_disarm);
const aw_operation awio_wait_turn = WRITING("copy", room_disarm);
