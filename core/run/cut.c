/* cut.c - what a time-out cuts short: one wait, remembered for people [E2]
 *
 * A deadline goes off, and aborts the waits below its scope; by the time that
 * its Timeout is reported, nothing is left of them. So the first of these waits
 * leaves a record in the scope: the text of the wait, and the id of the task.
 * Where none was under way, as a task was busy, it is the first one that begins
 * later, and is refused. The host adds the place in its code, from the stack of
 * the task, when the task goes on with Cancelled: until then `on` of the task
 * names the record.
 *
 *     engine.cutting ──► aw_opened.cut, of a scope, or aw_loop.cut, of a root:
 *                        where the record is to stand; NULL once there is one
 *
 * Invariant: a record lives longer than `on` of any task names it: it stands in
 * the scope that is left after that task went on.
 *
 * Out of memory there is no record. Neighbours: task.c aborts waits, scope.c
 * lets the deadline go off, frame.c leaves the scope.
 */
#include "run/cut.h"

#include "base/memory.h"
#include "run/tree.h"

#include <stdio.h>
#include <string.h>

struct aw_cut {
  aw_engine *engine; /* kept */
  uint32_t refs;
  uint64_t task;     /* id of the waiting task */
  const char *where; /* it was started, or NULL */
  aw_value value;    /* of the host */
  size_t size;       /* of all of it */
  bool own;          /* the same task reports the time-out */
  char text[];       /* what for */
};

static aw_cut *make(aw_task *task, const char *text) {
  size_t size = sizeof(aw_cut) + strlen(text) + 1;
  aw_cut *cut = aw__alloc(task->engine, size);
  if (!cut)
    return NULL;
  cut->engine = task->engine;
  aw__engine_keep(cut->engine);
  cut->refs = 1;
  cut->task = task->id;
  cut->where = aw_task_where(task);
  cut->size = size;
  memcpy(cut->text, text, strlen(text) + 1);
  return cut;
}

aw_cut *aw__cut_wait(aw_task *task) {
  enum { LONGEST = 96 };
  aw_cut **place = task->engine->cutting;
  if (!place)
    return NULL;
  const aw_operation *operation = task->wait;
  char about[LONGEST] = "", text[2 * LONGEST];
  if (operation->describe)
    operation->describe(task->on, about, sizeof about);
  snprintf(text, sizeof text, *about ? "%s %s" : "%s", operation->label, about);
  task->engine->cutting = NULL;
  return *place = make(task, text);
}

aw_cut **aw__cut_place(aw_scope *scope) {
  if (scope->task && scope != &scope->task->scope)
    return &AW_CONTAINER(aw_opened, scope, (uintptr_t)scope)->cut;
  return scope->task ? NULL
                     : &AW_CONTAINER(aw_loop, root, (uintptr_t)scope)->cut;
}

/* The same for the scope whose time-out has cancelled `scope`, if one has. */
static aw_cut **place_above(aw_scope *scope) {
  aw_scope *origin = aw__scope_origin(scope);
  bool of_loop =
      !origin->task &&
      AW_CONTAINER(aw_loop, root, (uintptr_t)origin)->ending == AW_LOOP_TIMEOUT;
  return of_loop || origin->by == AW_BY_DEADLINE ? aw__cut_place(origin) : NULL;
}

aw_cut *aw_task_cut_outside(aw_task *task, const char *text) {
  aw_cut **place = place_above(task->inner);
  if (!place || *place)
    return NULL;
  return *place = make(task, text);
}

aw_cut *aw__cut_refusal(aw_task *task) {
  return aw_task_cut_outside(task, "a wait that had not begun");
}

void aw__cut_leave(aw_task *task, aw_scope *scope, aw_scope_end *end) {
  aw_cut **place = aw__cut_place(scope), *cut = *place;
  if (!cut)
    return;
  *place = NULL;
  aw_cut **above = end->outer ? place_above(scope) : NULL;
  if (above && !*above) {
    *above = cut;
    return;
  }
  if (!task->wait && task->on == cut)
    task->on = NULL; /* nobody has taken it */
  if (end->timed_out && !end->outer) {
    cut->own = cut->task == task->id;
    aw__cut_forget(task->engine);
    task->engine->reported = end->waited = cut;
  } else {
    aw_cut_release(cut);
  }
}

void aw__cut_forget(aw_engine *engine) {
  aw_cut *cut = engine->reported;
  engine->reported = NULL;
  aw_cut_release(cut);
}

aw_cut *aw_cut_keep(aw_cut *cut) {
  if (cut)
    cut->refs++;
  return cut;
}

void aw_cut_release(aw_cut *cut) {
  if (!cut || --cut->refs > 0)
    return;
  aw_engine *engine = cut->engine;
  aw__drop(engine, cut->value);
  aw__free(engine, cut, cut->size);
  aw__engine_release(engine);
}

/* ---- what the host may know, and adds ---- */

aw_cut *aw_task_take_cut(aw_task *task) {
  aw_cut *cut = task->wait ? NULL : task->on;
  if (cut)
    task->on = NULL;
  return cut;
}

const char *aw_cut_text(const aw_cut *cut) {
  return cut->text;
}

uint64_t aw_cut_task(const aw_cut *cut, const char **where) {
  *where = cut->where;
  return cut->task;
}

bool aw_cut_own(const aw_cut *cut) {
  return cut->own;
}

aw_value aw_cut_value(const aw_cut *cut) {
  return cut->value;
}

void aw_cut_set_value(aw_cut *cut, aw_value value) {
  aw__drop(cut->engine, cut->value);
  cut->value = value;
}
