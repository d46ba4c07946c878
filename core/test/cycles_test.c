/* cycles_test.c - engines come and go, and the process does not grow
 *
 * A life cycle makes an engine, in each of the three ways to drive it, and uses
 * descriptors, a channel, a ticket, a time-out and a failure on it. 1,000
 * cycles run one after the other; then eight threads have 200 cycles each,
 * which ./dev tsan watches. Neither memory nor descriptors may be left.
 */
#include "check.h"

#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>
#include <uv.h>

enum { CYCLES = 1000, WARM = 100, THREADS = 8, EACH = 200 };

/* ---- memory of the library and of libuv, in blocks ---- */

static atomic_long blocks;

static void *counting(void *context, void *memory, size_t size) {
  (void)context;
  if (size == 0) {
    blocks--;
    free(memory);
    return NULL;
  }
  void *moved = realloc(memory, size);
  if (moved && !memory)
    blocks++;
  return moved;
}

static void *uv_take(size_t size) {
  return counting(NULL, NULL, size ? size : 1);
}

static void *uv_resize(void *memory, size_t size) {
  return counting(NULL, memory, size);
}

static void *uv_take_zeroed(size_t count, size_t size) {
  void *memory = uv_take(count * size);
  return memory ? memset(memory, 0, count * size) : NULL;
}

static void uv_give_back(void *memory) {
  if (memory)
    counting(NULL, memory, 0);
}

/* ---- what a cycle does ---- */

typedef struct cycle {
  int ends[2]; /* of a pipe */
  aw_channel *channel;
  aw_ticket *ticket;
  pthread_t worker;
  bool threaded, ended;
} cycle;

static aw_turn put(aw_task *task, void *data) {
  const cycle *own = data;
  (void)task;
  CHECK(write(own->ends[1], "x", 1) == 1);
  return AW_DONE;
}

static aw_turn fail(aw_task *task, void *data) {
  (void)data;
  return aw_task_fail(task, AW_EBUSY);
}

static void *complete(void *data) {
  CHECK(aw_ticket_complete(data, 0, 0) == 0);
  return NULL;
}

static int arm(aw_task *task, void *data) {
  cycle *own = data;
  own->ticket = aw_ticket_new(task);
  if (!own->ticket)
    return AW_ENOMEM;
  if (own->threaded)
    CHECK(pthread_create(&own->worker, NULL, complete, own->ticket) == 0);
  else
    complete(own->ticket);
  return 0;
}

static void disarm(aw_task *task, void *data) {
  (void)task, (void)data;
}

static const aw_operation ticketed = {
    .label = "ticket", .arm = arm, .disarm = disarm, .external = true};

static void start_all(cycle *own, aw_loop *loop) {
  aw_channel_config config = {.capacity = 1, .name = "c"};
  CHECK(pipe(own->ends) == 0);
  CHECK(aw_channel_new(&config, &own->channel) == 0);
  start(loop, aw_both(aw_readable(own->ends[0]),
                      aw_then(aw_sleep(1), aw_call(put, own))));
  start(loop, aw_repeat(aw_send(own->channel, 7), 5));
  start(loop, aw_repeat(aw_recv(own->channel), 5));
  start(loop, aw_wait_for(&ticketed, own));
  start(loop, aw_or_else(aw_call(fail, NULL), aw_sleep(10)));
  start(loop, aw_catch(aw_timeout(aw_sleep(AW_SECOND), 1000, AW_DEFAULT),
                       aw_sleep(0)));
}

static void end_all(cycle *own) {
  if (own->threaded)
    CHECK(pthread_join(own->worker, NULL) == 0);
  aw_channel_release(own->channel);
  close(own->ends[0]);
  close(own->ends[1]);
}

/* ---- the three ways ---- */

static void run_alone(cycle *own) {
  aw_engine *engine;
  CHECK(aw_engine_new(NULL, &engine) == 0);
  aw_loop *loop = new_loop(engine);
  start_all(own, loop);
  CHECK(aw_loop_run(loop, AW_NEVER) == 0);
  empty(engine, loop);
}

static void note_end(void *host, aw_loop *loop) {
  cycle *own = host;
  CHECK(aw_loop_error(loop) == NULL);
  own->ended = true;
  CHECK(aw_loop_free(loop) == 0);
}

static void run_turns(cycle *own) {
  aw_engine_config config = {
      .host = own, .ended = note_end, .size = sizeof config};
  aw_engine *engine;
  CHECK(aw_engine_new(&config, &engine) == 0);
  CHECK(aw_engine_fd(engine) >= 0);
  aw_loop *loop = new_loop(engine);
  start_all(own, loop);
  CHECK(aw_loop_begin(loop, AW_NEVER) == 0);
  own->ended = false;
  while (!own->ended)
    CHECK(aw_engine_turn(engine) >= 0);
  CHECK(aw_engine_free(engine) == 0);
}

static void run_hosted(cycle *own) {
  uv_loop_t uv;
  CHECK(uv_loop_init(&uv) == 0);
  aw_engine_config config = {.host = own, .size = sizeof config};
  config.uv = &uv;
  config.uv_size = sizeof uv;
  config.ended = note_end;
  aw_engine *engine;
  CHECK(aw_engine_new(&config, &engine) == 0);
  aw_loop *loop = new_loop(engine);
  start_all(own, loop);
  CHECK(aw_loop_begin(loop, AW_NEVER) == 0);
  own->ended = false;
  uv_run(&uv, UV_RUN_DEFAULT);
  CHECK(own->ended);
  CHECK(aw_engine_free(engine) == 0);
  uv_run(&uv, UV_RUN_DEFAULT);
  CHECK(uv_loop_close(&uv) == 0);
}

static void live(int number, bool threaded) {
  cycle own = {.threaded = threaded};
  switch (number % 3) {
  case 0: run_alone(&own); break;
  case 1: run_turns(&own); break;
  default: run_hosted(&own);
  }
  end_all(&own);
}

/* ---- cases ---- */

/* The lowest free descriptor; descriptors below it that are freed and not used
 * again would be found by the next cycles. */
static int lowest_free(void) {
  int fd = dup(STDERR_FILENO);
  CHECK(fd >= 0);
  close(fd);
  return fd;
}

static void a_thousand_lives_leave_nothing(void) {
  for (int i = 0; i < WARM; i++)
    live(i, false);
  long before = blocks;
  int fd = lowest_free();
  for (int i = 0; i < CYCLES; i++)
    live(i, false);
  CHECK(blocks == before);
  CHECK(lowest_free() == fd);
}

static void *live_often(void *data) {
  int first = *(int *)data;
  for (int i = 0; i < EACH; i++)
    live(first + i, i % 4 == 0);
  return NULL;
}

static void threads_live_side_by_side(void) {
  pthread_t threads[THREADS];
  int numbers[THREADS];
  long before = blocks;
  for (int i = 0; i < THREADS; i++) {
    numbers[i] = i;
    CHECK(pthread_create(&threads[i], NULL, live_often, &numbers[i]) == 0);
  }
  for (int i = 0; i < THREADS; i++)
    CHECK(pthread_join(threads[i], NULL) == 0);
  CHECK(blocks == before);
}

int main(void) {
  aw_set_allocator(counting, NULL);
  CHECK(uv_replace_allocator(uv_take, uv_resize, uv_take_zeroed,
                             uv_give_back) == 0);
  a_thousand_lives_leave_nothing();
  threads_live_side_by_side();
  return 0;
}
