/* sessions.h - sessions that a client may resume
 *
 *     connection to host:port ─► tickets of the server ─► sessions
 *                                                            │
 *     next connection to host:port ◄─────────────────────────┘
 *
 * Each client context has sessions of its own. So a session is resumed only
 * with the very options with which its peer was verified.
 *
 * A session of TLS 1.3 is used once (RFC 8446, C.4); one of TLS 1.2 stays.
 * The newest are kept: a few for each host, since several connections may begin
 * at a time, and a bounded number of all.
 */
#ifndef AWIO_TLS_SESSIONS_H
#define AWIO_TLS_SESSIONS_H

#include "tls/openssl.h"

#include <stdbool.h>
#include <stddef.h>

enum { AWIO_TLS_SESSIONS = 64, AWIO_TLS_SESSIONS_EACH = 4 };

typedef struct awio_tls_session {
  char *host;
  int port;
  SSL_SESSION *session; /* one reference */
} awio_tls_session;

/* Zero at first. The newest is the first. */
typedef struct awio_tls_sessions {
  awio_tls_session all[AWIO_TLS_SESSIONS];
  size_t count;
} awio_tls_sessions;

/* Keep a session for the next connection.
 *
 *   session  takes a reference on success
 *
 * Returns false without memory. */
bool awio_tls_sessions_add(awio_tls_sessions *sessions, const char *host,
                           int port, SSL_SESSION *session);

/* Return the newest session, with a reference that the caller releases; NULL:
 * none. */
SSL_SESSION *awio_tls_sessions_take(awio_tls_sessions *sessions,
                                    const char *host, int port);

void awio_tls_sessions_free(awio_tls_sessions *sessions);

#endif
