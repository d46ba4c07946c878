/* end_loops.c - ends loops at once, without a turn of the engine
 *
 * A host is about to free memory that its tasks use, and cannot wait for their
 * turns. So the loops are stopped hard, which wakes almost all of their tasks
 * with Cancelled, and the steps of those tasks run here. Tasks of other loops
 * do not run meanwhile.
 *
 *     stop hard ─► take the woken tasks out of the engine's queues ─► run them
 *                    ▲                                                  │
 *                    └──── kill a task whose wait has not ended ◄───────┘
 *
 * The current task may have answered its step, and not gone on yet: it is the
 * first of the woken ones.
 *
 * Neighbours: next.c runs the tasks; run/end.c kills tasks.
 */
#include "base/ready.h"
#include "drive/next.h"
#include "run/cancel.h"
#include "run/end.h"
#include "run/loop.h"
#include "run/task.h"
#include "run/tree.h"

/* Notices that concern other loops: put aside, and told after the end. */
typedef struct aside {
  aw_notice slow, late, swallowed;
  aw_task *holding;
  aw_link reports;
  bool holding_due, woken;
} aside;

/* The state of one call of aw_engine_end_loops(). */
typedef struct ending {
  aw_engine *engine;
  const aw_loop_end *how;
  aw_link woken; /* tasks of the loops, taken out of the queues */
  aw_loop alone; /* pulled in the place of a loop; it does not run */
  bool noticed;  /* a task has ended that somebody watches */
} ending;

/* The host knows running loops only, and not `alone`. */
static bool is_one(const ending *e, const aw_loop *loop) {
  return loop->state == AW_LOOP_RUNNING && e->how->ends(e->how->data, loop);
}

static aw_loop *find_running(const ending *e) {
  const aw_link *running = &e->engine->running;
  for (aw_link *l = running->next; l != running; l = l->next) {
    aw_loop *loop = AW_CONTAINER(aw_loop, running, l);
    if (is_one(e, loop))
      return loop;
  }
  return NULL;
}

/* Stop one that is not stopped yet. A stop may end the run of a loop, and so
 * change the list: the search begins anew. */
static bool stop_one(const ending *e) {
  const aw_link *running = &e->engine->running;
  for (aw_link *l = running->next; l != running; l = l->next) {
    aw_loop *loop = AW_CONTAINER(aw_loop, running, l);
    if (loop->root.own == AW_LEVEL_HARD || !is_one(e, loop))
      continue;
    aw_loop_stop(loop, true);
    return true;
  }
  return false;
}

/* Move the tasks of the loops from a queue to `woken`. Returns how many of them
 * stood among the first `round`. */
static size_t take_from(ending *e, aw_link *queue, size_t round,
                        size_t *count) {
  size_t place = 0, early = 0;
  for (aw_link *l = queue->next, *next; l != queue; l = next, place++) {
    next = l->next;
    if (!is_one(e, AW_CONTAINER(aw_task, link, l)->loop))
      continue;
    early += place < round;
    ++*count;
    aw__link_remove(l);
    aw__list_append(&e->woken, l);
  }
  return early;
}

static bool take_woken(ending *e) {
  aw_ready *ready = &e->engine->ready;
  size_t taken = 0, closed = 0;
  ready->round -= take_from(e, &ready->tasks, ready->round, &taken);
  ready->count -= taken;
  take_from(e, &e->engine->closed, 0, &closed);
  return taken + closed > 0;
}

/* Give `task` its turn. `alone` has ended, so aw_next() chooses no other task;
 * but it tells the host of failures. */
static void run(ending *e, aw_task *task) {
  aw_engine *engine = e->engine;
  aw_step step;
  engine->current = task;
  task->state = AW_TASK_RUNNING;
  while (aw_next(engine, &e->alone, &step) == 1) {
    e->noticed |= step.what == AW_STEP_WOKEN;
    if (step.what <= AW_STEP_FAILED) /* no notification */
      e->how->run(e->how->data, &step);
  }
}

/* Report a task of the loops that has failed, so that it settles. */
static bool report_one(const ending *e) {
  aw_link *reports = &e->engine->reports;
  for (aw_link *l = reports->next; l != reports; l = l->next) {
    aw_task *task = AW_CONTAINER(aw_task, link, l);
    if (!is_one(e, task->loop))
      continue;
    aw__link_remove(l);
    aw_step step = {.what = AW_STEP_FAILED, .task = task, .loop = task->loop};
    e->how->run(e->how->data, &step);
    return true;
  }
  return false;
}

static bool kill_one(const ending *e) {
  const aw_link *running = &e->engine->running;
  for (aw_link *l = running->next; l != running; l = l->next) {
    aw_loop *loop = AW_CONTAINER(aw_loop, running, l);
    if (is_one(e, loop) && aw__loop_kill_one(loop))
      return true;
  }
  return false;
}

/* Do one thing that brings the loops nearer to their end. */
static bool advance(ending *e) {
  if (stop_one(e))
    return true;
  if (!take_woken(e) && aw__list_empty(&e->woken))
    return report_one(e) || kill_one(e);
  aw_link *link;
  while ((link = aw__list_shift(&e->woken)) != NULL)
    run(e, AW_CONTAINER(aw_task, link, link));
  return true;
}

static void move_all(aw_link *from, aw_link *to) {
  aw_link *link;
  while ((link = aw__list_shift(from)) != NULL)
    aw__list_append(to, link);
}

static void put_aside(ending *e, aside *a) {
  aw_engine *engine = e->engine;
  *a = (aside){engine->slow,
               engine->late,
               engine->swallowed,
               engine->holding,
               {NULL, NULL},
               engine->holding_due,
               atomic_exchange(&engine->woken, 0) != 0};
  aw__list_init(&a->reports);
  for (aw_link *l = engine->reports.next, *next; l != &engine->reports;
       l = next) {
    next = l->next;
    if (is_one(e, AW_CONTAINER(aw_task, link, l)->loop))
      continue;
    aw__link_remove(l);
    aw__list_append(&a->reports, l);
  }
  engine->slow = engine->late = engine->swallowed = (aw_notice){0};
  engine->holding = NULL;
  engine->holding_due = false;
}

/* Notices that came meanwhile are of tasks that have ended. But somebody may
 * watch those tasks, and a wake-up may be for other tasks. */
static void put_back(ending *e, aside *a) {
  aw_engine *engine = e->engine;
  aw_error_release(engine->late.error);
  aw_task_release(engine->holding);
  engine->slow = a->slow;
  engine->late = a->late;
  engine->swallowed = a->swallowed;
  engine->holding = a->holding;
  engine->holding_due = a->holding_due;
  move_all(&a->reports, &engine->reports);
  if (a->woken || e->noticed)
    engine->woken = 1;
  engine->news = true;
  aw__ready_rouse(engine);
}

/* Return the current task if it is none of the loops. Else return NULL, since
 * that task is about to end. */
static aw_task *set_aside_current(ending *e) {
  aw_task *task = e->engine->current;
  if (!task || !task->loop || !is_one(e, task->loop))
    return task;
  if (task->state == AW_TASK_RUNNING)
    aw__list_append(&e->woken, &task->link);
  e->engine->current = NULL;
  return NULL;
}

/* Is a step of one of the loops under way? */
static bool is_in_step(const ending *e) {
  const aw_engine *engine = e->engine;
  const aw_task *task = engine->current;
  bool under_way = engine->gate & AW_INSIDE || aw__with_host(engine);
  return under_way && task && task->loop && is_one(e, task->loop);
}

int aw_engine_end_loops(aw_engine *engine, const aw_loop_end *how) {
  if (!engine || !how || !how->ends || !how->run)
    return AW_EINVAL;
  ending e = {.engine = engine, .how = how, .alone = {.engine = engine}};
  aside a;
  const aw_loop *alone = engine->drive.alone; /* of a call around this one */
  uint8_t gate = engine->gate;
  if (is_in_step(&e))
    return AW_EBUSY;
  aw__list_init(&e.woken);
  aw_task *current = set_aside_current(&e);
  aw__scope_init(&e.alone.root, NULL, NULL);
  aw__list_append(&engine->running, &e.alone.running);
  put_aside(&e, &a);
  engine->gate &= AW_DRIVEN; /* the ends of its loops are told */
  engine->drive.alone = &e.alone;
  while (find_running(&e) && advance(&e))
    continue;
  put_back(&e, &a);
  aw__link_remove(&e.alone.running);
  engine->drive.alone = alone;
  engine->gate = gate;
  engine->current = current;
  return find_running(&e) ? AW_EBUSY : 0;
}
