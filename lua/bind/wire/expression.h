/* expression.h - the text of wires; see expression.c */
#ifndef AWL_EXPRESSION_H
#define AWL_EXPRESSION_H

#include "base/state.h"

/* Push the text of a wire that a task holds, at most `most` bytes, of which
 * AWL_LONGEST_TEXT (text.h) is the most; or of that of the Wire `owner`. */
void awl_show_wire(lua_State *L, awl_state *s, const aw_wire *wire,
                   size_t most);
void awl_show_owned(lua_State *L, awl_state *s, const aw_wire *wire, int owner);

#endif
