/* zmq_pass.c - the sockets of libzmq in one engine: a source [Q4]
 *
 *     sockets   all of them
 *     dirty     the next look() passes over these, and over no others
 *     fired     watched for no task: settle() stops that
 *
 * The pass is made when the first socket enters the engine, and goes with it.
 *
 * A process that was forked off shares the epoll set with its parent: it takes
 * a set of its own, and leaves the sockets, which are the parent's [ZQ16].
 *
 * Invariant: a socket is in the engine of the tasks that wait for it.
 *
 * Neighbours: zmq.c lets sockets enter and leave; source.c has the engine call
 * look(), settle() and dirty().
 */
#include "sources/zmq_pass.h"

#include "base/libuv.h"
#include "sources/source.h"
#include "sources/zmq_look.h"
#include "sources/zmq_watch.h"

static aw_zmq *first_of(const aw_zmq_pass *pass) {
  return AW_CONTAINER(aw_zmq, place, (uintptr_t)pass->sockets.next);
}

/* ---- leaving ---- */

static void leave(aw_zmq *z) {
  aw__zmq_unlist(z);
  aw__link_remove(&z->place);
  aw__zmq_watch_close(z);
  z->pass = NULL;
  z->pausing = false;
}

static void part_from_parent(aw_zmq_pass *pass) {
  if (pass->forks == aw_zmq_forks())
    return;
  pass->forks = aw_zmq_forks();
  uv_loop_fork(&pass->engine->uv);
  while (!aw__list_empty(&pass->sockets)) {
    aw_zmq *z = first_of(pass);
    aw__zmq_wake_everybody(z, AW_EFORKED);
    leave(z);
  }
}

void aw__zmq_leave(aw_zmq *z) {
  if (z->pass)
    part_from_parent(z->pass);
  if (z->pass)
    leave(z);
}

/* ---- as a source ---- */

static aw_zmq_pass *pass_of(const aw_source *source) {
  return AW_CONTAINER(aw_zmq_pass, source, (uintptr_t)source);
}

static void look(aw_source *source) {
  aw_zmq_pass *pass = pass_of(source);
  part_from_parent(pass);
  aw_link *link;
  while ((link = aw__list_shift(&pass->dirty)) != NULL)
    aw__list_append(&pass->round, link);
  while ((link = aw__list_shift(&pass->round)) != NULL)
    aw__zmq_look_at(AW_CONTAINER(aw_zmq, link, link));
}

static void settle(aw_source *source) {
  aw_zmq_pass *pass = pass_of(source);
  aw_link *link;
  while ((link = aw__list_shift(&pass->fired)) != NULL) {
    aw_zmq *z = AW_CONTAINER(aw_zmq, link, link);
    if (!aw__zmq_awaited(z)) /* no task has come since it fired */
      aw__zmq_watch_stop(z);
  }
}

static bool dirty(const aw_source *source) {
  return !aw__list_empty(&pass_of(source)->dirty);
}

/* ---- entering ---- */

static void close_pass(aw_closer *closer) {
  aw_zmq_pass *pass = AW_CONTAINER(aw_zmq_pass, closer, closer);
  aw__source_remove(pass->engine, &pass->source);
  while (!aw__list_empty(&pass->sockets))
    aw__zmq_leave(first_of(pass));
  aw_free(pass);
}

static int make_pass(aw_engine *engine, aw_zmq_pass **out) {
  int rc = aw__libuv_open(engine);
  if (rc < 0)
    return rc;
  aw_zmq_pass *pass = aw_allocate(sizeof *pass);
  if (!pass)
    return AW_ENOMEM;
  aw__list_init(&pass->sockets);
  aw__list_init(&pass->dirty);
  aw__list_init(&pass->round);
  aw__list_init(&pass->fired);
  pass->engine = engine;
  pass->forks = aw_zmq_forks();
  pass->closer.close = close_pass;
  aw_engine_add_closer(engine, &pass->closer);
  pass->source = (aw_source){look, settle, dirty, NULL};
  aw__source_add(engine, &pass->source);
  *out = pass;
  return 0;
}

/* The pass of `engine`. */
static int open_pass(aw_engine *engine, aw_zmq_pass **out) {
  aw_closer *closer = aw_engine_find_closer(engine, close_pass);
  if (!closer)
    return make_pass(engine, out);
  *out = AW_CONTAINER(aw_zmq_pass, closer, closer);
  part_from_parent(*out);
  return 0;
}

int aw__zmq_enter(aw_zmq *z, aw_engine *engine) {
  if (z->forks != aw_zmq_forks())
    return AW_EFORKED;
  if (z->pass && z->pass->engine == engine)
    return aw__zmq_watch_start(z);
  if (aw__zmq_awaited(z))
    return AW_EBUSY;
  aw__zmq_leave(z);
  aw_zmq_pass *pass;
  int rc = open_pass(engine, &pass);
  if (rc == 0)
    rc = aw__zmq_watch_open(z, pass);
  if (rc < 0)
    return rc;
  aw__list_append(&pass->sockets, &z->place);
  return aw__zmq_watch_start(z);
}

int aw_zmq_attend(aw_zmq *z, aw_engine *engine) {
  if (!z)
    return AW_ECLOSED;
  int rc = aw__zmq_enter(z, engine);
  if (rc == 0)
    aw__zmq_mark(z);
  return rc;
}
