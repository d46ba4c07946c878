/* socket.h - streams over connected sockets
 *
 *     connect, accept ─► value (C, may be dropped) ─► Stream (Lua)
 *
 * A connection is made or taken in a callback, where no Lua value can be made.
 * So it travels as an aw_value, which becomes a Stream when the task takes its
 * results. If the task never does, because it was killed or lost a race, the
 * value is dropped and its descriptor is closed at once.
 */
#ifndef AWIO_STREAM_SOCKET_H
#define AWIO_STREAM_SOCKET_H

#include "base/socket.h"
#include "stream/stream.h"

#include <lua.h>

struct awio_tls_context;

/* Options of a stream over a socket. */
typedef struct awio_socket_options {
  awio_limits limits;
  awio_tcp_options tcp;
  struct awio_tls_context *tls; /* of a server, borrowed; NULL: no TLS */
} awio_socket_options;

extern const awio_socket_options awio_socket_usual;

/* The names of these options, for lists of known options. */
#define AWIO_SOCKET_OPTIONS \
  "max_line", "high_water", "max_output", "nodelay", "keepalive"

/* Set those options that the table at `arg` has. May raise. */
void awio_check_socket_options(lua_State *L, int arg,
                               awio_socket_options *options);

/* Make the value of a connection. Returns 0 if there is not enough memory.
 *
 *   fd       a connected socket; takes, also on failure
 *   options  copied; the value has its own reference to `tls`
 *   peer     copied, as accept(2) gave it: the kernel forgets it after a reset;
 *            NULL: ask the kernel
 */
aw_value awio_socket_value(int fd, const awio_socket_options *options,
                           const awio_address *peer);

#endif
