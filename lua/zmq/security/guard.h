/* guard.h - sockets whose peers need an authenticator
 *
 * libzmq admits everybody to a CURVE server unless the socket has a domain
 * (ZMQ_ZAP_DOMAIN) and option 93 (ZMQ_ZAP_ENFORCE_DOMAIN), and asks nobody if
 * there is no authenticator. So a server gets both by itself:
 *
 *     domain of the user ─┬─ none, and it is no server: no questions
 *     curve_server, … ────┴─ else: libzmq asks, and without an authenticator
 *                            nobody gets in
 *
 * libzmq looks at both at a bind or connect, and cannot take a domain back. So
 * they are set only then.
 *
 * Some peers come without a handshake of ZMTP: those of a STREAM or a raw
 * ROUTER, and those of multicast. libzmq would admit them all, and send them
 * what is meant to be encrypted. So such an attach is refused.
 *
 * Invariant: a socket enforces only while its domain is not empty. Otherwise
 * libzmq aborts the program when a peer comes to a PLAIN server. */
#ifndef AWZ_GUARD_H
#define AWZ_GUARD_H

#include "zmq.h"

/* Bring domain and enforcement in line with the options, in whatever order they
 * were set. Call it before each bind and connect. Returns 0; -ENOPROTOOPT: the
 * socket has a mechanism or a domain, and there is no handshake at `address`;
 * or another negative code; then the socket must get no address. */
int awz_guard_settle(awz_socket *socket, const char *address);
/* The socket has got this address: note whether libzmq asks about its peers. */
void awz_guard_note(awz_socket *socket, const char *address);
/* Set the domain of the user; an empty one is none. Returns 0, AW_ENOMEM, or
 * -EINVAL: the name is too long. */
int awz_guard_domain(awz_socket *socket, const char *domain, size_t size);

/* The socket was bound or connected at `where`: note it if its context has no
 * authenticator. */
void awz_guard_attached(awz_socket *socket, const char *address,
                        const char *where);
/* The context has an authenticator: drop the notes of its sockets. */
void awz_guard_answered(awz_context *context);
/* Warn that nobody gets in, unless the context has an authenticator by now. May
 * run finalizers. */
void awz_guard_tell(lua_State *L, const awz_socket *socket, const char *where);

#endif
