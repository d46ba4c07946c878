/* frames.h - a stack as it was, for a text later; see frames.c */
#ifndef AWL_FRAMES_H
#define AWL_FRAMES_H

#include "base/state.h"

/* Push the frames of L, from `level`: a function, see frames.c. Raises. */
void awl_push_frames(lua_State *L, const awl_state *s, int level);
/* Is the value at `index` one? */
bool awl_is_frames(lua_State *L, int index);
/* Push the text of the frames at `index`: a line for each, as in a traceback,
 * "" if there are none; or, for `only_place`, "file:line: in function" of the
 * innermost that is in a file of the user's. Raises. */
void awl_push_frames_text(lua_State *L, int index, bool only_place);
/* The wait of `worker` was cancelled. If that is the one by which a time-out
 * is explained, leave the frames of its stack with the record of it. */
void awl_note_cut(lua_State *L, awl_worker *worker);
/* The same for its task, cut short in what the body has called from L, which
 * `text` says. Raises. */
void awl_note_cut_here(lua_State *L, awl_worker *worker, const char *text);

#endif
