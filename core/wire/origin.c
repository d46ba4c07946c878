/* origin.c - the wire that an error comes from
 *
 * The error of a time-out names the wire that ran out of time. The error of a
 * failed wait names the wire that waited. Both also name the host's wire around
 * that wire, if there is one. The error keeps these wires. error.c stands below
 * the wires, so error.c releases them by the function in `forget`.
 *
 * Neighbours: frame.c sets the wire; task.c makes a copy of an error that a
 * task raises again.
 */
#include "wire/origin.h"

#include "base/error.h"
#include "base/memory.h"

static void forget_wire(aw_error *error) {
  aw_wire_release(error->wire);
  aw_wire_release(error->holder);
}

const aw_wire *aw_error_wire(const aw_error *error, const aw_wire **holder,
                             uint64_t *ns) {
  if (holder)
    *holder = error->holder;
  if (ns)
    *ns = error->ns;
  return error->wire;
}

void aw__error_set_wire(aw_error *error, aw_wire *wire, aw_wire *holder,
                        uint64_t ns) {
  if (error->fixed)
    return;
  error->wire = aw_wire_keep(wire);
  error->holder = holder ? aw_wire_keep(holder) : NULL;
  error->ns = ns;
  error->forget = forget_wire;
}

aw_error *aw__error_afresh(aw_error *error) {
  aw_engine *engine = error->engine;
  aw_error *copy = aw__error_make(engine, error->code, 0);
  if (!copy)
    return error;
  copy->value = aw__keep_value(engine, error->value);
  copy->call = error->call;
  copy->fd = error->fd;
  if (error->subject)
    aw_error_set_subject(copy, error->subject);
  copy->attempts = error->attempts;
  if (error->wire)
    aw__error_set_wire(copy, error->wire, error->holder, error->ns);
  copy->cut = aw_cut_keep(error->cut);
  const void *at = NULL;
  aw_error *suppressed;
  while ((suppressed = aw_error_next_suppressed(error, &at)) != NULL)
    aw_error_suppress(copy, aw_error_keep(suppressed));
  aw_error_release(error);
  return copy;
}
