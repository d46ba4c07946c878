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

static void hash_bytes(hash *h, const void *data, size_t size) {
  h->failed |= awio_openssl()->EVP_DigestUpdate(h->state, data, size) != 1;
}

static void hash_number(hash *h, uint64_t number) {
  hash_bytes(h, &number, sizeof number);
}

static void hash_text(hash *h, const char *data, size_t size) {
  hash_number(h, data ? size : UINT64_MAX);
  if (data)
    hash_bytes(h, data, size);
}

static void hash_tls_text(hash *h, const awio_tls_text *text) {
  hash_text(h, text->data, text->size);
}

static void hash_time(hash *h, const struct timespec *time) {
  hash_number(h, (uint64_t)time->tv_sec);
  hash_number(h, (uint64_t)time->tv_nsec);
}

/* A file that is missing counts as such: its failure is told when it is read.
 */
static void hash_pem(hash *h, const awio_tls_text *text) {
  struct stat file;
  hash_tls_text(h, text);
  if (!text->data || awio_tls_is_pem(text) || stat(text->data, &file) < 0)
    return;
  hash_number(h, (uint64_t)file.st_dev);
  hash_number(h, (uint64_t)file.st_ino);
  hash_number(h, (uint64_t)file.st_size);
  hash_time(h, &file.st_mtim);
  hash_time(h, &file.st_ctim);
}

static void hash_identity(hash *h, const awio_tls_identity *identity) {
  hash_pem(h, &identity->cert);
  hash_pem(h, &identity->key);
  hash_tls_text(h, &identity->password);
}

static void hash_settings(hash *h, const awio_tls_settings *s) {
  hash_number(h, s->server);
  hash_number(h, s->verify);
  hash_number(h, s->timeout);
  hash_number(h, s->ca_count);
  for (size_t i = 0; i < s->ca_count; i++)
    hash_pem(h, &s->ca[i]);
  hash_pem(h, &s->crl);
  hash_identity(h, &s->identity);
  hash_tls_text(h, &s->host);
  hash_tls_text(h, &s->alpn);
  hash_number(h, s->host_count);
  for (size_t i = 0; i < s->host_count; i++) {
    hash_text(h, s->hosts[i].name, strlen(s->hosts[i].name));
    hash_identity(h, &s->hosts[i].identity);
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
    hash_settings(&h, s);
  bool done = !h.failed && o->EVP_DigestFinal_ex(h.state, out, NULL) == 1;
  o->EVP_MD_CTX_free(h.state);
  return done;
}
