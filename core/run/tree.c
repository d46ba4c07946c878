/* tree.c - the tree of scopes, and which cancel each of them sees
 *
 *     root of a loop ─┬ own scope of a task ─┬ scope opened in it ─ …
 *                     │                      └ own scope of a child task
 *                     └ own scope of a task …
 *
 * Every task has a scope of its own; wires and host code open further ones in
 * it. Siblings stand in the order of their creation [C3].
 *
 * A scope has a cancel of its own (`own`: none, soft or hard). The level that
 * the scope sees (`eff`) is the higher one of `own` and of what its parent
 * sees. A shield hides a soft cancel of its parent until its grace expires
 * [C7]. The functions here compute what a scope sees; cancel.c stores it when a
 * cancel changes.
 *
 * Invariant: a scope is taken out of the tree only when it has no children
 * [I9]. Neighbours: cancel.c cancels, frame.c opens scopes, end.c takes tasks
 * out of the tree.
 */
#include "run/tree.h"

#include "base/memory.h"

#include <assert.h>

aw_engine *aw__scope_engine(const aw_scope *scope) {
  if (scope->task)
    return scope->task->engine;
  return AW_CONTAINER(aw_loop, root, (uintptr_t)scope)->engine;
}

aw_loop *aw__scope_loop(const aw_scope *scope) {
  if (scope->task)
    return scope->task->loop;
  return AW_CONTAINER(aw_loop, root, (uintptr_t)scope);
}

static void link_last(aw_scope *parent, aw_scope *scope) {
  aw_scope *first = parent->first;
  scope->parent = parent;
  scope->next = NULL;
  if (!first) {
    parent->first = scope->prev = scope;
    return;
  }
  aw_scope *last = first->prev;
  scope->prev = last;
  last->next = scope;
  first->prev = scope;
}

void aw__scope_unlink(aw_scope *scope) {
  aw_scope *parent = scope->parent;
  assert(scope->first == NULL && scope->children == 0); /* [I9] */
  if (parent->first == scope)
    parent->first = scope->next;
  else
    scope->prev->next = scope->next;
  if (scope->next)
    scope->next->prev = scope->prev;
  else if (parent->first)
    parent->first->prev = scope->prev;
  scope->parent = scope->next = scope->prev = NULL;
}

int aw__scope_level_outside(const aw_scope *scope) {
  int level = scope->parent ? scope->parent->eff : AW_LEVEL_NONE;
  if (scope->shield && scope->hides && level < AW_LEVEL_HARD)
    return AW_LEVEL_NONE;
  return level;
}

/* Note that `scope` sees a cancel from above, for the rest of its life. */
static void look_up(aw_scope *scope) {
  if (scope->above)
    return;
  aw__drop(aw__scope_engine(scope), scope->reason);
  const aw_scope *parent = scope->parent;
  scope->above = true;
  scope->origin = parent->above ? parent->origin : scope->parent;
}

unsigned aw__scope_level(aw_scope *scope) {
  unsigned outside = (unsigned)aw__scope_level_outside(scope);
  if (outside != AW_LEVEL_NONE)
    look_up(scope);
  return scope->own > outside ? scope->own : outside;
}

/* A new cancel does not visit scopes whose level stays the same, so the
 * `origin` of a scope may have an origin of its own by now. Then the walk goes
 * on from that origin, and shortens the path for the next walk (path
 * halving). */
aw_scope *aw__scope_origin(aw_scope *scope) {
  while (scope->above) {
    aw_scope *next = scope->origin;
    if (!next->above)
      return next;
    scope->origin = next->origin;
    scope = next->origin;
  }
  return scope;
}

void aw__scope_init(aw_scope *scope, aw_scope *parent, aw_task *task) {
  bool inside = parent && parent->task == task;
  scope->task = task;
  scope->depth = inside ? (uint16_t)(parent->depth + 1) : 1;
  scope->alarm.of_scope = true;
  if (!parent)
    return;
  link_last(parent, scope);
  if (parent->eff != AW_LEVEL_NONE)
    scope->eff = aw__scope_level(scope) & 3u;
}

aw_scope *aw_scope_walk(const aw_scope *scope, const aw_scope *at,
                        size_t *depth) {
  if (at->first) {
    ++*depth;
    return at->first;
  }
  while (at != scope && !at->next) {
    at = at->parent;
    --*depth;
  }
  return at == scope ? NULL : at->next;
}

/* ---- looking inside ---- */

aw_task *aw_scope_task(const aw_scope *scope) {
  return scope->task && scope == &scope->task->scope ? scope->task : NULL;
}

bool aw_scope_cancelled(const aw_scope *scope) {
  return scope->eff != AW_LEVEL_NONE;
}

bool aw_scope_overdue(const aw_scope *scope) {
  return scope->eff == AW_LEVEL_HARD;
}

bool aw_scope_shields(const aw_scope *scope) {
  return scope->shield && scope->hides;
}
