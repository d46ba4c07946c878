/* wire.h - what only the core does with wires; see wire.c */
#ifndef AW_WIRE_H
#define AW_WIRE_H

#include "state.h"

/* Is `wire` of a kind that has any number of items, maybe none? */
bool aw__wire_is_list(const aw_wire *wire);
/* The parts of a list or of a pair, `count` of them. */
aw_wire **aw__wire_items(aw_wire *wire);
aw_name *aw__name_make(const char *text); /* NULL when out of memory */
void aw__name_release(aw_name *name);     /* NULL is fine */

#endif
