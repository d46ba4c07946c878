/* tls_handshakes.c PORT N FOLDER full|resumed - connections to an echo server
 *
 * N connections, one after the other: a handshake, a request of 64 bytes, its
 * reply, the end. "full" never offers a session; "resumed" offers that of the
 * connection before, which the server has to accept.
 */
#include "tls.h"

enum { SIZE = 64 };

static char request[SIZE] = "a request";

/* Connect once. Returns the session for the next connection, which takes
 * `session`. */
static SSL_SESSION *visit(SSL_CTX *context, int port, SSL_SESSION *session) {
  char reply[SIZE];
  SSL *ssl = connect_tls(context, port, session);
  check_tls(SSL_session_reused(ssl) == (session != NULL), "session");
  SSL_SESSION_free(session);
  check_tls(SSL_write(ssl, request, SIZE) == SIZE, "write");
  get_all(ssl, reply, SIZE);
  errno = 0;
  check(memcmp(reply, request, SIZE) == 0, "the reply is the request");
  /* A copy, since an end without close_notify spoils the original. */
  session = SSL_SESSION_dup(SSL_get_session(ssl));
  close_tls(ssl);
  return session;
}

int main(int argc, char **argv) {
  if (argc != 5)
    return 2;
  bool resumes = strcmp(argv[4], "resumed") == 0;
  int port = (int)number(argv[1], 1, 65535);
  SSL_CTX *context = client_context(argv[3]);
  SSL_SESSION *session = visit(context, port, NULL);
  for (long left = number(argv[2], 0, INT32_MAX); left > 0; left--) {
    if (!resumes) {
      SSL_SESSION_free(session);
      session = NULL;
    }
    session = visit(context, port, session);
  }
  SSL_SESSION_free(session);
  SSL_CTX_free(context);
  return 0;
}
