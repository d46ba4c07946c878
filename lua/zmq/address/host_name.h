/* host_name.h - connections to hosts by their names [M22, M23]
 *
 *     s:connect "tcp://example.org:1" ─► a named address ─► thread of lookup.h
 *                 returns at once         │      ▲             │
 *                                         │      └─ back-off ◄─┤ not found:
 *       libzmq connects to the number  ◄──┼────────────────────┘ resolve_failed
 *                                         └─► disconnect, close: forgotten
 *
 * libzmq would look up the name in the thread that serves all sockets of the
 * context [ZQ17]. The socket has a list of its named addresses, also of those
 * that are connected or bound by now, since the user knows them by their names.
 *
 * The engine in which the socket was connected, or in which a task has waited
 * for it since, receives the answers. So nothing is connected while no loop of
 * that engine runs. Its callbacks only call libzmq. If that engine ends, the
 * named address rests until a task waits in another one.
 */
#ifndef AWZ_HOST_NAME_H
#define AWZ_HOST_NAME_H

#include "zmq.h"

/* Connect to an address whose host is a name. Returns 1; 0 if the host is no
 * name, with nothing done; or a negative code: those of awz_connect(),
 * -EDESTADDRREQ if the peer has a name by `connect_routing_id`, or AW_ENOMEM.
 */
int awz_host_connect(awz_socket *socket, const char *address,
                     aw_engine *engine);

/* Disconnect from such an address. Returns as awz_host_connect(); -ENOENT: the
 * socket is not connected to it. */
int awz_host_disconnect(awz_socket *socket, const char *address);

/* Bind to an address whose host is a name.
 *
 *   number  of that host, as "::1"; NULL: only localhost has one
 *
 * Returns 1; 0 if the host needs no number, with nothing done; or the codes of
 * awz_bind(). */
int awz_host_bind(awz_socket *socket, const char *address, const char *number);

/* Unbind from such an address. Returns as awz_host_disconnect(). */
int awz_host_unbind(awz_socket *socket, const char *address);

/* Return the family of addresses that the socket may use: AF_INET or
 * AF_UNSPEC. */
int awz_host_family(awz_socket *socket);

/* Forget all named addresses of a socket that is closed. */
void awz_host_forget(awz_socket *socket);

/* Let the engine of a task that begins to wait for the socket receive the
 * answers. */
void awz_host_move(awz_socket *socket, aw_engine *engine);
static inline void awz_host_attend(awz_socket *socket, aw_task *task) {
  if (socket->unresolved > 0)
    awz_host_move(socket, aw_loop_engine(aw_task_loop(task)));
}

#endif
