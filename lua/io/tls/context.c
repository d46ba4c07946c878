/* context.c - see context.h
 *
 *     awio_tls_context ─► SSL_CTX ─► X509_STORE: own, or that of the system
 *                      ├► SSL_CTX of each host (server)
 *                      └► sessions (client)
 *
 * An SSL has a `link` back to its context, with a reference: sessions come, and
 * host names are looked up, in callbacks of OpenSSL. The link is freed with the
 * SSL.
 *
 * The store of the system's certificates is made once in a process, at the
 * first use, since reading 140 certificates takes about 10 ms. It is never
 * changed or freed. A client with `crl` has a store of its own.
 *
 * A context and its connections belong to one thread; only the store is shared.
 *
 * More than 500 lines: struct awio_tls_context is known only here.
 */
#include "tls/context.h"

#include "tls/credentials.h"
#include "tls/openssl.h"
#include "tls/sessions.h"

#include <aiowire.h>

#include <arpa/inet.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

/* Another certificate of a server. */
typedef struct other {
  char *name; /* see awio_tls_host */
  SSL_CTX *ctx;
} other;

struct awio_tls_context {
  unsigned refs;
  SSL_CTX *ctx;
  bool server, verifies;
  uint64_t timeout;
  char *host;                  /* or NULL */
  awio_tls_text alpn;          /* of a server; as in the settings */
  awio_tls_settings *settings; /* or NULL */
  other *others;               /* ordered by name */
  size_t other_count;
  awio_tls_sessions sessions;
};

/* What a connection has beside OpenSSL's. */
typedef struct link {
  awio_tls_context *context; /* referenced */
  X509 *refused;             /* referenced; the certificate at fault, or NULL */
  int port;                  /* 0: no session is kept */
  char host[];
} link;

/* ---- shared by all contexts ---- */

static pthread_mutex_t guard = PTHREAD_MUTEX_INITIALIZER;
static X509_STORE *system_store;
static int link_index = -1;

/* OpenSSL frees an SSL: free its link. */
static void free_link(void *parent, void *data, CRYPTO_EX_DATA *all, int index,
                      long number, void *pointer) {
  (void)parent, (void)all, (void)index, (void)number, (void)pointer;
  link *it = data;
  if (!it)
    return;
  awio_openssl()->X509_free(it->refused);
  awio_tls_context_release(it->context);
  aw_free(it);
}

static bool open_link_index(void) {
  pthread_mutex_lock(&guard);
  if (link_index < 0)
    link_index = awio_openssl()->CRYPTO_get_ex_new_index(
        CRYPTO_EX_INDEX_SSL, 0, NULL, NULL, NULL, free_link);
  pthread_mutex_unlock(&guard);
  return link_index >= 0;
}

static link *link_of(const SSL *ssl) {
  return awio_openssl()->SSL_get_ex_data(ssl, link_index);
}

/* Make a store of the system's certificates. A file that is missing is no
 * error, as in OpenSSL's own programs. */
static X509_STORE *new_system_store(void) {
  const awio_openssl_calls *o = awio_openssl();
  X509_STORE *store = o->X509_STORE_new();
  if (store && o->X509_STORE_set_default_paths(store) != 1) {
    o->X509_STORE_free(store);
    store = NULL;
  }
  return store;
}

/* Return the shared store, with a reference; NULL without memory. */
static X509_STORE *keep_system_store(void) {
  pthread_mutex_lock(&guard);
  if (!system_store)
    system_store = new_system_store();
  X509_STORE *store = system_store;
  if (store)
    awio_openssl()->X509_STORE_up_ref(store);
  pthread_mutex_unlock(&guard);
  return store;
}

/* ---- faults ---- */

static bool fail_openssl(awio_fault *fault) {
  awio_fault_take(fault);
  return false;
}

static bool fail_memory(awio_fault *fault) {
  awio_fault_system(fault, AW_ENOMEM);
  return false;
}

static bool fail_missing(awio_fault *fault) {
  char detail[sizeof fault->detail];
  snprintf(detail, sizeof detail,
           "aw.tls needs OpenSSL 3 (Debian: libssl3): %s",
           awio_openssl_problem());
  awio_fault_set(fault, "NO_OPENSSL", detail);
  return false;
}

/* ---- callbacks of OpenSSL ---- */

/* Is there merely no CRL for an authority of the chain? Only the peer's own
 * certificate needs one. */
static bool misses_crl_of_authority(X509_STORE_CTX *check) {
  const awio_openssl_calls *o = awio_openssl();
  return o->X509_STORE_CTX_get_error(check) == X509_V_ERR_UNABLE_TO_GET_CRL &&
         o->X509_STORE_CTX_get_error_depth(check) > 0;
}

/* Remember the certificate that is refused first. */
static int note_refused(int accepted, X509_STORE_CTX *check) {
  const awio_openssl_calls *o = awio_openssl();
  if (!accepted && misses_crl_of_authority(check)) {
    o->X509_STORE_CTX_set_error(check, X509_V_OK);
    return 1;
  }
  SSL *ssl = o->X509_STORE_CTX_get_ex_data(
      check, o->SSL_get_ex_data_X509_STORE_CTX_idx());
  link *it = !accepted && ssl ? link_of(ssl) : NULL;
  X509 *cert =
      it && !it->refused ? o->X509_STORE_CTX_get_current_cert(check) : NULL;
  if (cert && o->X509_up_ref(cert) == 1)
    it->refused = cert;
  return accepted;
}

/* A session may be resumed. Returns 1 if it is kept, with its reference. */
static int keep_session(SSL *ssl, SSL_SESSION *session) {
  link *it = link_of(ssl);
  return it && it->port > 0 &&
         awio_tls_sessions_add(&it->context->sessions, it->host, it->port,
                               session);
}

/* Choose a protocol: the first of the server's that the client has. */
static int choose_protocol(SSL *ssl, const unsigned char **out,
                           unsigned char *size, const unsigned char *theirs,
                           unsigned their_size, void *data) {
  (void)ssl;
  const awio_tls_context *c = data;
  unsigned char *chosen = NULL;
  int rc = awio_openssl()->SSL_select_next_proto(
      &chosen, size, (const unsigned char *)c->alpn.data,
      (unsigned)c->alpn.size, theirs, their_size);
  *out = chosen;
  return rc == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK
                                      : SSL_TLSEXT_ERR_ALERT_FATAL;
}

static SSL_CTX *find_other(const awio_tls_context *c, const char *name) {
  size_t low = 0, high = c->other_count;
  while (low < high) {
    size_t middle = low + (high - low) / 2;
    int order = strcmp(name, c->others[middle].name);
    if (order == 0)
      return c->others[middle].ctx;
    if (order < 0)
      high = middle;
    else
      low = middle + 1;
  }
  return NULL;
}

/* Find the certificate for a name: its own, or that of "*." and all behind its
 * first label. */
static SSL_CTX *context_for(const awio_tls_context *c, const char *name) {
  enum { ROOM = 256 };
  char folded[ROOM];
  if (awio_tls_fold_name(name, folded, ROOM) == 0)
    return NULL;
  SSL_CTX *own = find_other(c, folded);
  char *dot = strchr(folded, '.');
  if (own || !dot || dot == folded)
    return own;
  dot[-1] = '*';
  return find_other(c, dot - 1);
}

/* A client has named a host. Others get the main certificate. */
static int switch_host(SSL *ssl, int *alert, void *data) {
  (void)alert;
  const awio_openssl_calls *o = awio_openssl();
  const char *name = o->SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
  SSL_CTX *ctx = name ? context_for(data, name) : NULL;
  if (ctx && !o->SSL_set_SSL_CTX(ssl, ctx))
    return SSL_TLSEXT_ERR_ALERT_FATAL;
  return name ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_NOACK;
}

/* ---- making an SSL_CTX ---- */

/* The system may demand more. */
static bool set_least_version(SSL_CTX *ctx) {
  const awio_openssl_calls *o = awio_openssl();
  long least = o->SSL_CTX_ctrl(ctx, SSL_CTRL_GET_MIN_PROTO_VERSION, 0, NULL);
  return least >= TLS1_2_VERSION ||
         o->SSL_CTX_ctrl(ctx, SSL_CTRL_SET_MIN_PROTO_VERSION, TLS1_2_VERSION,
                         NULL) == 1;
}

/* Without NO_AUTO_CHAIN, OpenSSL would look in the store for the chain of a
 * lone certificate in each handshake. */
static bool set_modes(SSL_CTX *ctx, bool server) {
  const awio_openssl_calls *o = awio_openssl();
  uint64_t options = SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION;
  if (server)
    options |= SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA;
  o->SSL_CTX_set_options(ctx, options);
  o->SSL_CTX_ctrl(ctx, SSL_CTRL_MODE,
                  SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                      SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                      SSL_MODE_AUTO_RETRY | SSL_MODE_NO_AUTO_CHAIN,
                  NULL);
  o->SSL_CTX_ctrl(ctx, SSL_CTRL_SET_READ_AHEAD, 1, NULL);
  return set_least_version(ctx);
}

/* Servers keep no sessions: the client has them, as tickets. The keys of the
 * tickets live as long as the context. */
static bool set_sessions(SSL_CTX *ctx, bool server) {
  static const unsigned char ID[] = "aiowire";
  const awio_openssl_calls *o = awio_openssl();
  o->SSL_CTX_ctrl(ctx, SSL_CTRL_SET_SESS_CACHE_MODE,
                  server ? SSL_SESS_CACHE_OFF
                         : SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL,
                  NULL);
  if (!server)
    o->SSL_CTX_sess_set_new_cb(ctx, keep_session);
  return !server ||
         o->SSL_CTX_set_session_id_context(ctx, ID, sizeof ID - 1) == 1;
}

static void set_verify(SSL_CTX *ctx, const awio_tls_settings *s) {
  int mode = SSL_VERIFY_NONE;
  if (s->verify != AWIO_TLS_UNVERIFIED)
    mode = SSL_VERIFY_PEER;
  if (s->server && s->verify == AWIO_TLS_VERIFIED)
    mode |= SSL_VERIFY_FAIL_IF_NO_PEER_CERT;
  awio_openssl()->SSL_CTX_set_verify(ctx, mode, note_refused);
}

/* SSL_CTX_set_alpn_protos() returns 0 for success. */
static bool use_alpn(SSL_CTX *ctx, awio_tls_context *c,
                     const awio_tls_settings *s) {
  const awio_openssl_calls *o = awio_openssl();
  if (s->alpn.size == 0)
    return true;
  if (c->server)
    o->SSL_CTX_set_alpn_select_cb(ctx, choose_protocol, c);
  return c->server ||
         o->SSL_CTX_set_alpn_protos(ctx, (const unsigned char *)s->alpn.data,
                                    (unsigned)s->alpn.size) == 0;
}

/* Whose certificates are accepted: a store, and the names in it. */
typedef struct trust {
  X509_STORE *store; /* NULL: nothing is checked */
  STACK_OF(X509_NAME) * names;
  unsigned long flags;
} trust;

static void drop_trust(trust *t) {
  awio_openssl()->X509_STORE_free(t->store);
  awio_tls_free_names(t->names);
}

/* A certificate given as `ca` is trusted, even if another one has issued it. */
static bool fill_trust(trust *t, const awio_tls_settings *s,
                       awio_fault *fault) {
  if (s->ca_count > 0) {
    t->flags |= X509_V_FLAG_PARTIAL_CHAIN;
    if (!awio_tls_load_ca(t->store, s, &t->names, fault))
      return false;
  }
  if (s->crl.data) {
    t->flags |= X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL;
    return awio_tls_load_crl(t->store, &s->crl, fault);
  }
  return true;
}

static bool make_trust(trust *t, const awio_tls_settings *s,
                       awio_fault *fault) {
  bool uses_system = !s->server && s->ca_count == 0;
  if (s->verify == AWIO_TLS_UNVERIFIED)
    return true;
  awio_fault_clear();
  if (uses_system)
    t->store = s->crl.data ? new_system_store() : keep_system_store();
  else
    t->store = awio_openssl()->X509_STORE_new();
  if (!t->store)
    return fail_memory(fault);
  if (fill_trust(t, s, fault))
    return true;
  drop_trust(t);
  *t = (trust){NULL, NULL, 0};
  return false;
}

/* Tell clients which certificates they may show. */
static bool announce(SSL_CTX *ctx, const STACK_OF(X509_NAME) * names) {
  const awio_openssl_calls *o = awio_openssl();
  STACK_OF(X509_NAME) *copy = names ? o->SSL_dup_CA_list(names) : NULL;
  if (copy)
    o->SSL_CTX_set_client_CA_list(ctx, copy); /* takes */
  return copy || !names;
}

static bool apply_trust(SSL_CTX *ctx, bool server, const trust *t) {
  const awio_openssl_calls *o = awio_openssl();
  X509_VERIFY_PARAM *rules = o->SSL_CTX_get0_param(ctx);
  o->X509_VERIFY_PARAM_set_hostflags(rules,
                                     X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS |
                                         X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
  if (!t->store)
    return true;
  o->SSL_CTX_set1_cert_store(ctx, t->store);
  if (server && !announce(ctx, t->names))
    return false;
  return !t->flags || o->X509_VERIFY_PARAM_set_flags(rules, t->flags) == 1;
}

/* Make an SSL_CTX. Returns NULL with `fault` filled. */
static SSL_CTX *new_ctx(awio_tls_context *c, const awio_tls_settings *s,
                        const awio_tls_identity *identity, const trust *t,
                        awio_fault *fault) {
  const awio_openssl_calls *o = awio_openssl();
  awio_fault_clear();
  SSL_CTX *ctx = o->SSL_CTX_new(s->server ? o->TLS_server_method()
                                          : o->TLS_client_method());
  if (!ctx) {
    fail_openssl(fault);
    return NULL;
  }
  set_verify(ctx, s);
  bool done = (set_modes(ctx, s->server) && set_sessions(ctx, s->server) &&
               use_alpn(ctx, c, s) && apply_trust(ctx, s->server, t)) ||
              fail_openssl(fault);
  if (done && identity->cert.data)
    done = awio_tls_load_identity(ctx, identity, fault);
  if (done)
    return ctx;
  o->SSL_CTX_free(ctx);
  return NULL;
}

/* ---- contexts ---- */

static bool copy_string(char **to, const char *from) {
  *to = aw_allocate(strlen(from) + 1);
  if (*to)
    strcpy(*to, from);
  return *to != NULL;
}

static bool copy_plain(awio_tls_context *c, const awio_tls_settings *s) {
  if (s->host.data && !copy_string(&c->host, s->host.data))
    return false;
  if (!s->server || s->alpn.size == 0)
    return true;
  c->alpn.data = aw_allocate(s->alpn.size);
  if (!c->alpn.data)
    return false;
  memcpy(c->alpn.data, s->alpn.data, s->alpn.size);
  c->alpn.size = s->alpn.size;
  return true;
}

static bool make_others(awio_tls_context *c, const awio_tls_settings *s,
                        const trust *t, awio_fault *fault) {
  if (s->host_count == 0)
    return true;
  c->others = aw_allocate(s->host_count * sizeof *c->others);
  if (!c->others)
    return fail_memory(fault);
  for (size_t i = 0; i < s->host_count; i++) {
    other *it = &c->others[c->other_count];
    if (!copy_string(&it->name, s->hosts[i].name))
      return fail_memory(fault);
    c->other_count++;
    it->ctx = new_ctx(c, s, &s->hosts[i].identity, t, fault);
    if (!it->ctx)
      return false;
  }
  return true;
}

static void watch_hosts(awio_tls_context *c) {
  const awio_openssl_calls *o = awio_openssl();
  o->SSL_CTX_callback_ctrl(c->ctx, SSL_CTRL_SET_TLSEXT_SERVERNAME_CB,
                           (void (*)(void))switch_host);
  o->SSL_CTX_ctrl(c->ctx, SSL_CTRL_SET_TLSEXT_SERVERNAME_ARG, 0, c);
}

static bool fill_tls_context(awio_tls_context *c, const awio_tls_settings *s,
                             const trust *t, awio_fault *fault) {
  if (!copy_plain(c, s))
    return fail_memory(fault);
  c->ctx = new_ctx(c, s, &s->identity, t, fault);
  if (!c->ctx || !make_others(c, s, t, fault))
    return false;
  if (s->server)
    watch_hosts(c);
  return true;
}

bool awio_tls_open(void) {
  return awio_openssl_open() != NULL;
}

awio_tls_context *awio_tls_context_new(const awio_tls_settings *s,
                                       awio_fault *fault) {
  trust t = {NULL, NULL, 0};
  if (!awio_tls_open()) {
    fail_missing(fault);
    return NULL;
  }
  awio_tls_context *c = aw_allocate(sizeof *c);
  if (!c || !open_link_index()) {
    aw_free(c);
    fail_memory(fault);
    return NULL;
  }
  c->refs = 1;
  c->server = s->server;
  c->verifies = s->verify != AWIO_TLS_UNVERIFIED;
  c->timeout = s->timeout;
  bool done = make_trust(&t, s, fault) && fill_tls_context(c, s, &t, fault);
  drop_trust(&t);
  if (done)
    return c;
  awio_tls_context_release(c);
  return NULL;
}

awio_tls_context *awio_tls_context_keep(awio_tls_context *c) {
  if (c)
    c->refs++;
  return c;
}

void awio_tls_context_release(awio_tls_context *c) {
  const awio_openssl_calls *o = awio_openssl();
  if (!c || --c->refs > 0)
    return;
  for (size_t i = 0; i < c->other_count; i++) {
    o->SSL_CTX_free(c->others[i].ctx);
    aw_free(c->others[i].name);
  }
  aw_free(c->others);
  awio_tls_sessions_free(&c->sessions);
  o->SSL_CTX_free(c->ctx);
  awio_tls_settings_free(c->settings);
  aw_free(c->alpn.data);
  aw_free(c->host);
  aw_free(c);
}

void awio_tls_context_adopt(awio_tls_context *c, awio_tls_settings *settings) {
  c->settings = settings;
}

const awio_tls_settings *awio_tls_context_settings(const awio_tls_context *c) {
  return c->settings;
}

bool awio_tls_context_is_server(const awio_tls_context *c) {
  return c->server;
}

bool awio_tls_context_verifies(const awio_tls_context *c) {
  return c->verifies;
}

uint64_t awio_tls_context_timeout(const awio_tls_context *c) {
  return c->timeout;
}

const char *awio_tls_context_host(const awio_tls_context *c) {
  return c->host;
}

/* ---- connections ---- */

/* Copy an address without its zone, as in "fe80::1%eth0". Is it an address? */
static bool is_address(const char *host, char *out, size_t room) {
  unsigned char bytes[sizeof(struct in6_addr)];
  size_t size = strcspn(host, "%");
  if (size >= room)
    return false;
  memcpy(out, host, size);
  out[size] = '\0';
  return inet_pton(AF_INET, out, bytes) == 1 ||
         inet_pton(AF_INET6, out, bytes) == 1;
}

/* Tell OpenSSL which peer it must be: an address, which is not sent, or a name.
 * One with a dot in front would stand for all names that end so. */
static bool name_peer(SSL *ssl, const char *host) {
  enum { ROOM = 256 };
  char text[ROOM];
  const awio_openssl_calls *o = awio_openssl();
  X509_VERIFY_PARAM *rules = o->SSL_get0_param(ssl);
  if (is_address(host, text, sizeof text))
    return o->X509_VERIFY_PARAM_set1_ip_asc(rules, text) == 1;
  return awio_tls_fold_name(host, text, sizeof text) > 0 && text[0] != '.' &&
         o->X509_VERIFY_PARAM_set1_host(rules, text, 0) == 1 &&
         o->SSL_ctrl(ssl, SSL_CTRL_SET_TLSEXT_HOSTNAME,
                     TLSEXT_NAMETYPE_host_name, text) == 1;
}

static bool resume(SSL *ssl, awio_tls_context *c, const char *host, int port) {
  const awio_openssl_calls *o = awio_openssl();
  SSL_SESSION *session = awio_tls_sessions_take(&c->sessions, host, port);
  if (!session)
    return true;
  bool done = o->SSL_set_session(ssl, session) == 1;
  o->SSL_SESSION_free(session);
  return done;
}

/* Give the SSL its link. Returns false without memory. */
static bool add_link(SSL *ssl, awio_tls_context *c, const char *host,
                     int port) {
  size_t size = host ? strlen(host) : 0;
  link *it = aw_allocate(sizeof *it + size + 1);
  if (!it)
    return false;
  if (awio_openssl()->SSL_set_ex_data(ssl, link_index, it) != 1) {
    aw_free(it);
    return false;
  }
  it->context = awio_tls_context_keep(c);
  it->port = host ? port : 0;
  if (host)
    memcpy(it->host, host, size + 1);
  return true;
}

static bool prepare_client(SSL *ssl, awio_tls_context *c, const char *host,
                           int port, awio_fault *fault) {
  if (!host && c->verifies) {
    awio_fault_set(fault, "NO_HOST", "the name of the peer is not known");
    return false;
  }
  awio_openssl()->SSL_set_connect_state(ssl);
  if (!host)
    return true;
  if (!name_peer(ssl, host)) {
    awio_fault_set(fault, "BAD_HOST", "no name of a host");
    return false;
  }
  return port == 0 || resume(ssl, c, host, port) || fail_openssl(fault);
}

static bool prepare_ssl(SSL *ssl, awio_tls_context *c, const char *host,
                        int port, awio_fault *fault) {
  if (!add_link(ssl, c, host, port))
    return fail_memory(fault);
  if (!c->server)
    return prepare_client(ssl, c, host, port, fault);
  awio_openssl()->SSL_set_accept_state(ssl);
  return true;
}

SSL *awio_tls_context_ssl(awio_tls_context *c, const char *host, int port,
                          awio_fault *fault) {
  const awio_openssl_calls *o = awio_openssl();
  awio_fault_clear();
  SSL *ssl = o->SSL_new(c->ctx);
  if (!ssl) {
    fail_openssl(fault);
    return NULL;
  }
  if (prepare_ssl(ssl, c, host ? host : c->host, port, fault))
    return ssl;
  o->SSL_free(ssl);
  return NULL;
}

void awio_tls_context_explain(SSL *ssl, awio_fault *fault) {
  const awio_openssl_calls *o = awio_openssl();
  long result = o->SSL_get_verify_result(ssl);
  const link *it = link_of(ssl);
  if (fault->code != AWIO_ETLS || fault->from_peer || result == X509_V_OK ||
      strcmp(fault->name, "CERTIFICATE_VERIFY_FAILED") != 0)
    return;
  snprintf(fault->detail, sizeof fault->detail, "%s",
           o->X509_verify_cert_error_string(result));
  if (it && it->refused)
    awio_fault_name_text(o->X509_get_subject_name(it->refused),
                         fault->certificate, sizeof fault->certificate);
}
