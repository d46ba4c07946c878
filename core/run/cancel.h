/* cancel.h - cancels of scopes, and their alarms; see cancel.c */
#ifndef AW_CANCEL_H
#define AW_CANCEL_H

#include "base/deadline.h"
#include "run/tree.h"

/* The wait for the end of a loop; its data is that loop. */
extern const aw_operation aw__wait_loop;
void aw__scope_cancel(aw_scope *scope, aw_cancel_kind by, aw_value reason,
                      uint64_t grace);
void aw__scope_alarm(aw_scope *scope); /* its alarm went off */
/* Let the alarm of a task's own scope, which has no time-out, go off at `at`,
 * unless that alarm is in use. */
void aw__scope_remind(aw_scope *scope, uint64_t at);
void aw__scope_harden(aw_scope *scope);
void aw__scope_expose(aw_scope *scope); /* a shield hides nothing any more */
void aw__scope_fail(aw_scope *scope, aw_error *error); /* takes */
/* A plain scope has ended with an error: let it look as after
 * aw__scope_fail(). */
void aw__scope_look_failed(aw_scope *scope);
/* The cancelled scope has ended. If that was long after the cancel, warn of a
 * late clean-up [D4]. */
void aw__scope_note_late(aw_scope *scope, aw_error *error); /* borrows */
void aw__scope_end(aw_scope *scope, aw_scope_end *end);
/* Is there no error in the scope, and does it see no cancel? */
static inline bool aw__scope_is_plain(const aw_scope *scope) {
  return !scope->error && scope->own == AW_LEVEL_NONE &&
         scope->eff == AW_LEVEL_NONE && !scope->cut && !scope->above;
}
/* End the scope if there is nothing to tell about its end. */
static inline bool aw__scope_end_plainly(aw_scope *scope) {
  if (!aw__scope_is_plain(scope))
    return false;
  scope->closed = true; /* also while a failed task is being reported */
  if (scope->alarm.place != 0)
    aw__alarm_clear(aw__scope_engine(scope), &scope->alarm);
  return true;
}

#endif
