/* view.h - what the core looks up in a wire; see view.c */
#ifndef AW_VIEW_H
#define AW_VIEW_H

#include "wire/kinds.h"

/* The wire that runs when `wire` runs: looks through transparent wires. */
aw_wire *aw__wire_inside(const aw_wire *wire);
/* The name whose text aw_wire_name() returns; NULL if `wire` is not a named
 * wire. Gives. */
aw_name *aw__wire_keep_name(const aw_wire *wire);

#endif
