/* cold.c - what the cold kinds share
 *
 *     frames:     ELSE     [SCOPE] CHAIN     part `n`; the last without SCOPE
 *                 BIND             CHAIN     `then` takes their place
 *                 CATCH    SCOPE   CHAIN     `then` takes their place
 *                 FINALLY  SCOPE   CHAIN     then SCOPE (a shield) CHAIN
 *       [SCOPE]   RETRY    SCOPE   CHAIN     each try; CHAIN for `when`
 *                 EVERY            CHAIN     each tick
 *                 SLOT             CHAIN
 *                          SCOPE   CHAIN     TIMEOUT: the scope has the limit
 *                          SCOPE   CHAIN     SHIELD: the scope is a shield
 *
 * A part that begins after another part finds the value or the error of the
 * earlier part in `out` of the task. `input` says that the next step may take
 * `out`. When that step has ended, the task drops what the step did not take.
 *
 * Neighbours: frame.c has chains and scopes; step.c calls the kinds.
 */
#include "run/kinds/cold.h"

#include "base/clock.h"
#include "base/memory.h"
#include "base/ready.h"
#include "run/frame.h"
#include "run/task.h"
#include "run/wait.h"
#include "wire/view.h"

int aw__cold_push(aw_task *task, aw_wire *wire, size_t size) {
  void *state = aw__alloc(task->engine, size);
  if (!state)
    return AW_ENOMEM;
  int rc = aw__task_push(task, AW_FRAME_COLD, wire);
  if (rc < 0) {
    aw__free(task->engine, state, size);
    return rc;
  }
  aw__task_top(task)->u.state = state;
  return 0;
}

int aw__cold_scoped(aw_task *task, aw_wire *part) {
  static const aw_scope_config plain = {.deadline = AW_NEVER,
                                        .grace = AW_DEFAULT};
  int rc = aw__frame_scope(task, &plain);
  return rc < 0 ? rc : aw__frame_chain(task, part);
}

aw_after aw__cold_hand_on(aw_task *task, aw_wire *then) {
  aw_kind kind = (aw_kind)aw__wire_inside(then)->kind;
  aw__task_pop(task);
  if (kind == AW_KIND_HOST || kind == AW_KIND_CALL)
    task->input = true;
  else
    aw__task_drop_outcome(task);
  task->at = then;
  task->go = AW_GO_DESCEND;
  return AW_AFTER_ON;
}

aw_after aw__cold_begun(aw_task *task, int rc) {
  if (rc < 0)
    aw__task_end_code(task, rc);
  return AW_AFTER_ON;
}

aw_after aw__cold_wait(aw_task *task, uint64_t at) {
  aw_engine *engine = task->engine;
  aw__task_drop_outcome(task);
  if (aw__wait_refused(task, AW_GO_COLD))
    return AW_AFTER_OFF;
  if (at > aw_engine_now(engine)) {
    int rc = aw__wait_until(task, at);
    return rc == 0 ? AW_AFTER_OFF : aw__cold_begun(task, rc);
  }
  task->result = 0;
  if (!aw__ready_must_queue(engine))
    return AW_AFTER_ON;
  aw__task_queue(task);
  return AW_AFTER_OFF;
}
