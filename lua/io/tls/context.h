/* context.h - what the TLS connections of a server, or of a client, share
 *
 *     settings ─► context (SSL_CTX) ─► SSL, one for each connection
 *
 * A context never changes. A server that reloads its keys gets a new one;
 * connections keep the one that they began with.
 */
#ifndef AWIO_TLS_CONTEXT_H
#define AWIO_TLS_CONTEXT_H

#include "tls/fault.h"
#include "tls/settings.h"

#include <stdbool.h>
#include <stdint.h>

typedef struct awio_tls_context awio_tls_context;
struct ssl_st; /* an SSL: users of this header need none of OpenSSL's */

/* Open OpenSSL, unless it is open. Returns whether it is there. */
bool awio_tls_open(void);

/* Make a context with one reference. Reads the files that the settings name.
 * Opens OpenSSL. Returns NULL with `fault` filled.
 *
 *   settings  checked; borrowed
 */
awio_tls_context *awio_tls_context_new(const awio_tls_settings *settings,
                                       awio_fault *fault);
/* NULL is fine for these two. */
awio_tls_context *awio_tls_context_keep(awio_tls_context *context);
void awio_tls_context_release(awio_tls_context *context);

/* Keep the settings with the context, for a server that reloads. Takes them.
 * They are NULL before. */
void awio_tls_context_adopt(awio_tls_context *context,
                            awio_tls_settings *settings);
const awio_tls_settings *
awio_tls_context_settings(const awio_tls_context *context);

bool awio_tls_context_is_server(const awio_tls_context *context);
/* Is the certificate of each peer checked? */
bool awio_tls_context_verifies(const awio_tls_context *context);
/* ns; AW_NEVER: none */
uint64_t awio_tls_context_timeout(const awio_tls_context *context);
/* The name that clients verify and send, given as option; NULL: none. */
const char *awio_tls_context_host(const awio_tls_context *context);

/* Make the SSL of a connection, without a BIO, in the state of accepting or
 * connecting. Returns NULL with `fault` filled.
 *
 *   host  of a client: the name or the address to verify and to send; NULL: the
 *         context's option, or none
 *   port  of a client, with the host the key of its sessions; 0: unknown, no
 *         session is resumed
 */
struct ssl_st *awio_tls_context_ssl(awio_tls_context *context, const char *host,
                                    int port, awio_fault *fault);

/* If verifying the peer of `ssl` has failed, add to a fault of its handshake
 * what OpenSSL says of the certificate, and whose it is. */
void awio_tls_context_explain(struct ssl_st *ssl, awio_fault *fault);

#endif
