/* wire.h - what only the core does with wires; see wire.c */
#ifndef AW_WIRE_H
#define AW_WIRE_H

#include "state.h"

void aw__name_release(aw_name *name); /* NULL is fine */

#endif
