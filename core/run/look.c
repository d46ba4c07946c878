/* look.c - what hosts, and the core, can read of a task
 *
 * These functions change nothing, and hold for tasks in any state. A task that
 * has ended has no frames and no wire, but keeps its name, its outcome and its
 * chain while somebody has a reference.
 *
 * Neighbours: task.c changes what is read here; view.c looks into wires.
 */
#include "state.h"

aw_task_state aw_task_state_of(const aw_task *task) {
  return (aw_task_state)task->state;
}

uint64_t aw_task_id(const aw_task *task) {
  return task->id;
}

const char *aw_task_name(const aw_task *task) {
  if (task->more && task->more->name)
    return task->more->name;
  return task->root ? aw_wire_name(task->root) : NULL;
}

const char *aw_task_where(const aw_task *task) {
  if (task->operand)
    return aw__group_of(task->scope.parent)->where;
  return task->where.name;
}

uint64_t aw_task_started(const aw_task *task) {
  return task->started;
}

bool aw_task_swallowed(const aw_task *task) {
  return task->warned;
}

bool aw_task_waited(const aw_task *task) {
  return task->waited;
}

uint32_t aw_task_steps(const aw_task *task) {
  return task->steps;
}

aw_loop *aw_task_loop(const aw_task *task) {
  return task->loop;
}

aw_engine *aw_task_engine(const aw_task *task) {
  return task->engine;
}

aw_task *aw_task_parent(const aw_task *task) {
  return task->loop ? task->scope.parent->task : NULL;
}

aw_task *aw_task_whole(aw_task *task) {
  while (task->operand)
    task = aw__group_of(task->scope.parent)->opened.scope.task;
  return task;
}

bool aw_task_background(const aw_task *task) {
  return task->background;
}

const aw_wire *aw_task_wire(const aw_task *task) {
  return task->root;
}

const aw_wire *aw_task_innermost(const aw_task *task) {
  for (size_t i = task->depth; i-- > 0;)
    if (task->frames[i].kind == AW_FRAME_CHAIN ||
        task->frames[i].kind == AW_FRAME_STEP)
      return task->frames[i].wire;
  return task->root;
}

aw_value aw_task_value(const aw_task *task) {
  return task->state == AW_TASK_DONE ? task->out.value : 0;
}

aw_error *aw_task_error(const aw_task *task) {
  return task->state == AW_TASK_FAILED ? task->out.error : NULL;
}

const char *aw_task_chain(const aw_task *task, size_t index, uint32_t *times) {
  const aw_chain *chain = task->more ? &task->more->chain : NULL;
  if (!chain || index >= chain->count)
    return NULL;
  size_t place = (chain->newest + AW_CHAIN_LENGTH - index) % AW_CHAIN_LENGTH;
  if (times)
    *times = chain->times[place];
  return chain->names[place] ? chain->names[place] : "wire";
}

bool aw_task_cancelled(const aw_task *task) {
  return task->inner && task->inner->eff != AW_LEVEL_NONE;
}

bool aw_task_overdue(const aw_task *task) {
  return task->inner && task->inner->eff == AW_LEVEL_HARD;
}

void *aw_task_host_at(const aw_task *task, size_t index) {
  if (task->host && index-- == 0)
    return task->host;
  for (size_t i = task->depth; i-- > 0;)
    if (task->frames[i].kind == AW_FRAME_AWAIT && index-- == 0)
      return task->frames[i].u.host;
  return NULL;
}

bool aw_task_came_back(const aw_task *task) {
  return task->came_back;
}

int aw_task_result(const aw_task *task) {
  return task->result < 0 ? task->result : 0;
}
