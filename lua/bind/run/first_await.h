/* first_await.h - a chunk that is drawn, not run; see first_await.c */
#ifndef AWL_FIRST_AWAIT_H
#define AWL_FIRST_AWAIT_H

#include "base/state.h"

/* The chunk that is drawn calls the function `what`, which would await. Keep
 * what it would wait for, if that is a wire. */
void awl_note_first_await(lua_State *L, awl_state *s, const char *what);

#endif
