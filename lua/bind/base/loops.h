/* loops.h - EventLoops by their numbers; see loops.c */
#ifndef AWL_LOOPS_H
#define AWL_LOOPS_H

#include "base/state.h"

/* The EventLoop at 1. Raises. */
awl_loop *awl_check_loop(lua_State *L, awl_state *s);
/* The loop of the EventLoop at `index`; the caller knows that it is one. */
awl_loop *awl_loop_at(lua_State *L, int index);
/* The awl_loop of a loop of the core; NULL for NULL. */
awl_loop *awl_loop_of(awl_state *s, const aw_loop *core);
void awl_push_loop(lua_State *L, awl_state *s, const awl_loop *loop);
/* The loop of a number; NULL: no such loop, or its EventLoop is garbage. */
awl_loop *awl_loop_number(const awl_state *s, uint32_t number);

/* Anchor an EventLoop before its run begins; it is let go when the run has
 * ended in any way. Else the core might run a garbage loop: the coroutine that
 * began the run may be closed, or may only join a task of the loop. False: the
 * EventLoop is garbage already, and will not run. Raises. */
bool awl_loop_anchor(lua_State *L, awl_loop *loop);
/* Let go of the EventLoop of `core`, unless the loop is running. */
void awl_loop_let_go(awl_state *s, const aw_loop *core);
/* The loop `number` is busy no more, see values.c. */
void awl_loop_forget_values(awl_state *s, uint32_t number);
/* A number for a new loop. The number is taken once s->loops has an entry for
 * it. A garbage loop keeps its number while somebody refers to one of its
 * values. Raises. */
uint32_t awl_loop_take_number(lua_State *L, awl_state *s);
/* Free the claims of a number if its loop is garbage and no claim is left. */
void awl_loop_forget_number(awl_state *s, uint32_t number);
/* The state ends: free the tables, and the claims that are left. */
void awl_free_loops(awl_state *s);

/* Raise an error that says how the loop has ended [S7]. */
int awl_ended(lua_State *L, const awl_loop *loop);

#endif
