/* tls.h - what the loads over OpenSSL share: failures, contexts, connections */
#ifndef LOAD_TLS_H
#define LOAD_TLS_H

#include "load.h"

#include <openssl/err.h>
#include <openssl/ssl.h>

static inline void check_tls(bool good, const char *what) {
  if (good)
    return;
  ERR_print_errors_fp(stderr);
  errno = 0;
  check(false, what);
}

static inline const char *in_folder(const char *folder, const char *name) {
  static char path[4096];
  snprintf(path, sizeof path, "%s/%s", folder, name);
  return path;
}

/* Make a client's context that trusts cert.pem in `folder`.
 *
 * A server may end without close_notify, since cqueues does. */
static inline SSL_CTX *client_context(const char *folder) {
  SSL_CTX *context = SSL_CTX_new(TLS_client_method());
  check_tls(context != NULL, "context");
  SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_options(context, SSL_OP_IGNORE_UNEXPECTED_EOF);
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
  check_tls(SSL_CTX_load_verify_locations(
                context, in_folder(folder, "cert.pem"), NULL) == 1,
            folder);
  return context;
}

/* Connect and await the end of the handshake. `session` may be NULL. */
static inline SSL *connect_tls(SSL_CTX *context, int port,
                               SSL_SESSION *session) {
  SSL *ssl = SSL_new(context);
  check_tls(ssl && SSL_set_fd(ssl, connect_to(port)) == 1, "connection");
  if (session)
    check_tls(SSL_set_session(ssl, session) == 1, "session");
  check_tls(SSL_connect(ssl) == 1, "handshake");
  return ssl;
}

/* Read `size` bytes of a connection that blocks. */
static inline void get_all(SSL *ssl, char *bytes, int size) {
  for (int got = 0; got < size;) {
    int count = SSL_read(ssl, bytes + got, size - got);
    check_tls(count > 0, "read");
    got += count;
  }
}

/* End a connection that blocks, and await the peer's end. */
static inline void close_tls(SSL *ssl) {
  int fd = SSL_get_fd(ssl);
  char byte;
  SSL_shutdown(ssl);
  check_tls(SSL_read(ssl, &byte, 1) == 0, "nothing beyond the bytes sent");
  SSL_free(ssl);
  close(fd);
}

#endif
