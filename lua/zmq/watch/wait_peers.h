/* wait_peers.h - s:wait_peers(n): for the wire of which it is made */
#ifndef AWZ_WAIT_PEERS_H
#define AWZ_WAIT_PEERS_H

#include "zmq.h"

/* [module] → [module], with has_peers(socket, n) and peers(socket, n). Raises.
 */
void awz_open_wait_peers(lua_State *L);

#endif
