/* input.h - pushes what a body is called with; see input.c */
#ifndef AWL_INPUT_H
#define AWL_INPUT_H

#include "base/state.h"

/* Put the content of the worker's leaf at worker->content, and the EventLoop at
 * AWL_AT_LOOP if the body gets it. Raises. */
void awl_put_content(lua_State *L, awl_worker *worker);
/* The same in the other place, so that the content of the last leaf stays.
 * Raises. */
void awl_put_second_content(lua_State *L, awl_worker *worker);
/* Push the function of the worker's leaf and its arguments. Returns the number
 * of arguments. Raises. */
int awl_push_call(lua_State *L, awl_worker *worker);

#endif
