/* show.h - the text of wires; see show.c */
#ifndef AWL_WIRE_SHOW_H
#define AWL_WIRE_SHOW_H

#include "wire/leaf.h"

/* Push the text of a wire that a task holds: at most `most` bytes, which must
 * not exceed AWL_LONGEST_TEXT (text.h). awl_show_owned() pushes the text of a
 * wire whose Wire is at `owner`. */
void awl_show_wire(lua_State *L, awl_state *s, const aw_wire *wire,
                   size_t most);
void awl_show_owned(lua_State *L, awl_state *s, const aw_wire *wire, int owner);
/* Push the arguments of a leaf as text, of about `most` bytes: "1, 'x'". The
 * Wire that it is part of is at `owner`. */
void awl_show_arguments(lua_State *L, awl_state *s, const awl_leaf *leaf,
                        int owner, size_t most);
/* Set the function by which base/show_value.c shows Wires. */
void awl_set_wire_show(awl_state *s);

#endif
