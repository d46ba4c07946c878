/* guard.h - ends the busy body of a test at its limit; see guard.c */
#ifndef AWL_GUARD_H
#define AWL_GUARD_H

#include "base/state.h"

typedef struct awl_guard awl_guard;

/* From the real time `at` (ns, not AW_NEVER) on, interrupt the bodies of L that
 * are busy. Gives; the caller must close it, on the same thread. Returns a
 * negative code on failure. Raises nothing. */
int awl_guard_open(lua_State *L, uint64_t at, awl_guard **out);
/* NULL does nothing. */
void awl_guard_close(awl_guard *g);

#endif
