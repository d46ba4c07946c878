/* known_id.h - routing ids that were received lately; see known_id.c */
#ifndef AWZ_KNOWN_ID_H
#define AWZ_KNOWN_ID_H

#include "zmq.h"

/* Push the routing id with which a message began, as a string. May run
 * finalizers. Raises. */
void awz_push_id(lua_State *L, awz_home *home, const char *id, size_t size);

#endif
