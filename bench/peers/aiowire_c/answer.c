/* N answers of a thread, which completes waits by tickets; M tasks wait at the
 * same time. */
#include "../floor/worker.h"

#include <aiowire.h>

#include <stdlib.h>

static worker other;

static int arm(aw_task *task, void *data) {
  errand *own = data;
  own->data = aw_ticket_new(task);
  if (!own->data)
    return AW_ENOMEM;
  errands_push(&other.given, own);
  return 0;
}

static void disarm(aw_task *task, void *data) {
  (void)task;
  (void)data;
}

static const aw_operation answers = {
    .label = "answer", .arm = arm, .disarm = disarm, .external = true};

static void answer(errand *given) {
  aw_ticket_complete(given->data, 0, 0);
}

int main(int argc, char **argv) {
  uint64_t count = argc > 1 ? strtoull(argv[1], NULL, 10) : 0;
  uint64_t most = argc > 2 ? strtoull(argv[2], NULL, 10) : 1;
  errand *all = calloc(most, sizeof *all);
  if (!all)
    return 1;
  aw_engine *engine;
  int rc = aw_engine_new(NULL, &engine);
  if (rc < 0)
    goto free_all;
  aw_loop *loop;
  rc = aw_loop_new(engine, NULL, &loop);
  if (rc < 0)
    goto free_engine;
  if (worker_start(&other, answer) != 0)
    goto free_loop;

  for (uint64_t i = 0; i < most; i++) {
    all[i].left = 1;
    aw_wire *wire = aw_repeat(aw_wait_for(&answers, &all[i]), count / most);
    aw_loop_start(loop, wire, NULL, NULL);
  }
  rc = aw_loop_run(loop, AW_NEVER);
  worker_end(&other);

free_loop:
  aw_loop_free(loop);
free_engine:
  aw_engine_free(engine);
free_all:
  free(all);
  return rc < 0;
}
