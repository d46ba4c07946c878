/* proxy_guard.h - see proxy_guard.c */
#ifndef AWZ_PROXY_GUARD_H
#define AWZ_PROXY_GUARD_H

#include "zmq.h"

/* guard(front, back [, capture]) → guard */
int awz_proxy_guard_new(lua_State *L);
/* closed(guard): wait until one of its sockets is closed, and raise that. For
 * one task at a time. */
int awz_proxy_guard_wait(lua_State *L);

void awz_open_proxy_guard(lua_State *L);

#endif
