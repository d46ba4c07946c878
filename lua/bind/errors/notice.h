/* notice.h - what is told about a running program; see notice.c */
#ifndef AWL_NOTICE_H
#define AWL_NOTICE_H

#include "base/state.h"

/* Push "file:line" of the innermost function of the user that runs in `co`.
 * False, and nothing is pushed: there is none. Raises. */
bool awl_push_busy_place(lua_State *L, lua_State *co);

/* Push a table with what the tasks do that are in the middle of a step: the one
 * that is busy, and those whose step drives a nested run. It is the second
 * argument of aiowire.dump. Call from: the driver, or a hook in L. Raises. */
void awl_push_busy(lua_State *L, awl_state *s);

/* Push the dump of all EventLoops. Call from: as above. Raises. */
void awl_push_dump(lua_State *L);

/* Add to the text on top the events that were recorded last, if any are
 * recorded. Raises. */
void awl_add_recorded(lua_State *L, awl_state *s);

/* Tell the dump of all EventLoops. False: it cannot be made, as for lack of
 * memory. Call from: the driver, or a hook in L. Raises nothing. */
bool awl_notice_dump(lua_State *L, awl_state *s);

/* Tell that no dump can be made. */
void awl_notice_no_dump(const awl_state *s);

/* A signal interrupts the body that runs in L: note where, and tell it. Call
 * from: a hook in L. Raises nothing. */
void awl_notice_interrupted(lua_State *L, awl_state *s);

#endif
