/* tree.h - the tree of scopes, and what each of them sees; see tree.c */
#ifndef AW_TREE_H
#define AW_TREE_H

#include "state.h"

/* The struct around a scope that was opened in a task. */
static inline aw_opened *aw__opened_of(const aw_scope *scope) {
  return AW_CONTAINER(aw_opened, scope, (uintptr_t)scope);
}
/* Put a zeroed scope into the tree, as the last child of `parent`. The scope is
 * open in `task`. The root of a loop has neither parent nor task. */
void aw__scope_init(aw_scope *scope, aw_scope *parent, aw_task *task);
void aw__scope_unlink(aw_scope *scope);
aw_engine *aw__scope_engine(const aw_scope *scope);
aw_loop *aw__scope_loop(const aw_scope *scope);
/* The level that `scope` would see without a cancel of its own. */
int aw__scope_level_outside(const aw_scope *scope);
/* Compute the level that `scope` sees. If a cancel from above is seen, `scope`
 * remembers that from now on (`above`). */
unsigned aw__scope_level(aw_scope *scope);
/* The scope whose own cancel `scope` sees: `scope` itself or a scope above. */
aw_scope *aw__scope_origin(aw_scope *scope);

#endif
