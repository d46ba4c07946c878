/* show.h - the text of wires; see show.c */
#ifndef AWL_WIRE_SHOW_H
#define AWL_WIRE_SHOW_H

#include "base/state.h"

/* Push the text of a wire that a task holds, at most `most` bytes, of which
 * AWL_LONGEST_TEXT (text.h) is the most; or of that of the Wire `owner`. */
void awl_show_wire(lua_State *L, awl_state *s, const aw_wire *wire,
                   size_t most);
void awl_show_owned(lua_State *L, awl_state *s, const aw_wire *wire, int owner);
/* Let base/show_value.c show Wires. */
void awl_set_wire_show(awl_state *s);

#endif
