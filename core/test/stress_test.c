/* stress_test.c - a host that does anything, at any time, between turns
 *
 * An engine has a number of cells. A cell is a wire that waits for something,
 * and a way for the host to bring that about. After the host has done so, the
 * cell is `due` until its step has run. The host acts in all of its callbacks,
 * and once more at the last moment before it blocks, if no cell is due: if the
 * engine misses an act there, nothing else wakes the host, and the test does
 * not end.
 *
 * drive_test.c has a case for each kind of act; this is about their order.
 */
#include <aiowire_zmq.h>

#include "host.h"

#include <pthread.h>
#include <unistd.h>

enum { MS = 1000000, HOUR = 3600 };
enum { STEPS = 4000 }; /* of all cells, in one life of an engine */

typedef enum cell_kind {
  EVENT,
  CHANNEL,
  SEMAPHORE,
  OPERATION,
  HOST_CODE,
  PIPE,
  ZMQ, /* stands still without libzmq */
  TICKET,
  THREAD,
  LIMIT,
  CANCEL,
  START,
  LOOP,
  STOP,
  END,
  WAKE,
  WAKE_AT,
  CELLS
} cell_kind;

typedef struct cell {
  struct world *world;
  cell_kind kind;
  bool due;
  aw_event *event;
  aw_channel *channel;
  aw_semaphore *semaphore;
  aw_task *armed; /* borrowed; its wait can be completed */
  aw_task *task;
  aw_ticket *ticket;
  aw_loop *loop;
  int ends[2];
} cell;

/* Completes tickets. */
typedef struct worker {
  pthread_t thread;
  pthread_mutex_t lock;
  pthread_cond_t filled;
  aw_ticket *ticket; /* to be completed */
  bool stops;
} worker;

/* Two ends of an inproc pair. */
typedef struct sockets {
  const aw_zmq_calls *zmq; /* NULL: there is no libzmq */
  void *context, *here, *there;
  aw_zmq *ready; /* of `here` */
} sockets;

typedef struct world {
  host host;
  cell cells[CELLS];
  size_t due, steps;
  uint64_t random;
  aw_loop *loop; /* most cells run here */
  bool over;
  worker worker;
  sockets sockets;
  /* HOSTED */
  uv_timer_t timer;
  uv_idle_t idle;
  uv_prepare_t prepare; /* runs before that of the engine */
  uv_check_t check;     /* runs before that of the engine */
  uv_async_t async;
} world;

static uint32_t draw(world *w, uint32_t count) {
  w->random = w->random * UINT64_C(6364136223846793005) + 1442695040888963407U;
  return (uint32_t)((w->random >> 33) % count);
}

static void act(world *w);

/* ---- sockets of libzmq ---- */

enum { PAIR = 0, DONTWAIT = 1 };

static void open_sockets(sockets *s) {
  if (aw_zmq_open(&s->zmq) < 0)
    return;
  s->context = s->zmq->ctx_new();
  s->here = s->zmq->socket(s->context, PAIR);
  s->there = s->zmq->socket(s->context, PAIR);
  CHECK(s->zmq->bind(s->here, "inproc://test") == 0);
  CHECK(s->zmq->connect(s->there, "inproc://test") == 0);
  CHECK(aw_zmq_new(s->here, NULL, &s->ready) == 0);
}

static void close_sockets(sockets *s) {
  if (!s->zmq)
    return;
  aw_zmq_close(s->ready);
  s->zmq->close(s->here);
  s->zmq->close(s->there);
  s->zmq->ctx_term(s->context);
}

static bool can_send(const sockets *s, void *from) {
  aw_zmq_message m;
  s->zmq->msg_init_size(&m, 1);
  bool sent = s->zmq->msg_send(&m, from, DONTWAIT) == 1;
  if (!sent)
    s->zmq->msg_close(&m);
  return sent;
}

static bool can_receive(const sockets *s, void *at) {
  aw_zmq_message m;
  s->zmq->msg_init(&m);
  bool received = s->zmq->msg_recv(&m, at, DONTWAIT) == 1;
  s->zmq->msg_close(&m);
  return received;
}

/* Use the socket of the cell for something else: that may take the report of
 * libzmq that a message has come. */
static void use_socket(const sockets *s) {
  if (!s->zmq)
    return;
  (void)can_send(s, s->here);
  (void)can_receive(s, s->there);
  aw_zmq_touch(s->ready);
}

/* ---- the cells ---- */

static void has_run(cell *c) {
  world *w = c->world;
  CHECK(c->due || w->over);
  w->due -= c->due;
  c->due = false;
  w->steps++;
}

static aw_turn run(aw_task *task, void *data) {
  cell *c = data;
  char byte;
  (void)task;
  if (c->kind == EVENT)
    aw_event_clear(c->event);
  if (c->kind == PIPE && !c->world->over)
    CHECK(read(c->ends[0], &byte, 1) == 1);
  if (c->kind == ZMQ && !c->world->over) {
    CHECK(can_receive(&c->world->sockets, c->world->sockets.here));
    aw_zmq_touch(c->world->sockets.ready);
  }
  has_run(c);
  if (draw(c->world, 4) == 0 && !c->world->over)
    act(c->world);
  return AW_DONE;
}

static int arm(aw_task *task, void *data) {
  cell *c = data;
  if (c->kind == TICKET || c->kind == THREAD) {
    c->ticket = aw_ticket_new(task);
    return c->ticket ? 0 : AW_ENOMEM;
  }
  c->armed = task;
  return 0;
}

static void disarm(aw_task *task, void *data) {
  cell *c = data;
  (void)task;
  c->armed = NULL;
  aw_ticket_release(c->ticket);
  c->ticket = NULL;
}

static const aw_operation operation = {
    .label = "cell", .arm = arm, .disarm = disarm, .external = true};

static aw_wire *awaits(cell *c) {
  switch (c->kind) {
  case EVENT: return aw_when_set(c->event);
  case CHANNEL: return aw_recv(c->channel);
  case SEMAPHORE: return aw_acquire(c->semaphore);
  case PIPE: return aw_readable(c->ends[0]);
  case ZMQ:
    return c->world->sockets.zmq
               ? aw_zmq_when_ready(c->world->sockets.ready, AW_READABLE)
               : aw_sleep(AW_NEVER);
  case LIMIT:
    return aw_or_else(aw_timeout(aw_sleep(AW_NEVER), HOUR * AW_SECOND, 0),
                      aw_sleep(0));
  case HOST_CODE: return aw_host_call(c, NULL, "cell");
  default: return aw_wait_for(&operation, c);
  }
}

static bool runs_for_ever(cell_kind kind) {
  return kind <= LIMIT;
}

static void begin(world *w, aw_loop *loop) {
  CHECK(aw_loop_begin(loop, AW_NEVER) == 0);
  w->host.running++;
}

static aw_wire *cleans(cell *c) {
  return aw_finally(aw_sleep(AW_NEVER), aw_call(run, c), AW_DEFAULT);
}

static bool ends_this(void *data, const aw_loop *loop) {
  return data == loop;
}

static void answer_end(void *data, const aw_step *step) {
  (void)data;
  aw_step_answer(aw_task_engine(step->task), step);
}

static void stop(cell *c) {
  aw_loop *loop = c->loop;
  aw_loop_end how = {loop, ends_this, answer_end, {NULL}};
  c->loop = NULL; /* steps that run now may begin another one */
  if (c->kind == STOP)
    aw_loop_stop(loop, draw(c->world, 2));
  else
    CHECK(aw_engine_end_loops(c->world->host.engine, &how) == 0);
}

/* Returns false if that is impossible now. */
static bool give_to_worker(world *w, cell *c) {
  worker *a = &w->worker;
  pthread_mutex_lock(&a->lock);
  bool is_free = !a->ticket;
  if (is_free) {
    a->ticket = c->ticket;
    c->ticket = NULL;
    pthread_cond_signal(&a->filled);
  }
  pthread_mutex_unlock(&a->lock);
  return is_free;
}

static bool bring_about(world *w, cell *c) {
  aw_task *armed = c->armed;
  aw_ticket *ticket = c->ticket;
  switch (c->kind) {
  case EVENT: aw_event_set(c->event); return true;
  case CHANNEL: return aw_channel_try_send(c->channel, 0) == 0;
  case SEMAPHORE: return aw_semaphore_give_back(c->semaphore) == 0;
  case PIPE: return write(c->ends[1], "x", 1) == 1;
  case ZMQ: return w->sockets.zmq && can_send(&w->sockets, w->sockets.there);
  case OPERATION:
  case HOST_CODE:
    c->armed = NULL;
    if (armed)
      aw_wait_complete(armed, 0);
    return armed;
  case TICKET:
    c->ticket = NULL;
    if (ticket)
      CHECK(aw_ticket_complete(ticket, 0, 0) == 0);
    return ticket;
  case THREAD: return ticket && give_to_worker(w, c);
  case LIMIT: return aw_task_extend(c->task, 0) == 0;
  case CANCEL:
    if (!c->task) {
      CHECK(aw_loop_start(w->loop, cleans(c), NULL, &c->task) == 0);
      return false;
    }
    if (aw_task_state_of(c->task) != AW_TASK_WAITING)
      return false;
    aw_task_cancel(c->task, 0, AW_DEFAULT);
    aw_task_release(c->task);
    c->task = NULL;
    return true;
  case START: start(w->loop, aw_call(run, c)); return true;
  case LOOP:
    c->loop = new_loop(w->host.engine);
    start(c->loop, aw_call(run, c));
    begin(w, c->loop);
    c->loop = NULL;
    return true;
  case STOP:
  case END:
    if (!c->loop) {
      c->loop = new_loop(w->host.engine);
      c->task = start_task(c->loop, cleans(c));
      begin(w, c->loop);
      return false;
    }
    if (aw_task_state_of(c->task) != AW_TASK_WAITING)
      return false;
    aw_task_release(c->task);
    c->task = NULL;
    w->due++; /* the step may run at once */
    c->due = true;
    stop(c);
    return false;
  case WAKE: aw_engine_wake(w->host.engine); return true;
  case WAKE_AT:
    aw_engine_wake_at(w->host.engine, uv_hrtime() + draw(w, 2) * MS);
    return true;
  case CELLS: break;
  }
  return false;
}

/* ---- the acts of the host ---- */

/* What changes nothing, or a deadline only. */
static void act_in_vain(world *w) {
  aw_engine *engine = w->host.engine;
  aw_loop *loop;
  void *uv;
  switch (draw(w, 6)) {
  case 0:
    if (!w->cells[WAKE_AT].due)
      aw_engine_wake_at(engine, uv_hrtime() + HOUR * AW_SECOND);
    break;
  case 1:
    loop = new_loop(engine);
    CHECK(aw_loop_begin(loop, AW_NEVER) == 0);
    CHECK(aw_loop_free(loop) == 0);
    break;
  case 2:
    if (!w->cells[LIMIT].due)
      (void)aw_task_extend(w->cells[LIMIT].task, HOUR * AW_SECOND);
    break;
  case 3: CHECK(aw_engine_uv(engine, &uv) == 0); break;
  case 4: use_socket(&w->sockets); break;
  default: break;
  }
}

static void act(world *w) {
  if (w->over)
    return;
  if (draw(w, 3) == 0)
    act_in_vain(w);
  cell *c = &w->cells[draw(w, CELLS)];
  bool done = !c->due && bring_about(w, c);
  if (!done)
    return;
  c->due = true;
  w->due++;
}

static void act_perhaps(world *w) {
  if (draw(w, 3) == 0)
    act(w);
}

/* The host is about to block. */
static bool act_at_last(host *h) {
  world *w = h->data;
  if (draw(w, 4) == 0)
    act_in_vain(w);
  while (w->due == 0 && !w->over)
    act(w);
  return true;
}

static void ended(host *h, aw_loop *loop) {
  world *w = h->data;
  CHECK(aw_loop_free(loop) == 0);
  if (loop == w->loop)
    w->loop = NULL;
  act_perhaps(w);
}

static void resume(cell *c, const aw_step *step) {
  c->armed = NULL;
  if (step->result == 0)
    has_run(c);
  aw_step_done(step->task, 0);
}

static void pull(void *data, aw_engine *engine) {
  world *w = ((host *)data)->data;
  aw_step step;
  while (aw_next(engine, NULL, &step) == 1) {
    cell *c = step.data;
    switch (step.what) {
    case AW_STEP_CALL:
      aw_task_park(step.task, c);
      CHECK(aw_await_operation(step.task, &operation, c) == 0);
      break;
    case AW_STEP_RESUME: resume(c, &step); break;
    case AW_STEP_KILL: aw_step_killed(step.task); break;
    case AW_STEP_WOKEN: /* by either of two */
      for (int i = WAKE; i <= WAKE_AT; i++)
        if (w->cells[i].due)
          has_run(&w->cells[i]);
      break;
    default: aw_step_answer(engine, &step);
    }
    if (draw(w, 50) == 0)
      return;
  }
}

/* ---- callbacks of the host ---- */

static void timer_came(uv_timer_t *timer) {
  act(timer->data);
}

static void idle_came(uv_idle_t *idle) {
  act(idle->data);
  uv_idle_stop(idle);
}

static void async_came(uv_async_t *async) {
  act(async->data);
}

static void check_came(uv_check_t *check) {
  act_perhaps(check->data);
}

static void prepare_came(uv_prepare_t *prepare) {
  world *w = prepare->data;
  act_perhaps(w);
  switch (draw(w, 16)) {
  case 0: uv_timer_start(&w->timer, timer_came, draw(w, 2), 0); break;
  case 1: uv_idle_start(&w->idle, idle_came); break;
  case 2: uv_async_send(&w->async); break;
  case 3: uv_stop(&w->host.uv); break;
  default: break;
  }
}

static void open_handles(world *w) {
  uv_loop_t *uv = &w->host.uv;
  CHECK(uv_timer_init(uv, &w->timer) == 0);
  CHECK(uv_idle_init(uv, &w->idle) == 0);
  CHECK(uv_prepare_init(uv, &w->prepare) == 0);
  CHECK(uv_check_init(uv, &w->check) == 0);
  CHECK(uv_async_init(uv, &w->async, async_came) == 0);
  w->timer.data = w->idle.data = w->prepare.data = w->check.data = w;
  w->async.data = w;
  uv_prepare_start(&w->prepare, prepare_came);
  uv_check_start(&w->check, check_came);
  uv_unref((uv_handle_t *)&w->prepare);
  uv_unref((uv_handle_t *)&w->check);
  uv_unref((uv_handle_t *)&w->async);
}

static void close_handles(world *w) {
  uv_close((uv_handle_t *)&w->timer, NULL);
  uv_close((uv_handle_t *)&w->idle, NULL);
  uv_close((uv_handle_t *)&w->prepare, NULL);
  uv_close((uv_handle_t *)&w->check, NULL);
  uv_close((uv_handle_t *)&w->async, NULL);
}

/* ---- the thread ---- */

static void *work(void *data) {
  worker *a = data;
  pthread_mutex_lock(&a->lock);
  while (!a->stops) {
    aw_ticket *ticket = a->ticket;
    a->ticket = NULL;
    if (!ticket) {
      pthread_cond_wait(&a->filled, &a->lock);
      continue;
    }
    pthread_mutex_unlock(&a->lock);
    CHECK(aw_ticket_complete(ticket, 0, 0) == 0);
    pthread_mutex_lock(&a->lock);
  }
  aw_ticket_release(a->ticket);
  pthread_mutex_unlock(&a->lock);
  return NULL;
}

static void open_worker(worker *a) {
  CHECK(pthread_mutex_init(&a->lock, NULL) == 0);
  CHECK(pthread_cond_init(&a->filled, NULL) == 0);
  CHECK(pthread_create(&a->thread, NULL, work, a) == 0);
}

static void close_worker(worker *a) {
  pthread_mutex_lock(&a->lock);
  a->stops = true;
  pthread_cond_signal(&a->filled);
  pthread_mutex_unlock(&a->lock);
  pthread_join(a->thread, NULL);
  pthread_mutex_destroy(&a->lock);
  pthread_cond_destroy(&a->filled);
}

/* ---- an instrument ---- */

/* Events that have begun and not ended. */
typedef struct events {
  size_t tasks, waits;
  const aw_task *stepping;
} events;

static void task_started(void *data, const aw_task *task) {
  (void)task;
  ((events *)data)->tasks++;
}

static void task_ended(void *data, const aw_task *task) {
  CHECK(aw_task_state_of(task) >= AW_TASK_DONE);
  CHECK(((events *)data)->tasks-- > 0);
}

static void step_begins(void *data, const aw_task *task) {
  CHECK(((events *)data)->stepping == NULL);
  ((events *)data)->stepping = task;
}

static void step_ends(void *data, const aw_task *task) {
  CHECK(((events *)data)->stepping == task);
  ((events *)data)->stepping = NULL;
}

static void wait_begins(void *data, const aw_task *task, const char *label) {
  CHECK(label && ((events *)data)->stepping != task);
  ((events *)data)->waits++;
}

static void wait_ends(void *data, const aw_task *task, int result) {
  CHECK(result <= 0 && ((events *)data)->stepping != task);
  CHECK(((events *)data)->waits-- > 0);
}

static void listen_to(aw_engine *engine, events *e) {
  aw_instrument instrument = {.data = e,
                              .task_started = task_started,
                              .task_ended = task_ended,
                              .step_begins = step_begins,
                              .step_ends = step_ends,
                              .wait_begins = wait_begins,
                              .wait_ends = wait_ends};
  CHECK(aw_engine_instrument(engine, &instrument) == 0);
}

/* ---- lives ---- */

static void open_cell(world *w, cell_kind kind) {
  cell *c = &w->cells[kind];
  aw_channel_config config = {.capacity = 1};
  *c = (cell){.world = w, .kind = kind};
  CHECK(aw_event_new(NULL, &c->event) == 0);
  CHECK(aw_channel_new(&config, &c->channel) == 0);
  CHECK(aw_semaphore_new(0, 1, NULL, &c->semaphore) == 0);
  CHECK(pipe(c->ends) == 0);
  aw_wire *wire = awaits(c);
  if (kind != HOST_CODE)
    wire = aw_then(wire, aw_call(run, c));
  if (runs_for_ever(kind))
    c->task = start_task(w->loop, aw_repeat(wire, AW_FOREVER));
  else
    aw_wire_release(wire);
}

static void close_cell(cell *c) {
  aw_event_release(c->event);
  aw_channel_release(c->channel);
  aw_semaphore_release(c->semaphore);
  aw_task_release(c->task);
  close(c->ends[0]);
  close(c->ends[1]);
}

static void run_host(world *w) {
  static const uv_run_mode modes[] = {UV_RUN_DEFAULT, UV_RUN_ONCE,
                                      UV_RUN_NOWAIT};
  host *h = &w->host;
  act_perhaps(w);
  if (h->kind == HOSTED) {
    uv_run(&h->uv, modes[draw(w, 3)]);
    return;
  }
  host_poll(h);
  act_perhaps(w);
  CHECK(aw_engine_turn(h->engine) >= 0);
}

static void finish(world *w) {
  w->over = true;
  aw_loop_stop(w->loop, true);
  for (int i = STOP; i <= END; i++)
    if (w->cells[i].loop)
      stop(&w->cells[i]);
  while (w->host.running > 0)
    run_host(w);
}

static void live(host_kind kind, uint64_t seed) {
  aw_engine_config config = {.pull = pull, .seed = seed % 3};
  world w = {.random = seed};
  events e = {0};
  host_open(&w.host, kind, &config);
  if (seed % 2)
    listen_to(w.host.engine, &e);
  w.host.data = &w;
  w.host.act = act_at_last;
  w.host.ended = ended;
  CHECK(aw_engine_wakeable(w.host.engine) == 0);
  w.loop = new_loop(w.host.engine);
  open_worker(&w.worker);
  open_sockets(&w.sockets);
  for (int i = 0; i < CELLS; i++)
    open_cell(&w, (cell_kind)i);
  if (kind == HOSTED)
    open_handles(&w);
  begin(&w, w.loop);
  while (w.steps < STEPS)
    run_host(&w);
  finish(&w);
  if (kind == HOSTED)
    close_handles(&w);
  close_worker(&w.worker);
  close_sockets(&w.sockets);
  for (int i = 0; i < CELLS; i++)
    close_cell(&w.cells[i]);
  CHECK(e.tasks == 0 && e.waits == 0);
  host_close(&w.host);
}

int main(int count, char **arguments) {
  uint64_t first = count > 1 ? strtoull(arguments[1], NULL, 10) : 1;
  uint64_t last = count > 2 ? strtoull(arguments[2], NULL, 10) : first + 3;
  for (uint64_t seed = first; seed <= last; seed++)
    for (host_kind kind = HOSTED; kind < HOST_KINDS; kind++)
      live(kind, seed);
  return 0;
}
