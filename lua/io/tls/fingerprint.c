/* fingerprint.c - see fingerprint.h
 *
 * Each part is preceded by its size, so parts cannot be confused with each
 * other.
 */
#include "tls/fingerprint.h"

#include "tls/openssl.h"

#include <string.h>
#include <sys/stat.h>

typedef struct hash {
  EVP_MD_CTX *state;
  bool failed;
} hash;

static void add_bytes(hash *h, const void *data, size_t size) {
  h->failed |= awio_openssl()->EVP_DigestUpdate(h->state, data, size) != 1;
}

static void add_number(hash *h, uint64_t number) {
  add_bytes(h, &number, sizeof number);
}

static void add_text(hash *h, const char *data, size_t size) {
  add_number(h, data ? size : UINT64_MAX);
  if (data)
    add_bytes(h, data, size);
}

static void add_tls_text(hash *h, const awio_tls_text *text) {
  add_text(h, text->data, text->size);
}

static void add_time(hash *h, const struct timespec *time) {
  add_number(h, (uint64_t)time->tv_sec);
  add_number(h, (uint64_t)time->tv_nsec);
}

/* A file that is missing counts as such: its failure is told when it is read.
 */
static void add_pem(hash *h, const awio_tls_text *text) {
  struct stat file;
  add_tls_text(h, text);
  if (!text->data || awio_tls_is_pem(text) || stat(text->data, &file) < 0)
    return;
  add_number(h, (uint64_t)file.st_dev);
  add_number(h, (uint64_t)file.st_ino);
  add_number(h, (uint64_t)file.st_size);
  add_time(h, &file.st_mtim);
  add_time(h, &file.st_ctim);
}

static void add_identity(hash *h, const awio_tls_identity *identity) {
  add_pem(h, &identity->cert);
  add_pem(h, &identity->key);
  add_tls_text(h, &identity->password);
}

static void add_settings(hash *h, const awio_tls_settings *s) {
  add_number(h, s->server);
  add_number(h, s->verify);
  add_number(h, s->timeout);
  add_number(h, s->ca_count);
  for (size_t i = 0; i < s->ca_count; i++)
    add_pem(h, &s->ca[i]);
  add_pem(h, &s->crl);
  add_identity(h, &s->identity);
  add_tls_text(h, &s->host);
  add_tls_text(h, &s->alpn);
  add_number(h, s->host_count);
  for (size_t i = 0; i < s->host_count; i++) {
    add_text(h, s->hosts[i].name, strlen(s->hosts[i].name));
    add_identity(h, &s->hosts[i].identity);
  }
}

bool awio_tls_fingerprint(const awio_tls_settings *s,
                          unsigned char out[AWIO_TLS_FINGERPRINT]) {
  const awio_openssl_calls *o = awio_openssl();
  hash h = {o->EVP_MD_CTX_new(), false};
  if (!h.state)
    return false;
  h.failed = o->EVP_DigestInit_ex(h.state, o->EVP_sha256(), NULL) != 1;
  if (!h.failed)
    add_settings(&h, s);
  bool done = !h.failed && o->EVP_DigestFinal_ex(h.state, out, NULL) == 1;
  o->EVP_MD_CTX_free(h.state);
  return done;
}
