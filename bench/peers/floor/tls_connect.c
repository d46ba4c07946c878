/* tls_connect.c N PORT FOLDER - connects N times to a server that is verified,
 * sends 64 bytes and gets them back
 *
 * No session is resumed.
 */
#include "tls.h"

#include <openssl/x509_vfy.h>

enum { SIZE = 64 };

static int connect_to(const char *port) {
  struct sockaddr_in at = {.sin_family = AF_INET};
  at.sin_port = htons((uint16_t)atoi(port));
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  int fd = check(socket(AF_INET, SOCK_STREAM, 0), "socket");
  check(connect(fd, (struct sockaddr *)&at, sizeof at), "connect");
  return fd;
}

static SSL_CTX *client_context(const char *folder) {
  SSL_CTX *context = SSL_CTX_new(TLS_client_method());
  check_tls(context != NULL, "context");
  SSL_CTX_set_read_ahead(context, 1);
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
  check_tls(SSL_CTX_load_verify_locations(
                context, in_folder(folder, "cert.pem"), NULL) == 1,
            folder);
  return context;
}

static void talk(SSL *ssl) {
  char bytes[SIZE] = {0};
  check_tls(SSL_connect(ssl) == 1, "handshake");
  check_tls(SSL_write(ssl, bytes, SIZE) == SIZE, "write");
  int got = 0;
  while (got < SIZE) {
    int count = SSL_read(ssl, bytes + got, SIZE - got);
    check_tls(count > 0, "read");
    got += count;
  }
}

int main(int argc, char **argv) {
  if (argc < 4)
    return 2;
  SSL_CTX *context = client_context(argv[3]);
  for (int left = atoi(argv[1]); left > 0; left--) {
    SSL *ssl = new_connection(context, connect_to(argv[2]));
    check_tls(X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), "127.0.0.1") ==
                  1,
              "host");
    talk(ssl);
    end_connection(ssl, false);
  }
  return 0;
}
