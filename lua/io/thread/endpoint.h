/* endpoint.h - the methods of a side of a pair: send, recv and others
 *
 * A Thread has one side, and aw.parent of its worker has the other one. The
 * userdata of both begin with an awio_endpoint.
 */
#ifndef AWIO_ENDPOINT_H
#define AWIO_ENDPOINT_H

#include "thread/pair.h"

#include <lauxlib.h>

typedef struct awio_endpoint {
  awio_pair *pair; /* NULL: finalized */
  int side;
} awio_endpoint;

/* The classes, by side. */
extern const char *const awio_endpoint_classes[AWIO_SIDES];

/* The methods that both sides have; they have upvalue 1, the metatable. */
extern const luaL_Reg awio_endpoint_methods[];

/* Let objects of the class be sources of aw.Recv and aw.Send. */
void awio_add_endpoint_source(lua_State *L, int metatable);

/* No more messages from either side. */
void awio_endpoint_close(awio_endpoint *endpoint);

/* Push the text of the queues: "2 to receive, 1 sent". */
void awio_push_endpoint_text(lua_State *L, const awio_endpoint *endpoint);

/* Make the class of aw.parent, and that of boxes of what is sent. */
void awio_make_parent_class(lua_State *L);
/* Push the object of the worker's side, and keep the pair. */
void awio_push_parent(lua_State *L, awio_pair *pair);

#endif
