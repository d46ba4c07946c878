/* origin.h - the wire that an error comes from; see origin.c */
#ifndef AW_ORIGIN_H
#define AW_ORIGIN_H

#include "state.h"

/* Note that `error` comes from `wire`. Keeps both wires; `holder` may be
 * NULL. */
void aw__error_set_wire(aw_error *error, aw_wire *wire, aw_wire *holder,
                        uint64_t ns);
/* A copy of `error` that is not marked as an error of clean-up, for a task that
 * raises the error of another task. Takes `error`. When out of memory, returns
 * `error` itself. */
aw_error *aw__error_afresh(aw_error *error);

#endif
