/* connection.h - one TLS connection over a connected socket
 *
 *     kernel ─► recv(2) ─► BIO ─► SSL ─► plain bytes
 *     plain bytes ─► SSL ─► BIO ─► send(2) ─► kernel
 *
 * The BIO is ours: it sends without a signal, and keeps the code of a failure.
 * It holds no bytes, but for those that were read before TLS began (`early`).
 *
 * No call blocks. Each returns UV_EAGAIN if the socket must be readable first,
 * or writable if `wants_room`; then call it again. A read may have to send: the
 * answer to a peer that asked for new keys. A record that the kernel did
 * not take whole stays in the SSL: the next write must begin with the same
 * bytes, and have at least as many.
 *
 * A recv(2) that gets less than it asked for has emptied the socket (`dry`).
 * The BIO calls it no more until awio_tls_readable() says that bytes may have
 * come.
 *
 * OpenSSL reads on until it has plain bytes. A peer that sends tickets or new
 * keys without end would keep it busy for ever; so in one call the BIO receives
 * no more than is `allowed`, and then pretends to be dry.
 *
 * When the kernel refuses a write, the alert that says why may still be unread.
 * A failure is final. One of TLS ends reading and writing, and `fault` says the
 * latest.
 */
#ifndef AWIO_TLS_CONNECTION_H
#define AWIO_TLS_CONNECTION_H

#include "base/buffer.h"
#include "tls/context.h"
#include "tls/fault.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

typedef struct awio_tls {
  struct ssl_st *ssl; /* an SSL */
  awio_tls_context *context;
  int fd;               /* borrowed */
  awio_buffer early;    /* bytes of the peer, read before TLS began */
  bool established;     /* the handshake is over */
  bool wants_room;      /* the handshake waits until the socket is writable */
  bool read_wants_room; /* the same, for the latest read */
  bool dry;
  size_t allowed; /* bytes to receive in the call under way */
  bool heard;     /* the peer has sent bytes since the handshake */
  bool ended;     /* the peer has sent close_notify */
  bool cut;       /* the kernel has told the end of the connection */
  bool parted;    /* close_notify was sent, or never will be */
  bool stuck; /* the SSL holds a record that the kernel did not take whole */
  int socket; /* the code of recv(2) or send(2) in the call under way */
  int unread; /* with which reading has failed, or 0 */
  int unsent; /* with which writing has failed, or 0 */
  awio_fault *fault; /* of AWIO_ETLS, or NULL */
} awio_tls;

/* Make the connection of a context. Returns NULL with `fault` filled.
 *
 *   host, port  as for awio_tls_context_ssl()
 *   early       bytes that belong to TLS; taken, also on failure: empty then
 */
awio_tls *awio_tls_new(awio_tls_context *context, int fd, const char *host,
                       int port, awio_buffer *early, awio_fault *fault);
void awio_tls_free(awio_tls *tls); /* NULL is fine; leaves `fd` open */

/* Go on with the handshake. Returns 0 once it is over; UV_EAGAIN; or a code,
 * AWIO_ETLS among them. */
int awio_tls_handshake(awio_tls *tls);

/* The handshake ends with this code. */
void awio_tls_fail(awio_tls *tls, int code);

/* Read plain bytes. Returns their number; 0: the peer has sent close_notify;
 * UV_EAGAIN; or a code. A connection that ends without close_notify is a
 * fault. */
ssize_t awio_tls_read(awio_tls *tls, char *data, size_t size);

/* Encrypt and send. Returns the number of bytes that are with the kernel,
 * UV_EAGAIN if that is none, or a code. */
ssize_t awio_tls_write(awio_tls *tls, const char *data, size_t size);

/* Send close_notify, after which nothing can be written, unless it is `parted`.
 * Nothing may be stuck. If the kernel has no room, it is not parted then. */
void awio_tls_part(awio_tls *tls);

/* close_notify was sent, or never will be: may the socket be closed? The kernel
 * drops what it has not sent yet if bytes come to a closed socket, or are left
 * in it: so what has come is read and thrown away. More is sure to come if a
 * server of TLS 1.3 has not sent its tickets yet. Returns false then, while
 * the kernel has bytes for the peer: wait until the socket is readable, or a
 * short time, and ask again. */
bool awio_tls_settled(awio_tls *tls);

/* The socket is readable. */
static inline void awio_tls_readable(awio_tls *tls) {
  tls->dry = false;
}

/* Does the connection hold bytes that came from the kernel? They may be less
 * than a record. */
bool awio_tls_holds_bytes(const awio_tls *tls);

#endif
