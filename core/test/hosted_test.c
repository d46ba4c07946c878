/* hosted_test.c - engines in the libuv loop of a host that has other handles
 *
 * The host's handles must survive the engine: before, during and after its
 * life, and while it closes. drive_test.c has what is the same for all hosts.
 */
#include "host.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

enum { MS = 1000000 }; /* ns */

/* ---- the handles of the host ---- */

enum { TICKS = 30 };

typedef struct aliens {
  uv_loop_t *uv;
  uv_timer_t timer; /* each ms, until it has rung TICKS times */
  uv_async_t async; /* sent by each tick */
  uv_poll_t poll;   /* a pipe, written by each tick */
  uv_idle_t idle;
  uv_check_t check;
  uv_prepare_t prepare;
  int ends[2];
  int ticks, heard, polled, idled, checked, prepared, closed;
  void (*tick)(struct aliens *aliens); /* may be NULL */
  void *data;
} aliens;

static void heard(uv_async_t *async) {
  ((aliens *)async->data)->heard++;
}

static void polled(uv_poll_t *poll, int status, int events) {
  aliens *a = poll->data;
  char text[8];
  CHECK(status == 0 && events == UV_READABLE);
  CHECK(read(a->ends[0], text, sizeof text) >= 1);
  a->polled++;
}

static void idled(uv_idle_t *idle) {
  aliens *a = idle->data;
  a->idled++;
  uv_idle_stop(idle);
}

static void checked(uv_check_t *check) {
  ((aliens *)check->data)->checked++;
}

static void prepared(uv_prepare_t *prepare) {
  ((aliens *)prepare->data)->prepared++;
}

static void closed(uv_handle_t *handle) {
  ((aliens *)handle->data)->closed++;
}

static void close_aliens(aliens *a) {
  uv_close((uv_handle_t *)&a->timer, closed);
  uv_close((uv_handle_t *)&a->async, closed);
  uv_close((uv_handle_t *)&a->poll, closed);
  uv_close((uv_handle_t *)&a->idle, closed);
  uv_close((uv_handle_t *)&a->check, closed);
  uv_close((uv_handle_t *)&a->prepare, closed);
}

static void ticked(uv_timer_t *timer) {
  aliens *a = timer->data;
  a->ticks++;
  uv_async_send(&a->async);
  uv_idle_start(&a->idle, idled);
  CHECK(write(a->ends[1], "x", 1) == 1);
  if (a->tick)
    a->tick(a);
  if (a->ticks == TICKS)
    close_aliens(a);
}

static void open_aliens(aliens *a, uv_loop_t *uv) {
  memset(a, 0, sizeof *a);
  a->uv = uv;
  CHECK(pipe(a->ends) == 0);
  uv_timer_init(uv, &a->timer);
  uv_async_init(uv, &a->async, heard);
  uv_poll_init(uv, &a->poll, a->ends[0]);
  uv_idle_init(uv, &a->idle);
  uv_check_init(uv, &a->check);
  uv_prepare_init(uv, &a->prepare);
  a->timer.data = a->async.data = a->poll.data = a;
  a->idle.data = a->check.data = a->prepare.data = a;
  uv_poll_start(&a->poll, UV_READABLE, polled);
  uv_check_start(&a->check, checked);
  uv_prepare_start(&a->prepare, prepared);
  uv_timer_start(&a->timer, ticked, 1, 1);
}

/* The handles were served up to the end, and closed by nobody else. */
static void check_aliens(aliens *a) {
  CHECK(a->ticks == TICKS);
  CHECK(a->heard >= TICKS / 2 && a->polled >= TICKS / 2);
  CHECK(a->idled >= TICKS / 2);
  CHECK(a->checked >= TICKS / 2 && a->prepared >= TICKS / 2);
  CHECK(a->closed == 6);
  close(a->ends[0]);
  close(a->ends[1]);
}

/* ---- wires ---- */

static aw_turn fill(aw_task *task, void *fd) {
  (void)task;
  CHECK(write(*(int *)fd, "x", 1) == 1);
  return AW_DONE;
}

static aw_turn drain(aw_task *task, void *fd) {
  char text[8];
  (void)task;
  CHECK(read(*(int *)fd, text, sizeof text) >= 1);
  return AW_DONE;
}

/* Tasks that sleep, and that wait for a pipe, for about 10 ms. */
static aw_wire *works(int *ends) {
  return aw_both(
      aw_repeat(aw_then(aw_readable(ends[0]), aw_call(drain, &ends[0])), 5),
      aw_repeat(aw_then(aw_sleep(2 * MS), aw_call(fill, &ends[1])), 5));
}

/* ---- cases ---- */

typedef struct guest {
  aw_engine *engine;
  int ends[2];
  int running, closed;
} guest;

static void guest_ended(void *data, aw_loop *loop) {
  guest *g = data;
  g->running--;
  CHECK(aw_loop_state_of(loop) == AW_LOOP_IDLE);
  CHECK(aw_loop_free(loop) == 0);
}

static void guest_open(guest *g, uv_loop_t *uv) {
  aw_engine_config config = {
      .uv = uv, .uv_size = sizeof *uv, .host = g, .ended = guest_ended};
  memset(g, 0, sizeof *g);
  CHECK(pipe(g->ends) == 0);
  CHECK(aw_engine_new(&config, &g->engine) == 0);
}

static void guest_start(guest *g) {
  aw_loop *loop = new_loop(g->engine);
  start(loop, works(g->ends));
  CHECK(aw_loop_begin(loop, AW_NEVER) == 0);
  g->running++;
}

static void guest_closed(void *data) {
  ((guest *)data)->closed++;
}

static void guest_close(guest *g) {
  check_stats(g->engine);
  CHECK(aw_engine_close(g->engine, guest_closed, g) == 0);
  close(g->ends[0]);
  close(g->ends[1]);
}

/* Live, close and live again while the handles of the host go on. */
static void live(aliens *a) {
  guest *g = a->data;
  switch (a->ticks) {
  case 2: guest_open(g, a->uv); break;
  case 3: guest_start(g); break;
  case 5: CHECK(aw_engine_close(g->engine, NULL, NULL) == AW_EBUSY); break;
  default: break;
  }
  if (a->ticks > 3 && a->ticks < TICKS && g->engine && g->running == 0) {
    guest_close(g);
    g->engine = NULL;
  }
}

static void handles_of_the_host_survive(void) {
  uv_loop_t uv;
  aliens a;
  guest g = {0};
  CHECK(uv_loop_init(&uv) == 0);
  open_aliens(&a, &uv);
  a.tick = live;
  a.data = &g;
  CHECK(uv_run(&uv, UV_RUN_DEFAULT) == 0);
  check_aliens(&a);
  if (g.engine) { /* the machine was slow */
    guest_close(&g);
    uv_run(&uv, UV_RUN_DEFAULT);
  }
  CHECK(g.closed == 1);
  CHECK(uv_loop_close(&uv) == 0);
}

static void engines_share_a_loop(void) {
  enum { ENGINES = 5 };
  uv_loop_t uv;
  aliens a;
  guest guests[ENGINES];
  CHECK(uv_loop_init(&uv) == 0);
  open_aliens(&a, &uv);
  for (int i = 0; i < ENGINES; i++) {
    guest_open(&guests[i], &uv);
    guest_start(&guests[i]);
  }
  CHECK(uv_run(&uv, UV_RUN_DEFAULT) == 0);
  check_aliens(&a);
  for (int i = 0; i < ENGINES; i++) {
    CHECK(guests[i].running == 0);
    guest_close(&guests[i]);
  }
  CHECK(uv_run(&uv, UV_RUN_DEFAULT) == 0);
  for (int i = 0; i < ENGINES; i++)
    CHECK(guests[i].closed == 1);
  CHECK(uv_loop_close(&uv) == 0);
}

/* uv_run() returns when nothing of the host is left, and no loop runs. */
static void a_resting_engine_keeps_nothing_alive(void) {
  uv_loop_t uv;
  guest g;
  CHECK(uv_loop_init(&uv) == 0);
  guest_open(&g, &uv);
  CHECK(!uv_loop_alive(&uv));
  CHECK(uv_run(&uv, UV_RUN_DEFAULT) == 0);
  aw_loop *idle = new_loop(g.engine);
  start(idle, aw_sleep(AW_NEVER)); /* its loop does not run */
  CHECK(!uv_loop_alive(&uv));
  guest_start(&g);
  CHECK(uv_loop_alive(&uv));
  CHECK(uv_run(&uv, UV_RUN_DEFAULT) == 0);
  CHECK(g.running == 0);
  guest_start(&g);
  CHECK(uv_run(&uv, UV_RUN_DEFAULT) == 0);
  CHECK(aw_loop_free(idle) == 0);
  guest_close(&g);
  CHECK(uv_loop_alive(&uv));
  CHECK(uv_run(&uv, UV_RUN_DEFAULT) == 0);
  CHECK(g.closed == 1);
  CHECK(uv_loop_close(&uv) == 0);
}

/* The host stops the loop, polls it once, and goes on. */
static void the_host_may_stop_its_loop(void) {
  uv_loop_t uv;
  guest g;
  CHECK(uv_loop_init(&uv) == 0);
  guest_open(&g, &uv);
  guest_start(&g);
  uv_stop(&uv);
  CHECK(uv_run(&uv, UV_RUN_DEFAULT) != 0);
  while (g.running > 0)
    uv_run(&uv, UV_RUN_ONCE);
  guest_start(&g);
  while (g.running > 0)
    uv_run(&uv, UV_RUN_NOWAIT);
  guest_close(&g);
  CHECK(uv_run(&uv, UV_RUN_DEFAULT) == 0);
  CHECK(uv_loop_close(&uv) == 0);
}

/* ---- closing ---- */

typedef struct alien_of_closer {
  aw_closer closer;
  uv_timer_t timer;
  uv_async_t async;
  int closed;
} alien_of_closer;

static void one_closed(uv_handle_t *handle) {
  ((alien_of_closer *)handle->data)->closed++;
}

static void close_both(aw_closer *closer) {
  alien_of_closer *a = (alien_of_closer *)closer;
  uv_close((uv_handle_t *)&a->timer, one_closed);
  uv_close((uv_handle_t *)&a->async, one_closed);
}

static void hear_nothing(uv_async_t *async) {
  (void)async;
}

static void all_are_closed(void *data) {
  alien_of_closer *a = data;
  CHECK(a->closed == 2);
  a->closed = 3;
}

static void closers_come_before_closed(void) {
  uv_loop_t uv;
  guest g;
  alien_of_closer a = {.closed = 0};
  void *same;
  CHECK(uv_loop_init(&uv) == 0);
  guest_open(&g, &uv);
  CHECK(aw_engine_uv(g.engine, &same) == 0 && same == &uv);
  uv_timer_init(&uv, &a.timer);
  uv_async_init(&uv, &a.async, hear_nothing);
  a.timer.data = a.async.data = &a;
  a.closer.close = close_both;
  aw_engine_add_closer(g.engine, &a.closer);
  guest_start(&g);
  while (g.running > 0)
    uv_run(&uv, UV_RUN_ONCE);
  CHECK(aw_engine_close(g.engine, all_are_closed, &a) == 0);
  CHECK(uv_run(&uv, UV_RUN_DEFAULT) == 0);
  CHECK(a.closed == 3);
  close(g.ends[0]);
  close(g.ends[1]);
  CHECK(uv_loop_close(&uv) == 0);
}

/* What outlives the engine is still valid, also before its handles are
 * closed. */
static void tasks_outlive_the_engine(void) {
  uv_loop_t uv;
  guest g;
  CHECK(uv_loop_init(&uv) == 0);
  guest_open(&g, &uv);
  aw_loop *loop = new_loop(g.engine);
  aw_task *before = start_task(loop, aw_sleep(1));
  aw_task *after = start_task(loop, aw_readable(g.ends[0]));
  CHECK(write(g.ends[1], "x", 1) == 1);
  CHECK(aw_loop_begin(loop, AW_NEVER) == 0);
  g.running++;
  CHECK(uv_run(&uv, UV_RUN_DEFAULT) == 0);
  CHECK(aw_engine_close(g.engine, guest_closed, &g) == 0);
  CHECK(aw_task_state_of(before) == AW_TASK_DONE);
  aw_task_release(before);
  CHECK(uv_run(&uv, UV_RUN_DEFAULT) == 0);
  CHECK(g.closed == 1);
  CHECK(aw_task_state_of(after) == AW_TASK_DONE);
  aw_task_release(after);
  close(g.ends[0]);
  close(g.ends[1]);
  CHECK(uv_loop_close(&uv) == 0);
}

/* ---- descriptors ---- */

static void not_expected(uv_poll_t *poll, int status, int events) {
  (void)poll;
  (void)status;
  (void)events;
  CHECK(false);
}

static void failed(void *data, aw_loop *loop) {
  guest *g = data;
  g->running--;
  log_add("%s ", aw_error_name(aw_error_code(aw_loop_error(loop))));
  CHECK(aw_loop_free(loop) == 0);
}

/* One libuv loop has one watcher for each descriptor. */
static void a_descriptor_has_one_watcher(void) {
  uv_loop_t uv;
  uv_poll_t poll;
  guest g;
  log_clear();
  CHECK(uv_loop_init(&uv) == 0);
  guest_open(&g, &uv);
  aw_engine *other;
  aw_engine_config config = {.uv = &uv, .host = &g, .ended = failed};
  CHECK(aw_engine_new(&config, &other) == 0);
  uv_poll_init(&uv, &poll, g.ends[0]);
  uv_poll_start(&poll, UV_READABLE, not_expected);
  aw_loop *loop = new_loop(other);
  start(loop, aw_readable(g.ends[0]));
  CHECK(aw_loop_begin(loop, AW_NEVER) == 0);
  g.running++;
  while (g.running > 0)
    uv_run(&uv, UV_RUN_ONCE);
  CHECK_LOG("EEXIST ");
  uv_close((uv_handle_t *)&poll, NULL);
  uv_run(&uv, UV_RUN_NOWAIT);
  guest_start(&g); /* tasks wait for it, and then the host again */
  CHECK(uv_run(&uv, UV_RUN_DEFAULT) == 0);
  CHECK(uv_poll_init(&uv, &poll, g.ends[0]) == 0);
  CHECK(uv_poll_start(&poll, UV_READABLE, not_expected) == 0);
  uv_close((uv_handle_t *)&poll, NULL);
  check_stats(other);
  CHECK(aw_engine_close(other, NULL, NULL) == 0);
  guest_close(&g);
  CHECK(uv_run(&uv, UV_RUN_DEFAULT) == 0);
  CHECK(uv_loop_close(&uv) == 0);
}

static void libuv_must_be_the_same(void) {
  uv_loop_t uv;
  aw_engine *engine = NULL;
  CHECK(uv_loop_init(&uv) == 0);
  aw_engine_config config = {.uv = &uv, .uv_size = sizeof uv + 8};
  CHECK(aw_engine_new(&config, &engine) == AW_EVERSION);
  CHECK(engine == NULL);
  CHECK(strcmp(aw_error_name(AW_EVERSION), "EVERSION") == 0);
  CHECK(uv_loop_close(&uv) == 0); /* no handle is left */
}

int main(void) {
  handles_of_the_host_survive();
  engines_share_a_loop();
  a_resting_engine_keeps_nothing_alive();
  the_host_may_stop_its_loop();
  closers_come_before_closed();
  tasks_outlive_the_engine();
  a_descriptor_has_one_watcher();
  libuv_must_be_the_same();
  return 0;
}
