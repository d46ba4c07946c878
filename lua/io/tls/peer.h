/* peer.h - what is known of a TLS connection, and of the one at its other end
 */
#ifndef AWIO_TLS_PEER_H
#define AWIO_TLS_PEER_H

#include "tls/connection.h"

#include <lua.h>

/* Push a table for s:tls(), see lua/aiowire/meta.lua. May raise. */
void awio_tls_push_peer(lua_State *L, const awio_tls *tls);

#endif
