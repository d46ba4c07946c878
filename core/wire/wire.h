/* wire.h - references to wires, and their parts; see wire.c */
#ifndef AW_WIRE_H
#define AW_WIRE_H

#include "wire/kinds.h"

/* The place of part `index`, which is below `wire->count`. */
aw_wire **aw__wire_part(aw_wire *wire, size_t index);
/* The size of a list that owns an array of `capacity` places. */
size_t aw__wire_list_size(size_t capacity);
aw_name *aw__name_make(const char *text); /* NULL when out of memory */
void aw__name_release(aw_name *name);     /* NULL is fine */

#endif
