/* links.h - connections over inproc, about which libzmq reports nothing
 *
 * A link is a connect to an inproc name. It counts as a peer of both sockets
 * (socket->linked) from the moment at which both have done their part: the bind
 * may come after the connect. */
#ifndef AWZ_LINKS_H
#define AWZ_LINKS_H

#include "zmq.h"

typedef struct awz_link awz_link;

/* Make a link for a connect to this name, before libzmq connects. Gives memory
 * for awz_link_add() or aw_free(), or NULL. */
awz_link *awz_link_new(const char *name);

/* `from` has connected; takes the link. `to` has bound the name; NULL: no
 * socket has. */
void awz_link_add(awz_link *link, awz_socket *from, awz_socket *to);

/* `to` has bound the name. */
void awz_links_bound(awz_socket *to, const char *name);

/* `from` has disconnected from the name. */
void awz_links_cut(const awz_socket *from, const char *name);

/* The socket is closed. */
void awz_links_leave(const awz_socket *socket);

#endif
