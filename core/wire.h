/* wire.h - what only the core does with wires; see wire.c */
#ifndef AW_WIRE_H
#define AW_WIRE_H

#include "state.h"

aw_wire *aw__wire_inside(const aw_wire *wire); /* looks through HOLD, NAMED */
/* The name that aw_wire_name() is the text of: gives; NULL if it is not of a
 * named wire. */
aw_name *aw__wire_keep_name(const aw_wire *wire);
void aw__name_release(aw_name *name); /* NULL is fine */

#endif
