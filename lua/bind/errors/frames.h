/* frames.h - the frames of a stack, kept raw; see frames.c */
#ifndef AWL_FRAMES_H
#define AWL_FRAMES_H

#include "base/state.h"

/* Push the frames of L, from `level` on, as a function. Raises. */
void awl_push_frames(lua_State *L, const awl_state *s, int level);
/* Is the value at `index` a function of awl_push_frames()? */
bool awl_is_frames(lua_State *L, int index);
/* Push the text of the frames at `index`: a line for each, as in a traceback,
 * or "" if there are no frames. With `only_place`, push "file:line: in
 * function" of the innermost frame in a file of the user. Raises. */
void awl_push_frames_text(lua_State *L, int index, bool only_place);
/* The wait of `worker` was cancelled. If a Timeout will name this wait, add the
 * frames of the stack to the core's record of it (aw_cut). */
void awl_note_cut(lua_State *L, awl_worker *worker);
/* As awl_note_cut(), but the time-out cut short a call from L, not a wait of
 * the core. `text` is the name of that call. Raises. */
void awl_note_cut_here(lua_State *L, awl_worker *worker, const char *text);

#endif
