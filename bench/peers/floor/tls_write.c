/* tls_write.c PORT FOLDER - answers each byte with a MiB, in pieces of 64 KiB,
 * by SSL_write() */
#include "tls.h"

enum { PIECE = 65536, PIECES = 16 };

static void answer(SSL *ssl) {
  static char piece[PIECE], byte;
  while (SSL_read(ssl, &byte, 1) == 1)
    for (int i = 0; i < PIECES; i++)
      check_tls(SSL_write(ssl, piece, PIECE) == PIECE, "write");
}

int main(int argc, char **argv) {
  if (argc < 3)
    return 2;
  serve(argv[1], argv[2], answer);
  return 0;
}
