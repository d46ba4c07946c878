/* build.h - what the constructors of all kinds share; see build.c
 *
 * All these functions take their wires and tasks. They give NULL if one of
 * these is NULL, or if there is no memory.
 */
#ifndef AW_BUILD_H
#define AW_BUILD_H

#include "wire/kinds.h"

/* The wire of aw_when_done(). Tasks stand above wires, so the caller passes the
 * function that releases `task`. */
aw_wire *aw__build_done(aw_task *task, void (*release)(aw_task *task));
/* A wire of layout ONE, with `number`, or of another one-part layout. */
aw_wire *aw__build_one(aw_kind kind, aw_wire *first, uint64_t number);
/* A wire of layout PAIR. */
aw_wire *aw__build_pair(aw_kind kind, aw_wire *first, aw_wire *then);
/* A wire of an operator. Operands of the same operator give their parts. */
aw_wire *aw__build_flat(aw_kind kind, aw_wire *const *wires, size_t count);
/* A wire of a table form. The operands stay as they are. */
aw_wire *aw__build_table(aw_kind kind, aw_wire *const *wires, size_t count);

#endif
