/* tls_read.c PORT FOLDER - reads what comes and drops it, by SSL_read() */
#include "tls.h"

static void drop(SSL *ssl) {
  static char buffer[65536];
  while (SSL_read(ssl, buffer, sizeof buffer) > 0)
    ;
}

int main(int argc, char **argv) {
  if (argc < 3)
    return 2;
  serve(argv[1], argv[2], drop);
  return 0;
}
