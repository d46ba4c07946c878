/* mechanism.h - the mechanism of a socket, whatever the order of its options
 *
 * In libzmq the option that is set last decides. So a server of PLAIN with
 * `curve_server = false`, or a client with a server's key and `plain_username =
 * nil`, would talk to everybody without a mechanism. Here the first one of
 * these decides:
 *
 *     1. plain_server, curve_server or gssapi_server is true; only one may be
 *     2. curve_serverkey is set
 *     3. the option of libzmq that was set last
 */
#ifndef AWZ_MECHANISM_H
#define AWZ_MECHANISM_H

#include "zmq.h"

/* Tell whether it is one of the three options that make a server. */
bool awz_mechanism_serves(int option);

/* Set such an option. Returns 0; AW_EBUSY: the socket is a server by another
 * one; or a code of libzmq. */
int awz_mechanism_serve(awz_socket *socket, int option, bool value);

/* Another option was set, which may have changed the mechanism: change it back.
 * Returns 0 or a code of libzmq. */
int awz_mechanism_keep(awz_socket *socket, int option);

/* Tell whether the socket has a mechanism, as a server or as a client. */
bool awz_mechanism_given(awz_socket *socket);

#endif
