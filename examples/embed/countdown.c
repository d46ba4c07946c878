/* countdown.c - aiowire in a C program, without Lua
 *
 *   cc countdown.c $(pkg-config --cflags --libs aiowire) -o countdown
 *   target_link_libraries(countdown aiowire::aiowire)
 *
 * Two tasks run at the same time on one thread. The countdown is a state
 * machine: each state is a C step, which sets the next one. The ticker is one
 * expression. Times are in nanoseconds. Wire constructors take their operands,
 * and a NULL operand gives NULL; so out of memory is checked once, when a wire
 * is started.
 */
#include <aiowire.h>

#include <stdio.h>

#define TENTH (AW_SECOND / 10)

typedef struct countdown {
  int left;
} countdown;

static aw_turn counting(aw_task *task, void *data);

static aw_turn lift_off(aw_task *task, void *data) {
  (void)task;
  (void)data;
  puts("lift-off");
  return AW_DONE; /* no next state: the machine has ended */
}

/* Let the task go on with `state` in a tenth of a second. The sleep is part of
 * the next wire, so the step itself does not wait. */
static aw_turn become(aw_task *task, aw_step_fn state, countdown *count) {
  aw_wire *next = aw_then(aw_sleep(TENTH), aw_call(state, count));
  aw_task_set_next(task, next); /* takes */
  return AW_NEXT;
}

static aw_turn counting(aw_task *task, void *data) {
  countdown *count = data;
  printf("%d\n", count->left);
  count->left -= 1;
  return become(task, count->left > 0 ? counting : lift_off, count);
}

static aw_turn tick(aw_task *task, void *data) {
  (void)task;
  puts(data);
  return AW_DONE;
}

static int run(aw_engine *engine, countdown *count) {
  aw_loop *loop;
  int rc = aw_loop_new(engine, NULL, &loop);
  if (rc < 0)
    return rc;

  rc = aw_loop_start(loop, aw_call(counting, count), NULL, NULL);
  if (rc < 0)
    goto free_loop;
  rc = aw_loop_start(
      loop,
      aw_repeat(aw_then(aw_sleep(TENTH * 3 / 2), aw_call(tick, "  tick")), 2),
      NULL, NULL);
  if (rc < 0)
    goto free_loop;
  rc = aw_loop_run(loop, 2 * AW_SECOND);

free_loop:
  aw_loop_free(loop);
  return rc;
}

int main(void) {
  aw_engine *engine;
  countdown count = {3};
  int rc = aw_engine_new(NULL, &engine);
  if (rc == 0) {
    rc = run(engine, &count);
    aw_engine_free(engine);
  }
  if (rc < 0)
    fprintf(stderr, "countdown: %s\n", aw_strerror(rc));
  return rc < 0;
}
