/* wire.h - what only the core does with wires; see wire.c */
#ifndef AW_WIRE_H
#define AW_WIRE_H

#include "state.h"

/* The wire of aw_when_done(): takes `task`, which `release` releases, since
 * wires stand below tasks. NULL when out of memory. */
aw_wire *aw__wire_done(aw_task *task, void (*release)(aw_task *task));
aw_name *aw__name_make(const char *text); /* NULL when out of memory */
void aw__name_release(aw_name *name);     /* NULL is fine */

#endif
