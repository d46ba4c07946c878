/* frames.h - the frames of a stack, kept raw; see frames.c */
#ifndef AWL_FRAMES_H
#define AWL_FRAMES_H

#include "base/state.h"

/* Push the frames of L, from `level` on, as a function. Raises. */
void awl_push_frames(lua_State *L, const awl_state *s, int level);
/* Is the value at `index` such a function? */
bool awl_is_frames(lua_State *L, int index);
/* Push the text of the frames at `index`: a line for each, as in a traceback,
 * "" if there are none; or, for `only_place`, "file:line: in function" of the
 * innermost that is in a file of the user's. Raises. */
void awl_push_frames_text(lua_State *L, int index, bool only_place);
/* The wait of `worker` was cancelled. If a Timeout will name this wait as the
 * one that it cut short, add the frames of the stack to the record (aw_cut). */
void awl_note_cut(lua_State *L, awl_worker *worker);
/* The same where no wait of the core is cut short, but a call from L, of which
 * `text` is the name. Raises. */
void awl_note_cut_here(lua_State *L, awl_worker *worker, const char *text);

#endif
