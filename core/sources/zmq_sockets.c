/* zmq_sockets.c - the sockets of libzmq in one engine: a polled source [Q4]
 *
 *     all       all of them
 *     dirty     the next look() looks at these, and at no others
 *     fired     watched for no task: settle() stops that
 *
 * The aw_zmq_sockets of an engine is made when the first socket enters the
 * engine, and goes with the engine.
 *
 * A process that was forked off shares the epoll set with its parent: it takes
 * a set of its own, and leaves the sockets, which are the parent's [ZQ16].
 *
 * Invariant: a socket is in the engine of the tasks that wait for it.
 *
 * Neighbours: zmq.c lets sockets enter and leave; polled.c has the engine call
 * look(), settle() and dirty().
 */
#include "sources/zmq_sockets.h"

#include "base/libuv.h"
#include "sources/polled.h"
#include "sources/zmq_look.h"
#include "sources/zmq_watch.h"

static aw_zmq *first_of(const aw_zmq_sockets *sockets) {
  return AW_CONTAINER(aw_zmq, place, (uintptr_t)sockets->all.next);
}

/* ---- leaving ---- */

static void leave(aw_zmq *z) {
  aw__zmq_unlist(z);
  aw__link_remove(&z->place);
  aw__zmq_watch_close(z);
  z->home = NULL;
  z->pausing = false;
}

static void part_from_parent(aw_zmq_sockets *sockets) {
  if (sockets->forks == aw_zmq_forks())
    return;
  sockets->forks = aw_zmq_forks();
  aw__libuv_fork(sockets->engine);
  while (!aw__list_empty(&sockets->all)) {
    aw_zmq *z = first_of(sockets);
    aw__zmq_wake_everybody(z, AW_EFORKED);
    leave(z);
  }
}

void aw__zmq_leave(aw_zmq *z) {
  if (z->home)
    part_from_parent(z->home);
  if (z->home)
    leave(z);
}

/* ---- as a polled source ---- */

static aw_zmq_sockets *sockets_of(const aw_polled *polled) {
  return AW_CONTAINER(aw_zmq_sockets, polled, (uintptr_t)polled);
}

static void look(aw_polled *polled) {
  aw_zmq_sockets *sockets = sockets_of(polled);
  part_from_parent(sockets);
  aw_link *link;
  while ((link = aw__list_shift(&sockets->dirty)) != NULL)
    aw__list_append(&sockets->round, link);
  while ((link = aw__list_shift(&sockets->round)) != NULL)
    aw__zmq_look_at(AW_CONTAINER(aw_zmq, link, link));
}

static void settle(aw_polled *polled) {
  aw_zmq_sockets *sockets = sockets_of(polled);
  aw_link *link;
  while ((link = aw__list_shift(&sockets->fired)) != NULL) {
    aw_zmq *z = AW_CONTAINER(aw_zmq, link, link);
    if (!aw__zmq_awaited(z)) /* no task has come since it fired */
      aw__zmq_watch_stop(z);
  }
}

static bool dirty(const aw_polled *polled) {
  return !aw__list_empty(&sockets_of(polled)->dirty);
}

/* ---- entering ---- */

static void close_sockets(aw_closer *closer) {
  aw_zmq_sockets *sockets = AW_CONTAINER(aw_zmq_sockets, closer, closer);
  aw__polled_remove(sockets->engine, &sockets->polled);
  while (!aw__list_empty(&sockets->all))
    aw__zmq_leave(first_of(sockets));
  aw_free(sockets);
}

static int make_sockets(aw_engine *engine, aw_zmq_sockets **out) {
  int rc = aw__libuv_open(engine);
  if (rc < 0)
    return rc;
  aw_zmq_sockets *sockets = aw_allocate(sizeof *sockets);
  if (!sockets)
    return AW_ENOMEM;
  aw__list_init(&sockets->all);
  aw__list_init(&sockets->dirty);
  aw__list_init(&sockets->round);
  aw__list_init(&sockets->fired);
  sockets->engine = engine;
  sockets->forks = aw_zmq_forks();
  sockets->closer.close = close_sockets;
  aw_engine_add_closer(engine, &sockets->closer);
  sockets->polled = (aw_polled){look, settle, dirty, NULL};
  aw__polled_add(engine, &sockets->polled);
  *out = sockets;
  return 0;
}

/* Get the sockets of `engine`. Returns 0 or a negative code. */
static int open_sockets(aw_engine *engine, aw_zmq_sockets **out) {
  aw_closer *closer = aw_engine_find_closer(engine, close_sockets);
  if (!closer)
    return make_sockets(engine, out);
  *out = AW_CONTAINER(aw_zmq_sockets, closer, closer);
  part_from_parent(*out);
  return 0;
}

int aw__zmq_enter(aw_zmq *z, aw_engine *engine) {
  if (z->forks != aw_zmq_forks())
    return AW_EFORKED;
  if (z->home && z->home->engine == engine)
    return aw__zmq_watch_start(z);
  if (aw__zmq_awaited(z))
    return AW_EBUSY;
  aw__zmq_leave(z);
  aw_zmq_sockets *sockets;
  int rc = open_sockets(engine, &sockets);
  if (rc == 0)
    rc = aw__zmq_watch_open(z, sockets);
  if (rc < 0)
    return rc;
  aw__list_append(&sockets->all, &z->place);
  return aw__zmq_watch_start(z);
}

int aw_zmq_attend(aw_zmq *z, aw_engine *engine) {
  if (!z)
    return AW_ECLOSED;
  if (!engine)
    return AW_EINVAL;
  int rc = aw__zmq_enter(z, engine);
  if (rc == 0)
    aw__zmq_mark(z);
  return rc;
}
