/* shield.c - aw_shielded(): hide a wire from outer soft cancels [C7, O13]
 *
 * The wire runs in a scope that is a shield; cancel.c does the rest.
 */
#include "run/frame.h"
#include "run/kinds/cold.h"
#include "wire/build.h"

aw_wire *aw_shielded(aw_wire *wire, uint64_t grace) {
  return aw__build_one(AW_KIND_SHIELD, wire, grace);
}

static int enter(aw_task *task, aw_wire *wire) {
  aw_scope_config config = {.deadline =
                                aw__frame_shield_end(task, wire->u.one.number),
                            .grace = AW_DEFAULT,
                            .shield = true};
  int rc = aw__frame_scope(task, &config);
  return rc < 0 ? rc : aw__frame_chain(task, wire->u.first);
}

const aw_cold_kind aw__run_shield = {.enter = enter};
