/* tls.h - what the floors over OpenSSL share: failures, a server's context,
 * connections that are accepted one after the other */
#ifndef FLOOR_TLS_H
#define FLOOR_TLS_H

#include "accept.h"

#include <openssl/err.h>
#include <openssl/ssl.h>

#include <netinet/tcp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static inline void check_tls(bool good, const char *what) {
  if (good)
    return;
  fprintf(stderr, "floor: %s\n", what);
  ERR_print_errors_fp(stderr);
  exit(1);
}

static inline const char *in_folder(const char *folder, const char *name) {
  static char path[4096];
  snprintf(path, sizeof path, "%s/%s", folder, name);
  return path;
}

/* Make a server's context of cert.pem and key.pem in `folder`. To read ahead
 * spares a system call for each record. OpenSSL writes by write(2), which would
 * raise SIGPIPE. */
static inline SSL_CTX *server_context(const char *folder) {
  signal(SIGPIPE, SIG_IGN);
  SSL_CTX *context = SSL_CTX_new(TLS_server_method());
  check_tls(context != NULL, "context");
  SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_read_ahead(context, 1);
  check_tls(
      SSL_CTX_use_certificate_chain_file(context,
                                         in_folder(folder, "cert.pem")) == 1 &&
          SSL_CTX_use_PrivateKey_file(context, in_folder(folder, "key.pem"),
                                      SSL_FILETYPE_PEM) == 1,
      folder);
  return context;
}

/* Make one end of a TLS connection over `fd`. */
static inline SSL *new_connection(SSL_CTX *context, int fd) {
  int on = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  SSL *ssl = SSL_new(context);
  check_tls(ssl && SSL_set_fd(ssl, fd) == 1, "connection");
  return ssl;
}

/* Send close_notify unless the connection has failed, and close. */
static inline void end_connection(SSL *ssl, bool failed) {
  int fd = SSL_get_fd(ssl);
  if (!failed)
    SSL_shutdown(ssl);
  SSL_free(ssl);
  close(fd);
}

/* Serve connections, one after the other. */
static inline void serve(const char *port, const char *folder,
                         void (*talk)(SSL *)) {
  SSL_CTX *context = server_context(folder);
  int server = listen_at(port);
  for (;;) {
    SSL *ssl = new_connection(context, accept_one(server));
    bool good = SSL_accept(ssl) == 1;
    if (good)
      talk(ssl);
    end_connection(ssl, !good);
    ERR_clear_error();
  }
}

#endif
