/* cold.h - how a cold kind of wire runs, and what the cold kinds share
 *
 * A cold kind runs its parts one after the other. The outcome of each part
 * decides what comes next. The meaning of a kind is a set of functions,
 * `aw__run_NAME` in run/kinds/NAME.c; its constructor stands in the same file.
 * step.c calls the functions, and knows no cold kind by name.
 */
#ifndef AW_COLD_H
#define AW_COLD_H

#include "wire/kinds.h"

/* What a cold kind makes of an outcome. */
typedef enum aw_after {
  AW_AFTER_PASS, /* the outcome goes on to the frame below: pop this frame */
  AW_AFTER_ON,   /* the task goes on with `task->go` */
  AW_AFTER_OFF   /* the task is queued or parked */
} aw_after;

/* What becomes of a value or of an error that reaches a frame. */
typedef enum aw_fate {
  AW_FATE_PASSED, /* goes on to the frame below */
  AW_FATE_DROPPED,
  AW_FATE_TAKEN
} aw_fate;

/* The functions of a cold kind. All but `enter` may be NULL. A kind with a
 * frame of its own, by aw__cold_push() or as an AW_FRAME_COLD, has `after`. */
typedef struct aw_cold_kind {
  /* Push the frames that `wire` needs; `task->at`, the wire that
   * aw__frame_chain was given, begins next. Returns 0 or a negative code. In
   * that case the frames that were pushed stay, and the error ascends through
   * them. It cannot wait: a kind that begins with a wait makes an aw_sleep()
   * its first part. */
  int (*enter)(aw_task *task, aw_wire *wire);
  /* An outcome has reached the kind's frame, the top one of the task. */
  aw_after (*after)(aw_task *task, aw_frame *frame);
  /* A wait that aw__cold_wait() began has ended well. Returns 0, and
   * `task->at` begins next, or a negative code. */
  int (*resume)(aw_task *task, aw_frame *frame);
  /* The frame is about to be popped: release what its state holds. */
  void (*clear)(aw_engine *engine, void *state);
  size_t size; /* of the state; 0: the frames have none */
  /* What the frame makes of a value or of an error; NULL: passes it on. */
  aw_fate (*value)(const aw_frame *frame);
  aw_fate (*error)(const aw_frame *frame);
} aw_cold_kind;

#define AW_DECLARE(KIND, name, layout, event, transparent) \
  extern const aw_cold_kind aw__run_##name;
AW_COLD_KINDS(AW_DECLARE)
#undef AW_DECLARE

/* Push a frame for `wire` with a state of `size` bytes, all zero. */
int aw__cold_push(aw_task *task, aw_wire *wire, size_t size);
/* Begin the whole of `part` in a scope of its own. */
int aw__cold_scoped(aw_task *task, aw_wire *part);
/* Go on with `then` in the place of the top frame, which has no state. If
 * `then` is a step, that step may take the outcome as its input. Else the
 * outcome is dropped. */
aw_after aw__cold_hand_on(aw_task *task, aw_wire *then);
/* Go on with the part that was begun. If `rc` is negative, the part could not
 * begin: fail with `rc`, and `after` of the same frame gets that failure. */
aw_after aw__cold_begun(aw_task *task, int rc);
/* Wait until `at`, which may be past; then `resume` is called. */
aw_after aw__cold_wait(aw_task *task, uint64_t at);

#endif
