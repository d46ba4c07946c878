/* step.h - runs N steps of a machine in one task, or in two tasks in turn */
#include <aiowire.h>

#include <stdlib.h>

typedef struct machine {
  aw_wire *wire; /* its only state */
  uint64_t left;
} machine;

static aw_turn step(aw_task *task, void *data) {
  machine *m = data;
  if (m->left-- == 0)
    return AW_DONE;
  aw_task_set_next(task, aw_wire_keep(m->wire));
  return AW_NEXT;
}

static inline int run_machines(int argc, char **argv, size_t count) {
  machine machines[2];
  aw_engine *engine;
  aw_loop *loop;
  if (aw_engine_new(NULL, &engine) < 0)
    return 1;
  int rc = aw_loop_new(engine, NULL, &loop);
  if (rc < 0)
    goto free_engine;

  for (size_t i = 0; i < count; i++) {
    machine *m = &machines[i];
    m->left = argc > 1 ? strtoull(argv[1], NULL, 10) / count : 0;
    m->wire = aw_call(step, m);
    aw_loop_start(loop, aw_wire_keep(m->wire), NULL, NULL);
  }
  rc = aw_loop_run(loop, AW_FOREVER);
  for (size_t i = 0; i < count; i++)
    aw_wire_release(machines[i].wire);
  aw_loop_free(loop);

free_engine:
  aw_engine_free(engine);
  return rc < 0;
}
