/* source.h - an operation that keeps its watcher between waits, as a C program
 * that waits often for one descriptor would have it
 */
#ifndef SOURCE_H
#define SOURCE_H

#include <aiowire.h>

typedef struct source {
  int fd;
  aw_keeper keeper;
} source;

static int source_arm(aw_task *task, void *data) {
  source *s = data;
  return aw_ready_arm_kept(task, s->fd, AW_READABLE, &s->keeper);
}

static void source_disarm(aw_task *task, void *data) {
  aw_ready_disarm(task, ((source *)data)->fd);
}

static const aw_operation operation = {.label = "source",
                                       .arm = source_arm,
                                       .disarm = source_disarm,
                                       .external = true};

#endif
