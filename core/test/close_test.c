/* close_test.c - engines come and go in the libuv loop of a host
 *
 * The host opens and closes engines in all of its callbacks and in those of the
 * engines. When one is closed, tickets are pending, an aw_closer has handles,
 * watchers of descriptors are open, and tasks and errors are still referenced.
 */
#include "check.h"

#include <unistd.h>
#include <uv.h>

enum { ENGINES = 5, LIVES = 400 };

/* An owner of handles; its memory is freed when the last one is closed. */
typedef struct owner {
  aw_closer closer;
  uv_timer_t timer;
  uv_poll_t poll;
  int open;
  int ends[2];  /* for `poll` */
  int tasks[2]; /* for a task */
} owner;

typedef struct life {
  struct world *world;
  aw_engine *engine; /* NULL: it does not exist */
  aw_loop *loop;     /* it runs */
  owner *owner;
  aw_ticket *ticket;
  aw_task *kept;   /* from the life before */
  aw_error *error; /* the same */
  bool is_closing;
} life;

typedef struct world {
  uv_loop_t uv;
  uv_prepare_t prepare;
  uv_check_t check;
  uv_idle_t idle;
  uv_timer_t timer;
  life lives[ENGINES];
  size_t opened, closed, owners;
  uint64_t random;
} world;

static uint32_t draw(world *w, uint32_t count) {
  w->random = w->random * UINT64_C(6364136223846793005) + 1442695040888963407U;
  return (uint32_t)((w->random >> 33) % count);
}

static void act(world *w);

/* ---- an owner of handles ---- */

static world *the_world;

static void owner_closed(uv_handle_t *handle) {
  owner *o = handle->data;
  if (--o->open > 0)
    return;
  close(o->ends[0]);
  close(o->ends[1]);
  close(o->tasks[0]);
  close(o->tasks[1]);
  the_world->owners--;
  free(o);
}

static void owner_close(aw_closer *closer) {
  owner *o = (owner *)closer;
  uv_close((uv_handle_t *)&o->timer, owner_closed);
  uv_close((uv_handle_t *)&o->poll, owner_closed);
}

static void ignore_poll(uv_poll_t *poll, int status, int events) {
  char byte;
  (void)status;
  (void)events;
  CHECK(read(((owner *)poll->data)->ends[0], &byte, 1) == 1);
}

static void ignore_timer(uv_timer_t *timer) {
  (void)timer;
}

static owner *owner_new(aw_engine *engine) {
  owner *o = calloc(1, sizeof *o);
  void *uv;
  CHECK(o && pipe(o->ends) == 0 && pipe(o->tasks) == 0);
  o->closer.close = owner_close;
  aw_engine_add_closer(engine, &o->closer);
  CHECK(aw_engine_uv(engine, &uv) == 0);
  CHECK(uv_timer_init(uv, &o->timer) == 0);
  CHECK(uv_poll_init(uv, &o->poll, o->ends[0]) == 0);
  o->open = 2;
  o->timer.data = o->poll.data = o;
  CHECK(uv_timer_start(&o->timer, ignore_timer, 1, 1) == 0);
  CHECK(uv_poll_start(&o->poll, UV_READABLE, ignore_poll) == 0);
  uv_unref((uv_handle_t *)&o->timer);
  uv_unref((uv_handle_t *)&o->poll);
  the_world->owners++;
  return o;
}

/* ---- one engine ---- */

static int arm(aw_task *task, void *data) {
  life *l = data;
  if (!l->ticket)
    l->ticket = aw_ticket_new(task);
  return 0;
}

static void disarm(aw_task *task, void *data) {
  (void)task; /* the ticket lives on */
  (void)data;
}

static const aw_operation operation = {
    .label = "ticket", .arm = arm, .disarm = disarm, .external = true};

static void closed(void *data) {
  life *l = data;
  l->is_closing = false;
  l->world->closed++;
  act(l->world);
}

static void end(life *l) {
  if (!l->engine)
    return;
  if (l->loop) {
    CHECK(aw_engine_close(l->engine, closed, l) == AW_EBUSY);
    aw_loop_stop(l->loop, draw(l->world, 2));
    return;
  }
  l->is_closing = true;
  CHECK(aw_engine_close(l->engine, closed, l) == 0);
  l->engine = NULL;
  if (l->ticket && draw(l->world, 2)) {
    CHECK(aw_ticket_complete(l->ticket, 0, 0) == AW_EENDED);
    l->ticket = NULL;
  }
}

static void loop_ended(void *host, aw_loop *loop) {
  life *l = host;
  CHECK(l->loop == loop);
  if (draw(l->world, 4) == 0)
    act(l->world); /* it may close all other engines */
  CHECK(aw_loop_free(loop) == 0);
  l->loop = NULL;
  if (draw(l->world, 2))
    end(l);
}

static aw_turn step(aw_task *task, void *data) {
  life *l = data;
  (void)task;
  act(l->world);
  return AW_DONE;
}

static void forget(life *l) {
  if (l->ticket)
    (void)aw_ticket_complete(l->ticket, 0, 0);
  l->ticket = NULL;
  aw_task_release(l->kept);
  aw_error_release(l->error);
  l->kept = NULL;
  l->error = NULL;
}

static void begin(life *l) {
  aw_engine_config config = {
      .uv = &l->world->uv, .host = l, .ended = loop_ended};
  forget(l);
  CHECK(aw_engine_new(&config, &l->engine) == 0);
  l->world->opened++;
  l->owner = owner_new(l->engine);
  l->loop = new_loop(l->engine);
  l->error = aw_error_new(l->engine, AW_EHOST, 0);
  l->kept = start_task(l->loop, aw_wait_for(&operation, l));
  start(l->loop, aw_readable(l->owner->tasks[0]));
  start(l->loop, aw_sleep(UINT64_C(3600) * AW_SECOND));
  start(l->loop,
        aw_then(aw_sleep(draw(l->world, 3) * 500000), aw_call(step, l)));
  CHECK(aw_loop_begin(l->loop, AW_NEVER) == 0);
}

static void act(world *w) {
  life *l = &w->lives[draw(w, ENGINES)];
  if (!l->engine) {
    if (!l->is_closing && w->opened < LIVES)
      begin(l);
    return;
  }
  switch (draw(w, 4)) {
  case 0: end(l); break;
  case 1:
    if (l->ticket)
      CHECK(aw_ticket_complete(l->ticket, 0, 0) == 0);
    l->ticket = NULL;
    break;
  case 2:
    CHECK(write(l->owner->ends[1], "x", 1) == 1);
    CHECK(write(l->owner->tasks[1], "x", 1) == 1);
    break;
  default:
    for (int i = 0; i < ENGINES; i++)
      end(&w->lives[i]);
  }
}

/* ---- the host ---- */

static void prepared(uv_prepare_t *prepare) {
  act(prepare->data);
}

static void checked(uv_check_t *check) {
  world *w = check->data;
  act(w);
  if (draw(w, 16) == 0)
    uv_stop(&w->uv);
}

static void idled(uv_idle_t *idle) {
  act(idle->data);
}

static void ticked(uv_timer_t *timer) {
  act(timer->data);
}

static void open_world(world *w) {
  CHECK(uv_loop_init(&w->uv) == 0);
  uv_prepare_init(&w->uv, &w->prepare);
  uv_check_init(&w->uv, &w->check);
  uv_idle_init(&w->uv, &w->idle);
  uv_timer_init(&w->uv, &w->timer);
  w->prepare.data = w->check.data = w->idle.data = w->timer.data = w;
  uv_prepare_start(&w->prepare, prepared);
  uv_check_start(&w->check, checked);
  uv_idle_start(&w->idle, idled);
  uv_timer_start(&w->timer, ticked, 1, 1);
}

static bool is_over(const world *w) {
  for (int i = 0; i < ENGINES; i++)
    if (w->lives[i].engine || w->lives[i].is_closing)
      return false;
  return w->opened == LIVES;
}

static void engines_come_and_go(uint64_t seed) {
  world w = {.random = seed};
  the_world = &w;
  open_world(&w);
  for (int i = 0; i < ENGINES; i++)
    w.lives[i].world = &w;
  while (!is_over(&w))
    uv_run(&w.uv, draw(&w, 2) ? UV_RUN_NOWAIT : UV_RUN_DEFAULT);
  CHECK(w.closed == LIVES && w.owners == 0);
  uv_close((uv_handle_t *)&w.prepare, NULL);
  uv_close((uv_handle_t *)&w.check, NULL);
  uv_close((uv_handle_t *)&w.idle, NULL);
  uv_close((uv_handle_t *)&w.timer, NULL);
  CHECK(uv_loop_close(&w.uv) == UV_EBUSY);
  uv_run(&w.uv, UV_RUN_DEFAULT);
  CHECK(uv_loop_close(&w.uv) == 0);
  for (int i = 0; i < ENGINES; i++)
    forget(&w.lives[i]);
}

int main(int count, char **arguments) {
  uint64_t first = count > 1 ? strtoull(arguments[1], NULL, 10) : 1;
  uint64_t last = count > 2 ? strtoull(arguments[2], NULL, 10) : first + 3;
  for (uint64_t seed = first; seed <= last; seed++)
    engines_come_and_go(seed);
  return 0;
}
