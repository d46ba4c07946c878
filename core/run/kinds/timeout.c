/* timeout.c - aw_timeout(): end a wire that takes too long [O8]
 *
 * The wire runs in a scope with a limit. When the limit passes, the scope is
 * cancelled; closing it makes the outcome AW_ETIMEOUT, see frame.c.
 */
#include "run/frame.h"
#include "run/kinds/cold.h"
#include "wire/build.h"

aw_wire *aw_timeout(aw_wire *first, uint64_t ns, uint64_t grace) {
  aw_wire *wire = aw__build_one(AW_KIND_TIMEOUT, first, ns);
  if (wire)
    wire->u.one.grace = grace;
  return wire;
}

static int enter(aw_task *task, aw_wire *wire) {
  int rc = aw__frame_limit(task, wire, wire->u.one.number, wire->u.one.grace);
  return rc < 0 ? rc : aw__frame_chain(task, wire->u.first);
}

const aw_cold_kind aw__run_timeout = {.enter = enter};
