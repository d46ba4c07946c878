/* socket.h - making sockets, and their options */
#ifndef AWIO_SOCKET_H
#define AWIO_SOCKET_H

#include "base/address.h"

#include <lua.h>
#include <sys/types.h>

/* Make a socket that does not block, is closed by exec and is no standard file.
 * Returns the descriptor or -errno.
 *
 *   type  SOCK_STREAM or SOCK_DGRAM
 */
int awio_socket_open(int family, int type);

/* Take a connection from a listening socket; the new socket is as above.
 * Returns the descriptor; UV_EAGAIN if there is none, or if the connection has
 * ended before it was taken; or -errno.
 *
 *   peer  receives the address of the other end
 */
int awio_socket_accept(int listening, awio_address *peer);

/* Send bytes to the peer, as write(2), but without a signal, and without
 * blocking even if a process that shares the socket has made it blocking.
 * Returns the number of bytes or -errno. */
ssize_t awio_socket_send(int fd, const void *data, size_t size);

/* Receive bytes, as read(2), but a little faster. Returns the number of bytes
 * or -errno. */
ssize_t awio_socket_receive(int fd, void *data, size_t size);

/* Return the error that is pending on a socket, as UV_ECONNREFUSED after a
 * connection has failed; 0: none. Clears it. */
int awio_socket_error(int fd);

/* Set an option whose value is an int. Returns 0 or -errno. */
int awio_socket_set(int fd, int level, int option, int value);

/* An option of Lua that is a whole number. */
typedef struct awio_whole {
  const char *name;
  int least, most;
  const char *expected; /* for errors */
} awio_whole;

/* Return the option that the table at `arg` has, or else `otherwise`. May
 * raise. */
int awio_opt_whole(lua_State *L, int arg, const awio_whole *option,
                   int otherwise);

/* Options of a TCP connection. */
typedef struct awio_tcp_options {
  bool nodelay; /* send small writes at once */
  /* Seconds of silence before the first probe. 0: those of the system; -1: no
   * probes. */
  int keepalive;
} awio_tcp_options;

/* Set those options that the table at `arg` has: `nodelay`, a boolean;
 * `keepalive`, a boolean or seconds. May raise. */
void awio_check_tcp_options(lua_State *L, int arg, awio_tcp_options *options);

/* Apply the options that differ from `before`, of which NULL stands for those
 * of a new socket. Does nothing to a unix socket. */
void awio_socket_configure(int fd, const awio_tcp_options *options,
                           const awio_tcp_options *before);

#endif
