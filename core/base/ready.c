/* ready.c - the queue of ready tasks, in rounds
 *
 * First in, first out [F1]. A round consists of the tasks that were queued at
 * its start; tasks that become ready meanwhile run in the next round [F2]. A
 * task is linked into the queue by its own `link`, so queueing cannot fail.
 * With a seed, each round is shuffled at its start [F6].
 *
 * Neighbours: task.c queues woken tasks, next.c takes them, clock.c sizes the
 * credit of steps.
 */
#include "base/ready.h"

#include "base/memory.h"

#include <assert.h>

void aw__ready_push(aw_engine *engine, aw_task *task) {
  assert(!aw__link_used(&task->link));
  assert(task->wait == NULL); /* a ready task waits for nothing [I1, I2] */
  aw__list_append(&engine->ready.tasks, &task->link);
  engine->ready.count++;
}

void aw__ready_rouse(aw_engine *engine) {
  void (*rouse)(aw_engine * engine) = engine->ready.rouse;
  engine->ready.rouse = NULL;
  if (rouse)
    rouse(engine);
}

aw_task *aw__ready_pop(aw_engine *engine) {
  aw_ready *ready = &engine->ready;
  assert(ready->round > 0);
  ready->round--;
  ready->count--;
  aw_link *link = aw__list_shift(&ready->tasks);
  /* The link behind the next task is written when that one is taken. */
  aw__prefetch(ready->tasks.next->next);
  return AW_CONTAINER(aw_task, link, link);
}

/* splitmix64 (Steele, Lea, Flood 2014) */
static uint64_t draw(uint64_t *generator) {
  uint64_t z = *generator += UINT64_C(0x9e3779b97f4a7c15);
  z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
  z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
  return z ^ (z >> 31);
}

uint64_t aw__random(aw_engine *engine) {
  return draw(&engine->random);
}

uint32_t aw__choice(aw_engine *engine, uint32_t count) {
  return (uint32_t)((draw(&engine->choices) >> 32) * count >> 32);
}

static bool scratch_for(aw_engine *engine, size_t count) {
  aw_ready *ready = &engine->ready;
  if (count <= ready->scratch_size)
    return true;
  size_t size = count + count / 2;
  aw_task **scratch =
      aw__resize(engine, ready->scratch, ready->scratch_size * sizeof *scratch,
                 size * sizeof *scratch);
  if (!scratch)
    return false;
  ready->scratch = scratch;
  ready->scratch_size = size;
  return true;
}

/* When out of memory, the order stays as it is: every order is valid. */
static void shuffle(aw_engine *engine) {
  aw_ready *ready = &engine->ready;
  size_t count = ready->count;
  if (count < 2 || !scratch_for(engine, count))
    return;
  for (size_t i = 0; i < count; i++) {
    aw_link *link = aw__list_shift(&ready->tasks);
    size_t j = (size_t)(aw__random(engine) % (i + 1));
    ready->scratch[i] = ready->scratch[j];
    ready->scratch[j] = AW_CONTAINER(aw_task, link, link);
  }
  for (size_t i = 0; i < count; i++)
    aw__list_append(&ready->tasks, &ready->scratch[i]->link);
}

void aw__ready_round(aw_engine *engine) {
  assert(engine->ready.round == 0);
  if (engine->config.seed)
    shuffle(engine);
  engine->ready.round = engine->ready.count;
}

bool aw__ready_must_queue(aw_engine *engine) {
  return engine->ready.count > 0 || --engine->credit <= 0;
}
