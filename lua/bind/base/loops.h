/* loops.h - EventLoops by their numbers; see loops.c */
#ifndef AWL_LOOPS_H
#define AWL_LOOPS_H

#include "base/state.h"

/* The EventLoop at 1. Raises. */
awl_loop *awl_check_loop(lua_State *L, awl_state *s);
/* The same at `index`, where one is known to be. */
awl_loop *awl_loop_at(lua_State *L, int index);
/* That of a loop of the core; NULL for NULL. */
awl_loop *awl_loop_of(awl_state *s, const aw_loop *core);
void awl_push_loop(lua_State *L, awl_state *s, const awl_loop *loop);
/* The loop of a number; NULL: it is garbage. */
awl_loop *awl_loop_number(const awl_state *s, uint32_t number);

/* The core may run a loop that nobody holds, since whoever began it was closed,
 * or only joined a task of it. So the EventLoop is anchored before a run
 * begins, and let go when that has ended, however that was.
 * False: it is garbage, and will not run. Raises. */
bool awl_loop_anchor(lua_State *L, awl_loop *loop);
/* Let it go unless it runs: its run could not begin, or has ended. */
void awl_loop_let_go(awl_state *s, const aw_loop *core);
/* A number for a new loop. It is taken as soon as it is in s->loops. A loop
 * that is garbage keeps its number while one of its values is named. Raises. */
uint32_t awl_loop_take_number(lua_State *L, awl_state *s);
/* Free the claims of a number whose loop is garbage, if nobody has any. */
void awl_loop_forget_number(awl_state *s, uint32_t number);
/* The state ends: free the tables, and the claims that are left. */
void awl_free_loops(awl_state *s);

/* Raise that the loop has ended, and how [S7]. */
int awl_ended(lua_State *L, const awl_loop *loop);

#endif
