/* credentials.h - certificates, keys and CRLs, from files and from PEM text
 *
 *     path or PEM ─► text in memory ─► SSL_CTX, X509_STORE
 *
 * Files are read here, whole and without OpenSSL, so that the fault of a file
 * names it, and nothing waits: a path must lead to a regular file. OpenSSL gets
 * a callback for passwords in each call, so it never asks at the terminal. The
 * memory of a file with a key is overwritten before it is freed.
 *
 * All return false with `fault` filled. The fault's `about` is the path, or the
 * option as "PEM text of key".
 */
#ifndef AWIO_TLS_CREDENTIALS_H
#define AWIO_TLS_CREDENTIALS_H

#include "tls/fault.h"
#include "tls/openssl.h"
#include "tls/settings.h"

#include <stdbool.h>

/* Give a context the certificate, its chain and its key, which must belong
 * together. */
bool awio_tls_load_identity(SSL_CTX *context, const awio_tls_identity *identity,
                            awio_fault *fault);

/* Add the certificates of all `settings->ca`. A folder is not read now: OpenSSL
 * looks there for each certificate by its hash.
 *
 *   names  receives the names of the certificates, for clients that choose one
 *          of theirs; awio_tls_free_names() frees the list. NULL: nothing can
 *          be said, since there is a folder. Not set on failure
 */
bool awio_tls_load_ca(X509_STORE *store, const awio_tls_settings *settings,
                      STACK_OF(X509_NAME) * *names, awio_fault *fault);
void awio_tls_free_names(STACK_OF(X509_NAME) * names); /* NULL is fine */

/* Add the CRLs of a path or PEM. */
bool awio_tls_load_crl(X509_STORE *store, const awio_tls_text *crl,
                       awio_fault *fault);

#endif
