/* guard.h - waits until one of the sockets of a proxy is closed; see guard.c */
#ifndef AWZ_GUARD_H
#define AWZ_GUARD_H

#include "zmq.h"

/* guard(front, back [, capture]) → guard */
int awz_guard_new(lua_State *L);
/* closed(guard): wait until one of its sockets is closed, and raise that. For
 * one task at a time. */
int awz_guard_wait(lua_State *L);

void awz_open_guard(lua_State *L);

#endif
