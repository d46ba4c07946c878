/* view.h - what the core looks up in a wire; see view.c */
#ifndef AW_VIEW_H
#define AW_VIEW_H

#include "state.h"

/* Is `wire` of a kind that has any number of items, maybe none? */
bool aw__wire_is_list(const aw_wire *wire);
/* The parts of a list or of a pair, `count` of them. */
aw_wire **aw__wire_items(aw_wire *wire);
aw_wire *aw__wire_inside(const aw_wire *wire); /* looks through HOLD, NAMED */
/* The name that aw_wire_name() is the text of: gives; NULL if it is not of a
 * named wire. */
aw_name *aw__wire_keep_name(const aw_wire *wire);

#endif
