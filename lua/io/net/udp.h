/* udp.h - datagrams of a UDP socket
 *
 *   recv   the kernel → recvmsg(2) → a datagram → Lua
 *   send   Lua → sendmsg(2) → the kernel
 *
 * The kernel has the only queues. A method tries its system call first. If it
 * must wait, the engine tries again when the descriptor is ready, for one
 * waiter after the other, the oldest first. So a race is won by a datagram that
 * was taken, not by the mere readiness.
 *
 * A datagram is received into a buffer on the C stack, and then copied in its
 * true size. So an idle socket holds no buffer, and a finalizer that receives
 * in a loop of its own finds another one.
 *
 *   udp.c          system calls and operations
 *   udp_options.c  options, multicast
 *   udp_object.c   the class for Lua
 *   udp_open.c     makes sockets
 */
#ifndef AWIO_UDP_H
#define AWIO_UDP_H

#include "base/address.h"

#include <aiowire.h>
#include <aiowire_lua.h>

#include <lua.h>
#include <stdbool.h>
#include <stddef.h>

/* More than any datagram holds: 65,507 bytes over IPv4, 65,527 over IPv6. */
enum { AWIO_LARGEST_DATAGRAM = 65535 };

typedef struct awio_udp {
  int fd;            /* open unless `closed` */
  bool closed;       /* also before the socket is open */
  bool connected;    /* it has a peer */
  bool only6;        /* it sends to no IPv4 address */
  int family;        /* AF_INET or AF_INET6 */
  aw_lua_held held;  /* held by the userdata */
  aw_engine *engine; /* in which `fd` was waited for last; it may be freed */
  aw_keeper keeper;  /* keeps the watcher of `fd` */
  /* The number of tasks that wait for a datagram, or to send one. Later tasks
   * queue behind them. */
  unsigned receiving, sending;
  char name[80]; /* of the peer, or else its own: "127.0.0.1:53" */
} awio_udp;

typedef struct awio_udp_box awio_udp_box;

/* A receive under way. */
typedef struct awio_udp_recv {
  const awio_udp_box *box;
  size_t max; /* bytes to take; the kernel drops the rest of the datagram */
} awio_udp_recv;

/* A send under way. */
typedef struct awio_udp_send {
  const awio_udp_box *box;
  awio_address to;  /* length 0: to the peer */
  const char *data; /* borrowed from a Lua string */
  size_t size;
} awio_udp_send;

/* The userdata of a socket. */
struct awio_udp_box {
  awio_udp *socket;    /* NULL: it is finalized */
  int fd;              /* its descriptor, closed or not */
  awio_udp_recv usual; /* takes whole datagrams */
};

/* Where a datagram came from, and how it came. */
typedef struct awio_udp_sender {
  awio_address address;
  bool truncated;
} awio_udp_sender;

/* Make a socket that is not open yet. NULL: out of memory. */
awio_udp *awio_udp_new(void);
/* Open the socket. Returns 0 or -errno. */
int awio_udp_open(awio_udp *socket, int family);
/* Note the name of the open socket, and whether it has a peer. */
void awio_udp_note_name(awio_udp *socket);
/* Close the socket: its waits end with AW_ECLOSED. Closing again does nothing.
 *
 *   engine  the running engine; NULL: unknown
 */
void awio_udp_close(awio_udp *socket, aw_engine *engine);
void awio_udp_free(awio_udp *socket); /* closes it, too */

/* Is the socket of the userdata finalized or closed? */
bool awio_udp_gone(const awio_udp_box *box);

/* Take a datagram. Returns its number of bytes; UV_EAGAIN; or -errno.
 *
 *   buffer  has room for `max` bytes
 */
ssize_t awio_udp_take(const awio_udp *socket, char *buffer, size_t max,
                      awio_udp_sender *sender);

/* Send a datagram, whole or not at all. Returns 0; UV_EAGAIN if the kernel has
 * no room for it; or -errno. */
int awio_udp_put(const awio_udp *socket, const awio_udp_send *send);

/* Push data, host, port, truncated. May raise. */
int awio_udp_push(lua_State *L, const char *data, size_t size,
                  const awio_udp_sender *sender);

/* Operations of methods, which have tried already, and of events, which try
 * first. The data is an awio_udp_recv, or an awio_udp_send. A receive ends with
 * a value: the results of awio_udp_push(). */
extern const aw_operation awio_udp_wait_recv, awio_udp_event_recv;
extern const aw_operation awio_udp_wait_send, awio_udp_event_send;
/* Operations of Readable and Writable; the data is the userdata. */
extern const aw_operation awio_udp_readable, awio_udp_writable;

/* ---- options: udp_options.c ---- */

/* Options of aw.udp.bind and aw.udp.connect; -1: not given. */
typedef struct awio_udp_options {
  int broadcast, ttl, loopback; /* these may change later */
  int reuseport, ipv6only;
  int family;         /* AF_INET, AF_INET6, or AF_UNSPEC for any */
  unsigned interface; /* number of the one that multicast leaves by; 0: none */
} awio_udp_options;

extern const awio_udp_options awio_udp_usual;

/* Read the options in the table at `arg`. Raises for a bad value. */
void awio_udp_check_options(lua_State *L, int arg, awio_udp_options *options);

/* The names of the options that may change later. */
#define AWIO_UDP_CHANGEABLE "broadcast", "ttl", "loopback", "interface"

/* Apply the options that may change; those of a new socket. Return 0 or
 * -errno. */
int awio_udp_configure(const awio_udp *socket, const awio_udp_options *options);
int awio_udp_prepare(const awio_udp *socket, const awio_udp_options *options);

/* u:join(group [, interface]), u:leave(group [, interface]): the group at 2 and
 * the interface at 3. Raises. */
void awio_udp_join(lua_State *L, const awio_udp *socket);
void awio_udp_leave(lua_State *L, const awio_udp *socket);

/* ---- for Lua: udp_object.c ---- */

/* Push an object whose socket is not open yet. May raise. */
awio_udp_box *awio_udp_push_object(lua_State *L);
/* Make the class, before the first object. */
void awio_udp_make_class(lua_State *L);
/* udp_names(f): let send() look up names by f(host, port, family) → address */
int awio_udp_set_names(lua_State *L);

#endif
