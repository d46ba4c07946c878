/* zmq_watch.c - when the engine must look at a socket of libzmq [Q4]
 *
 *   touch: the socket was used ──┐
 *   its descriptor has fired ────┼──► dirty ──► look, in the next pass
 *   a pause is over ─────────────┘
 *
 * The descriptor of a socket (ZMQ_FD) is edge-triggered, and any call with the
 * socket consumes the edge. So the socket is dirty after each call, if a task
 * waits for it: no edge is consumed before every waiter has been checked.
 *
 * The descriptor stays watched while tasks come and go. When it fires and no
 * task waits, the socket goes to `fired`, and is no longer watched when the
 * engine blocks.
 *
 * Invariants: a socket is in one of the lists of its `home`, or in none.
 * libuv's handles are in an aw_zmq_watch, which is freed when both are closed
 * [I4].
 *
 * Neighbours: zmq_look.c looks; zmq_sockets.c has the lists.
 */
#include "sources/zmq_watch.h"

#include "base/libuv.h"
#include "base/ready.h"
#include "sources/poller.h"

enum { LONGEST_PAUSE = 50 }; /* ms */

struct aw_zmq_watch {
  uv_poll_t poll;
  uv_timer_t timer; /* the pause */
  aw_zmq *zmq;      /* NULL: it is being closed */
  int handles;      /* that are not closed yet */
  bool polling;
};

/* ---- marking ---- */

void aw__zmq_unlist(aw_zmq *z) {
  if (aw__link_used(&z->link))
    aw__link_remove(&z->link);
}

void aw__zmq_mark(aw_zmq *z) {
  aw__zmq_unlist(z);
  aw__list_append(&z->home->dirty, &z->link);
  aw__ready_rouse(z->home->engine); /* the look will wake tasks */
}

void aw_zmq_touch(aw_zmq *z) {
  if (!z)
    return;
  z->drained = false;
  if (aw__zmq_awaited(z))
    aw__zmq_mark(z);
}

void aw_zmq_found_empty(aw_zmq *z) {
  if (z)
    z->drained = true;
}

/* ---- the handles ---- */

static void handle_closed(uv_handle_t *handle) {
  aw_zmq_watch *watch = handle->data;
  if (--watch->handles == 0)
    aw_free(watch);
}

int aw__zmq_watch_open(aw_zmq *z, aw_zmq_sockets *sockets) {
  aw_engine *engine = sockets->engine;
  aw_zmq_watch *watch = aw_allocate(sizeof *watch);
  if (!watch)
    return AW_ENOMEM;
  aw__poller_close_idle(engine); /* one may have been for an earlier `fd` */
  int rc = uv_poll_init(engine->uv, &watch->poll, z->fd);
  if (rc < 0) { /* the handle was not made */
    aw_free(watch);
    return rc;
  }
  uv_timer_init(engine->uv, &watch->timer);
  watch->poll.data = watch->timer.data = watch;
  aw__libuv_adopt(engine, (uv_handle_t *)&watch->poll);
  aw__libuv_adopt(engine, (uv_handle_t *)&watch->timer);
  watch->handles = 2;
  watch->zmq = z;
  z->watch = watch;
  z->home = sockets;
  return 0;
}

void aw__zmq_watch_close(aw_zmq *z) {
  aw_zmq_watch *watch = z->watch;
  z->watch = NULL;
  watch->zmq = NULL;
  uv_close((uv_handle_t *)&watch->timer, handle_closed);
  uv_close((uv_handle_t *)&watch->poll, handle_closed);
}

static void fired(uv_poll_t *poll, int status, int events) {
  aw_zmq_watch *watch = poll->data;
  aw_zmq *z = watch->zmq;
  (void)events;
  if (status < 0) /* libuv has stopped the handle */
    watch->polling = false;
  z->drained = false;
  if (aw__zmq_awaited(z) || z->config->eager) {
    aw__zmq_mark(z);
    return;
  }
  aw__zmq_unlist(z);
  aw__list_append(&z->home->fired, &z->link);
}

int aw__zmq_watch_start(aw_zmq *z) {
  aw_zmq_watch *watch = z->watch;
  if (watch->polling)
    return 0;
  aw__poller_close_idle(z->home->engine);
  int rc = uv_poll_start(&watch->poll, UV_READABLE, fired);
  watch->polling = rc == 0;
  return rc;
}

void aw__zmq_watch_stop(aw_zmq *z) {
  uv_poll_stop(&z->watch->poll);
  z->watch->polling = false;
}

/* ---- pauses ----
 *
 * The socket is writable, but the peer that a message is for is full. libzmq
 * does not report when that peer has room, so the send is tried again. */

static void pause_over(uv_timer_t *timer) {
  const aw_zmq_watch *watch = timer->data;
  watch->zmq->pausing = false;
  aw__zmq_mark(watch->zmq);
}

void aw__zmq_pause(aw_zmq *z) {
  z->pause = z->pause == 0 ? 1 : z->pause * 2;
  if (z->pause > LONGEST_PAUSE)
    z->pause = LONGEST_PAUSE;
  z->pausing = true;
  uv_update_time(z->home->engine->uv);
  uv_timer_start(&z->watch->timer, pause_over, (uint64_t)z->pause, 0);
}
