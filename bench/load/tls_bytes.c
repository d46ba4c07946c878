/* tls_bytes.c send|ask PORT N FOLDER - large amounts on one TLS connection
 *
 * "send" sends N MiB, in pieces of 64 KiB. "ask" sends N bytes, and awaits a
 * MiB for each. Then it ends the connection, and awaits the server's end.
 */
#include "tls.h"

enum { PIECE = 65536, PIECES = 16 };

static char piece[PIECE];

static void send_all(SSL *ssl, long mebibytes) {
  for (long i = 0; i < mebibytes * PIECES; i++)
    check_tls(SSL_write(ssl, piece, PIECE) == PIECE, "write");
}

static void ask_all(SSL *ssl, long mebibytes) {
  for (long i = 0; i < mebibytes; i++) {
    check_tls(SSL_write(ssl, "?", 1) == 1, "write");
    for (int j = 0; j < PIECES; j++)
      get_all(ssl, piece, PIECE);
  }
}

int main(int argc, char **argv) {
  if (argc != 5)
    return 2;
  SSL_CTX *context = client_context(argv[4]);
  SSL *ssl = connect_tls(context, (int)number(argv[2], 1, 65535), NULL);
  long mebibytes = number(argv[3], 0, INT32_MAX);
  if (strcmp(argv[1], "send") == 0)
    send_all(ssl, mebibytes);
  else
    ask_all(ssl, mebibytes);
  close_tls(ssl);
  SSL_CTX_free(context);
  return 0;
}
