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

/* Return the wire with which `wire` begins, inside its part; NULL: a wire that
 * begins by itself, or a composite that is empty. */
static const aw_wire *first_part(const aw_wire *wire) {
  switch ((aw_kind)wire->kind) {
  case AW_KIND_HOST:
  case AW_KIND_CALL:
  case AW_KIND_SLEEP:
  case AW_KIND_UNTIL:
  case AW_KIND_DONE:
  case AW_KIND_WAIT:

    AW_GROUP_KINDS(AW_KIND_CASE) /* case AW_KIND_ALL: …; other tasks begin */
    return NULL;
  case AW_KIND_SEQUENCE:
  case AW_KIND_ELSE: return wire->count > 0 ? wire->u.list.items[0] : NULL;
  case AW_KIND_REPEAT: return wire->u.one.number > 0 ? wire->u.first : NULL;
  case AW_KIND_WHOLE:
  case AW_KIND_HOLD:
  case AW_KIND_NAMED:
  case AW_KIND_SHIELD:
  case AW_KIND_TIMEOUT:
  case AW_KIND_BIND:
  case AW_KIND_CATCH:
  case AW_KIND_FINALLY:
  case AW_KIND_RETRY:
  case AW_KIND_EVERY:
  case AW_KIND_SLOT: break;
  }
  return wire->u.first;
}

/* Is a step the first thing that a task does when it runs `wire`? */
static bool begins_with_step(const aw_wire *wire) {
  for (const aw_wire *part; (part = first_part(wire)) != NULL;)
    wire = part;
  return wire->kind == AW_KIND_HOST || wire->kind == AW_KIND_CALL;
}

aw_after aw__cold_hand_on(aw_task *task, aw_wire *then) {
  aw__task_pop(task);
  if (begins_with_step(then))
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
