/* loads.h - modules that tasks are loading; see loads.c */
#ifndef AWL_LOADS_H
#define AWL_LOADS_H

#include "base/state.h"

typedef struct awl_load awl_load;

/* Let the running task load the module whose name is the string at `name`, and
 * push the load, which ends with the C function that runs in L, however that
 * ends. Raises. */
awl_load *awl_load_begin(lua_State *L, awl_state *s, int name);
/* The load is over, with success or not: wake who waits for it. Twice is fine.
 * Does not raise. */
void awl_load_end(awl_load *load);
/* Find a load of the module `name` by another task, or by another body of the
 * same task; NULL: there is none. NULL also if the running body is loading the
 * module and has not awaited since: a module that requires itself is loaded
 * again, as in Lua. */
awl_load *awl_load_elsewhere(awl_state *s, const char *name);
/* Wait until such a load of the module whose name is at index 1 has ended; then
 * call `after`, with some more values on the stack. Raises if nothing can wait
 * here, or if the load waits for the running task. Use it as
 * `return awl_load_wait(...)`. */
int awl_load_wait(lua_State *L, awl_load *load, lua_CFunction after);
/* Set the functions of awl_upcalls for loads. */
void awl_open_loads(awl_state *s);

#endif
