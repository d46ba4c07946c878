/* tls_server.c PORT N FOLDER - an echo server for programs that connect
 *
 * It serves one connection after the other until it is ended. It gives no
 * sessions, so that each handshake is a full one.
 */
#include "tls.h"

#include <signal.h>

static SSL_CTX *server_context(const char *folder) {
  SSL_CTX *context = SSL_CTX_new(TLS_server_method());
  check_tls(context && SSL_CTX_set_num_tickets(context, 0) == 1, "context");
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_options(context, SSL_OP_NO_TICKET);
  check_tls(
      SSL_CTX_use_certificate_chain_file(context,
                                         in_folder(folder, "cert.pem")) == 1 &&
          SSL_CTX_use_PrivateKey_file(context, in_folder(folder, "key.pem"),
                                      SSL_FILETYPE_PEM) == 1,
      folder);
  return context;
}

static int listen_at(int port) {
  struct sockaddr_in at = {.sin_family = AF_INET};
  at.sin_port = htons((uint16_t)port);
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  check(fd >= 0 && bind(fd, (struct sockaddr *)&at, sizeof at) == 0 &&
            listen(fd, 1024) == 0,
        "listen");
  return fd;
}

/* A connection that fails is the program's business. */
static void serve(SSL *ssl) {
  char bytes[4096];
  int count, on = 1;
  setsockopt(SSL_get_fd(ssl), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (SSL_accept(ssl) == 1) {
    while ((count = SSL_read(ssl, bytes, sizeof bytes)) > 0 &&
           SSL_write(ssl, bytes, count) == count)
      ;
    if (SSL_get_shutdown(ssl) & SSL_RECEIVED_SHUTDOWN)
      SSL_shutdown(ssl);
  }
  ERR_clear_error();
}

int main(int argc, char **argv) {
  if (argc < 4)
    return 2;
  signal(SIGPIPE, SIG_IGN);
  SSL_CTX *context = server_context(argv[3]);
  int server = listen_at((int)number(argv[1], 1, 65535));
  for (;;) {
    int fd = accept(server, NULL, NULL);
    check(fd >= 0, "accept");
    SSL *ssl = SSL_new(context);
    check_tls(ssl && SSL_set_fd(ssl, fd) == 1, "connection");
    serve(ssl);
    SSL_free(ssl);
    close(fd);
  }
}
