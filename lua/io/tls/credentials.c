/* credentials.c - see credentials.h */
#define _GNU_SOURCE /* memmem() */
#include "tls/credentials.h"

#include "base/system.h"

#include <aiowire.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- files ---- */

/* Grow the memory of a text, and overwrite the old one. */
static bool grow_pem(awio_tls_text *text, size_t room) {
  awio_tls_text more = {aw_allocate(room), text->size};
  if (!more.data)
    return false;
  if (text->size > 0)
    memcpy(more.data, text->data, text->size);
  awio_tls_text_free(text);
  *text = more;
  return true;
}

/* Read to the end. Returns 0, AW_ENOMEM or -errno.
 *
 *   room  expected size; the file may have grown, and files of /proc have none
 */
static int read_credentials(int fd, size_t room, awio_tls_text *out) {
  enum { LEAST = 4096, LARGEST = 64 * 1024 * 1024 };
  room = room < LEAST ? LEAST : room + 1;
  for (;; room *= 2) {
    if (room > LARGEST)
      return -EFBIG;
    if (!grow_pem(out, room))
      return AW_ENOMEM;
    while (out->size < room) {
      ssize_t got = awio_read(fd, out->data + out->size, room - out->size);
      if (got <= 0)
        return (int)got;
      out->size += (size_t)got;
    }
  }
}

static int read_regular(int fd, awio_tls_text *out) {
  struct stat file;
  if (fstat(fd, &file) < 0)
    return -errno;
  if (S_ISDIR(file.st_mode))
    return -EISDIR;
  if (!S_ISREG(file.st_mode))
    return -EINVAL;
  return read_credentials(fd, (size_t)file.st_size, out);
}

/* Read a file. Returns 0; or AW_ENOMEM or -errno, with no data. A FIFO does not
 * block the open(2). */
static int read_pem_file(const char *path, awio_tls_text *out) {
  *out = (awio_tls_text){NULL, 0};
  int fd = awio_open(path, O_RDONLY | O_NONBLOCK, 0);
  if (fd < 0)
    return fd;
  int rc = read_regular(fd, out);
  close(fd);
  if (rc < 0)
    awio_tls_text_free(out);
  return rc;
}

/* ---- PEM texts ---- */

/* A PEM text while it is read. */
typedef struct pem {
  const awio_tls_text *given; /* the path or the text */
  const char *option;
  const char *what; /* it holds, for faults */
  awio_tls_text file;
  const awio_tls_text *text; /* `file` or `given` */
  BIO *bio;                  /* reads `text` */
} pem;

static bool fail_pem(const pem *it, awio_fault *fault) {
  char text[64];
  if (awio_tls_is_pem(it->given)) {
    snprintf(text, sizeof text, "PEM text of %s", it->option);
    awio_fault_about(fault, text);
  } else {
    awio_fault_about(fault, it->given->data);
  }
  return false;
}

/* Fail with OpenSSL's error. */
static bool fail_pem_call(const pem *it, awio_fault *fault) {
  awio_fault_take(fault);
  return fail_pem(it, fault);
}

/* Fail: the text has no block of the kind. */
static bool fail_empty(const pem *it, awio_fault *fault) {
  char detail[80];
  const awio_tls_text *text = it->text;
  if (text->size == 0)
    snprintf(detail, sizeof detail, "the file is empty");
  else if (text->data[0] == '0' && !awio_tls_is_pem(it->given))
    snprintf(detail, sizeof detail, "no %s in PEM; is the file DER?", it->what);
  else
    snprintf(detail, sizeof detail, "no %s in PEM", it->what);
  awio_fault_set(fault, "NO_START_LINE", detail);
  return fail_pem(it, fault);
}

static void close_pem(pem *it) {
  awio_openssl()->BIO_free(it->bio);
  awio_tls_text_free(&it->file);
}

/* `it` has `given`, `option` and `what`. On success, close_pem() must follow.
 */
static bool open_pem(pem *it, awio_fault *fault) {
  it->text = it->given;
  if (!awio_tls_is_pem(it->given)) {
    int rc = read_pem_file(it->given->data, &it->file);
    if (!it->file.data) {
      awio_fault_system(fault, rc);
      return fail_pem(it, fault);
    }
    it->text = &it->file;
  }
  if (it->text->size > INT_MAX) {
    awio_fault_system(fault, -EFBIG);
    return fail_pem(it, fault);
  }
  awio_fault_clear();
  it->bio =
      awio_openssl()->BIO_new_mem_buf(it->text->data, (int)it->text->size);
  if (it->bio)
    return true;
  fail_pem_call(it, fault);
  awio_tls_text_free(&it->file);
  return false;
}

/* ---- passwords ---- */

typedef struct password {
  const awio_tls_text *text; /* or NULL */
  bool asked;
} password;

/* OpenSSL asks for a password. Without one, reading fails. */
static int give_password(char *buffer, int room, int writes, void *data) {
  (void)writes;
  password *p = data;
  p->asked = true;
  if (!p->text || !p->text->data || p->text->size > (size_t)room)
    return -1;
  memcpy(buffer, p->text->data, p->text->size);
  return (int)p->text->size;
}

/* ---- certificates ---- */

/* Read the next certificate; NULL: an error, or none. */
static X509 *next_certificate(const pem *it) {
  const awio_openssl_calls *o = awio_openssl();
  password none = {NULL, false};
  awio_fault_clear();
  return o->PEM_read_bio_X509_AUX(it->bio, NULL, give_password, &none);
}

/* Has reading failed since there is no block any more? */
static bool at_end(void) {
  unsigned long error = awio_openssl()->ERR_peek_last_error();
  return ERR_GET_LIB(error) == ERR_LIB_PEM &&
         ERR_GET_REASON(error) == PEM_R_NO_START_LINE;
}

/* After the last certificate, or instead of the first. */
static bool end_of_pem(const pem *it, size_t count, awio_fault *fault) {
  if (!at_end())
    return fail_pem_call(it, fault);
  awio_fault_clear();
  return count > 0 || fail_empty(it, fault);
}

static bool use_leaf(SSL_CTX *context, const pem *it, X509 **leaf,
                     awio_fault *fault) {
  *leaf = next_certificate(it);
  if (!*leaf)
    return end_of_pem(it, 0, fault);
  awio_fault_clear();
  return awio_openssl()->SSL_CTX_use_certificate(context, *leaf) == 1 ||
         fail_pem_call(it, fault);
}

static bool use_chain(SSL_CTX *context, const pem *it, awio_fault *fault) {
  const awio_openssl_calls *o = awio_openssl();
  for (X509 *next; (next = next_certificate(it)) != NULL;) {
    awio_fault_clear();
    /* takes */
    if (o->SSL_CTX_ctrl(context, SSL_CTRL_CHAIN_CERT, 0, next) != 1) {
      fail_pem_call(it, fault);
      o->X509_free(next);
      return false;
    }
  }
  return end_of_pem(it, 1, fault);
}

/* ---- keys ---- */

static bool fail_key(const pem *it, const password *p, awio_fault *fault) {
  if (!p->asked)
    return fail_pem_call(it, fault);
  if (p->text->data)
    awio_fault_set(fault, "BAD_DECRYPT", "the password of the key is wrong");
  else
    awio_fault_set(fault, "BAD_PASSWORD_READ",
                   "the key is encrypted and needs a password");
  awio_fault_clear();
  return fail_pem(it, fault);
}

static EVP_PKEY *read_private_key(const pem *it, const awio_tls_text *text,
                                  awio_fault *fault) {
  static const char *const END = "PRIVATE KEY-----";
  password p = {text, false};
  if (!memmem(it->text->data, it->text->size, END, strlen(END))) {
    fail_empty(it, fault);
    return NULL;
  }
  awio_fault_clear();
  EVP_PKEY *key =
      awio_openssl()->PEM_read_bio_PrivateKey(it->bio, NULL, give_password, &p);
  if (!key)
    fail_key(it, &p, fault);
  return key;
}

/* Fail: the key is that of another certificate. */
static bool fail_pair(const pem *key, const pem *cert, awio_fault *fault) {
  char detail[160];
  awio_fault of_cert;
  fail_pem(cert, &of_cert);
  snprintf(detail, sizeof detail, "not the key of %.140s", of_cert.about);
  awio_fault_set(fault, "KEY_VALUES_MISMATCH", detail);
  awio_fault_clear();
  return fail_pem(key, fault);
}

static bool use_key(SSL_CTX *context, const pem *cert, X509 *leaf,
                    const awio_tls_identity *identity, awio_fault *fault) {
  const awio_openssl_calls *o = awio_openssl();
  pem it = {.given = &identity->key, .option = "key", .what = "private key"};
  if (!open_pem(&it, fault))
    return false;
  bool done = false;
  EVP_PKEY *key = read_private_key(&it, &identity->password, fault);
  awio_fault_clear();
  if (key && o->X509_check_private_key(leaf, key) != 1)
    fail_pair(&it, cert, fault);
  else if (key)
    done = o->SSL_CTX_use_PrivateKey(context, key) == 1 ||
           fail_pem_call(&it, fault);
  o->EVP_PKEY_free(key);
  close_pem(&it);
  return done;
}

bool awio_tls_load_identity(SSL_CTX *context, const awio_tls_identity *identity,
                            awio_fault *fault) {
  X509 *leaf = NULL;
  pem it = {.given = &identity->cert, .option = "cert", .what = "certificate"};
  if (!open_pem(&it, fault))
    return false;
  bool done = use_leaf(context, &it, &leaf, fault) &&
              use_chain(context, &it, fault) &&
              use_key(context, &it, leaf, identity, fault);
  awio_openssl()->X509_free(leaf);
  close_pem(&it);
  return done;
}

/* ---- trust ---- */

static bool is_folder(const awio_tls_text *text) {
  struct stat file;
  return !awio_tls_is_pem(text) && stat(text->data, &file) == 0 &&
         S_ISDIR(file.st_mode);
}

/* Is it the name of a link that OpenSSL looks for, such as "9d66eef0.0"? */
static bool is_hashed(const char *name) {
  enum { DIGITS = 8 };
  return strspn(name, "0123456789abcdef") == DIGITS && name[DIGITS] == '.' &&
         name[DIGITS + 1] >= '0' && name[DIGITS + 1] <= '9';
}

/* Returns 1: the folder has a hashed certificate; 0: none; or -errno. */
static int has_hashed(const char *path) {
  DIR *folder = opendir(path);
  if (!folder)
    return -errno;
  const struct dirent *entry;
  bool found = false;
  while (!found && (entry = readdir(folder)) != NULL)
    found = is_hashed(entry->d_name);
  closedir(folder);
  return found;
}

static bool add_folder(X509_STORE *store, const pem *it, awio_fault *fault) {
  const char *path = it->given->data;
  int rc = has_hashed(path);
  if (rc < 0) {
    awio_fault_system(fault, rc);
    return fail_pem(it, fault);
  }
  if (rc == 0) {
    awio_fault_set(fault, "NO_CERTIFICATES",
                   "no hashed names in the folder; see openssl-rehash(1)");
    return fail_pem(it, fault);
  }
  awio_fault_clear();
  return awio_openssl()->X509_STORE_load_path(store, path) == 1 ||
         fail_pem_call(it, fault);
}

/* Add the subject of a certificate to the names, if there is a list. */
static bool add_ca_name(STACK_OF(X509_NAME) * names, const X509 *cert) {
  const awio_openssl_calls *o = awio_openssl();
  if (!names)
    return true;
  X509_NAME *name = o->X509_NAME_dup(o->X509_get_subject_name(cert));
  if (name && o->OPENSSL_sk_push((OPENSSL_STACK *)names, name) > 0)
    return true;
  o->X509_NAME_free(name);
  return false;
}

/* [an open text] Add each certificate. */
static bool add_certificates(X509_STORE *store, const pem *it,
                             STACK_OF(X509_NAME) * names, awio_fault *fault) {
  const awio_openssl_calls *o = awio_openssl();
  size_t count = 0;
  for (X509 *next; (next = next_certificate(it)) != NULL; count++) {
    awio_fault_clear();
    bool added =
        o->X509_STORE_add_cert(store, next) == 1 && add_ca_name(names, next);
    if (!added)
      fail_pem_call(it, fault);
    o->X509_free(next);
    if (!added)
      return false;
  }
  return end_of_pem(it, count, fault);
}

static bool add_ca(X509_STORE *store, const awio_tls_text *ca,
                   STACK_OF(X509_NAME) * names, awio_fault *fault) {
  pem it = {.given = ca, .option = "ca", .what = "certificate"};
  if (is_folder(ca))
    return add_folder(store, &it, fault);
  if (!open_pem(&it, fault))
    return false;
  bool done = add_certificates(store, &it, names, fault);
  close_pem(&it);
  return done;
}

void awio_tls_free_names(STACK_OF(X509_NAME) * names) {
  const awio_openssl_calls *o = awio_openssl();
  o->OPENSSL_sk_pop_free((OPENSSL_STACK *)names,
                         (OPENSSL_sk_freefunc)o->X509_NAME_free);
}

bool awio_tls_load_ca(X509_STORE *store, const awio_tls_settings *settings,
                      STACK_OF(X509_NAME) * *names, awio_fault *fault) {
  const awio_openssl_calls *o = awio_openssl();
  bool has_folder = false, done = true;
  STACK_OF(X509_NAME) *list = (STACK_OF(X509_NAME) *)o->OPENSSL_sk_new_null();
  if (!list) {
    awio_fault_system(fault, AW_ENOMEM);
    return false;
  }
  for (size_t i = 0; i < settings->ca_count && done; i++) {
    has_folder |= is_folder(&settings->ca[i]);
    done = add_ca(store, &settings->ca[i], list, fault);
  }
  if (!done || has_folder) {
    awio_tls_free_names(list);
    list = NULL;
  }
  if (done)
    *names = list;
  return done;
}

/* ---- CRLs ---- */

static bool add_crls(X509_STORE *store, const pem *it, awio_fault *fault) {
  const awio_openssl_calls *o = awio_openssl();
  password none = {NULL, false};
  size_t count = 0;
  for (;; count++) {
    awio_fault_clear();
    X509_CRL *next =
        o->PEM_read_bio_X509_CRL(it->bio, NULL, give_password, &none);
    if (!next)
      return end_of_pem(it, count, fault);
    bool added = o->X509_STORE_add_crl(store, next) == 1;
    if (!added)
      fail_pem_call(it, fault);
    o->X509_CRL_free(next);
    if (!added)
      return false;
  }
}

bool awio_tls_load_crl(X509_STORE *store, const awio_tls_text *crl,
                       awio_fault *fault) {
  pem it = {.given = crl, .option = "crl", .what = "CRL"};
  if (!open_pem(&it, fault))
    return false;
  bool done = add_crls(store, &it, fault);
  close_pem(&it);
  return done;
}
