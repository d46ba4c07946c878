/* metadata.h - who has sent a message: s:recv_multipart{meta = true}
 *
 *     the handshake of a connection ─► libzmq ─► each frame ─► awz_metadata
 *                                                              ─► a table
 *
 * libzmq notes with each frame what it knows of the connection that the frame
 * came by. To make Lua strings may free the message, so what is wanted is
 * copied out of its frames first. A receive without `meta` does none of this.
 */
#ifndef AWZ_METADATA_H
#define AWZ_METADATA_H

#include "zmq.h"

enum { AWZ_PROPERTIES = 4, AWZ_PROPERTY_SIZE = 256 };

/* Texts of a message, cut at a zero byte; "": absent. */
typedef struct awz_metadata {
  char text[AWZ_PROPERTIES][AWZ_PROPERTY_SIZE];
} awz_metadata;

/* Copy the metadata of a message that has frames. */
void awz_metadata_read(awz_metadata *out, const awz_message *message);

/* Push a table { user_id =, address =, socket_type =, identity = } of what is
 * there. */
void awz_metadata_push(lua_State *L, const awz_metadata *metadata);

/* Return option `meta` of the table at `arg`. Raises. */
bool awz_wants_metadata(lua_State *L, int arg);

#endif
