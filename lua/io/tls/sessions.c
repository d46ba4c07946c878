/* sessions.c - see sessions.h */
#include "tls/sessions.h"

#include <aiowire.h>

#include <string.h>

static bool is_for(const awio_tls_session *it, const char *host, int port) {
  return it->port == port && strcmp(it->host, host) == 0;
}

/* Remove the session at `index`, and return its reference. */
static SSL_SESSION *remove_session(awio_tls_sessions *s, size_t index) {
  SSL_SESSION *session = s->all[index].session;
  aw_free(s->all[index].host);
  s->count--;
  memmove(&s->all[index], &s->all[index + 1],
          (s->count - index) * sizeof *s->all);
  return session;
}

static void drop_session(awio_tls_sessions *s, size_t index) {
  awio_openssl()->SSL_SESSION_free(remove_session(s, index));
}

/* Make room for one more: drop the oldest of this host, if it has enough, or
 * the oldest of all. */
static void drop_oldest(awio_tls_sessions *s, const char *host, int port) {
  size_t of_host = 0, oldest = 0;
  for (size_t i = 0; i < s->count; i++)
    if (is_for(&s->all[i], host, port)) {
      of_host++;
      oldest = i;
    }
  if (of_host == AWIO_TLS_SESSIONS_EACH)
    drop_session(s, oldest);
  else if (s->count == AWIO_TLS_SESSIONS)
    drop_session(s, s->count - 1);
}

bool awio_tls_sessions_add(awio_tls_sessions *s, const char *host, int port,
                           SSL_SESSION *session) {
  char *copy = aw_allocate(strlen(host) + 1);
  if (!copy)
    return false;
  strcpy(copy, host);
  drop_oldest(s, host, port);
  memmove(&s->all[1], &s->all[0], s->count * sizeof *s->all);
  s->all[0] = (awio_tls_session){copy, port, session};
  s->count++;
  return true;
}

/* A connection that has failed has made its session unfit. */
static SSL_SESSION *take_at(awio_tls_sessions *s, size_t index) {
  const awio_openssl_calls *o = awio_openssl();
  SSL_SESSION *session = s->all[index].session;
  if (o->SSL_SESSION_is_resumable(session) &&
      o->SSL_SESSION_get_protocol_version(session) < TLS1_3_VERSION) {
    o->SSL_SESSION_up_ref(session);
    return session;
  }
  remove_session(s, index);
  if (o->SSL_SESSION_is_resumable(session))
    return session;
  o->SSL_SESSION_free(session);
  return NULL;
}

SSL_SESSION *awio_tls_sessions_take(awio_tls_sessions *s, const char *host,
                                    int port) {
  for (size_t i = 0; i < s->count;) {
    SSL_SESSION *session = NULL;
    if (!is_for(&s->all[i], host, port))
      i++;
    else if ((session = take_at(s, i)) != NULL)
      return session;
  }
  return NULL;
}

void awio_tls_sessions_free(awio_tls_sessions *s) {
  while (s->count > 0)
    drop_session(s, s->count - 1);
}
