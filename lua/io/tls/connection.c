/* connection.c - see connection.h */
#include "tls/connection.h"

#include "base/socket.h"
#include "tls/openssl.h"

#include <aiowire.h>

#include <uv.h>

#include <limits.h>
#include <pthread.h>
#include <string.h>
#include <sys/ioctl.h>

/* ---- the BIO ---- */

enum {
  AGAIN = BIO_FLAGS_RWS | BIO_FLAGS_SHOULD_RETRY,
  OVERHEAD = 32 * 1024 /* bytes to receive beside plain ones, in a call */
};

/* Tell OpenSSL what recv(2) or send(2) has returned. */
static int bio_result(BIO *bio, awio_tls *t, ssize_t result, int direction) {
  const awio_openssl_calls *o = awio_openssl();
  if (result == UV_EAGAIN)
    o->BIO_set_flags(bio, direction | BIO_FLAGS_SHOULD_RETRY);
  else if (result < 0)
    t->socket = (int)result;
  return result < 0 ? -1 : (int)result;
}

static int take_early(awio_tls *t, char *out, size_t size) {
  size_t length = awio_buffer_length(&t->early);
  size_t count = length < size ? length : size;
  memcpy(out, t->early.data + t->early.start, count);
  awio_buffer_take(&t->early, count);
  if (count == length)
    awio_buffer_free(&t->early);
  return (int)count;
}

static int bio_read(BIO *bio, char *out, int size) {
  const awio_openssl_calls *o = awio_openssl();
  awio_tls *t = o->BIO_get_data(bio);
  o->BIO_clear_flags(bio, AGAIN);
  if (size <= 0)
    return 0;
  if (awio_buffer_length(&t->early) > 0)
    return take_early(t, out, (size_t)size);
  ssize_t got = t->dry || t->allowed == 0
                    ? UV_EAGAIN
                    : awio_socket_receive(t->fd, out, (size_t)size);
  t->dry = got == UV_EAGAIN || (got > 0 && got < size);
  if (got > 0)
    t->allowed -= (size_t)got < t->allowed ? (size_t)got : t->allowed;
  t->cut = t->cut || got == 0;
  return bio_result(bio, t, got, BIO_FLAGS_READ);
}

static int bio_write(BIO *bio, const char *data, int size) {
  const awio_openssl_calls *o = awio_openssl();
  awio_tls *t = o->BIO_get_data(bio);
  o->BIO_clear_flags(bio, AGAIN);
  if (size <= 0)
    return 0;
  ssize_t put = awio_socket_send(t->fd, data, (size_t)size);
  return bio_result(bio, t, put, BIO_FLAGS_WRITE);
}

static long bio_control(BIO *bio, int command, long number, void *pointer) {
  (void)number;
  (void)pointer;
  const awio_tls *t = awio_openssl()->BIO_get_data(bio);
  switch (command) {
  case BIO_CTRL_FLUSH: return 1; /* it holds nothing */
  case BIO_CTRL_EOF: return t->cut;
  default: return 0;
  }
}

static BIO_METHOD *method; /* NULL: out of memory */

static void make_method(void) {
  const awio_openssl_calls *o = awio_openssl();
  method = o->BIO_meth_new(o->BIO_get_new_index() | BIO_TYPE_SOURCE_SINK,
                           "aiowire socket");
  if (!method)
    return;
  o->BIO_meth_set_read(method, bio_read);
  o->BIO_meth_set_write(method, bio_write);
  o->BIO_meth_set_ctrl(method, bio_control);
}

/* Give the SSL a BIO. Returns whether there was enough memory. */
static bool add_bio(awio_tls *t) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  const awio_openssl_calls *o = awio_openssl();
  pthread_once(&once, make_method);
  BIO *bio = method ? o->BIO_new(method) : NULL;
  if (!bio)
    return false;
  o->BIO_set_data(bio, t);
  o->BIO_set_init(bio, 1);
  o->SSL_set_bio(t->ssl, bio, bio);
  return true;
}

/* ---- life ---- */

awio_tls *awio_tls_new(awio_tls_context *context, int fd, const char *host,
                       int port, awio_buffer *early, awio_fault *fault) {
  awio_tls *t = aw_allocate(sizeof *t);
  *fault = (awio_fault){.code = AW_ENOMEM};
  if (!t) {
    awio_buffer_free(early);
    return NULL;
  }
  t->early = *early;
  *early = (awio_buffer){NULL, 0, 0, 0};
  t->fd = fd;
  t->context = awio_tls_context_keep(context);
  t->ssl = awio_tls_context_ssl(context, host, port, fault);
  if (t->ssl && add_bio(t))
    return t;
  awio_tls_free(t);
  return NULL;
}

void awio_tls_free(awio_tls *t) {
  if (!t)
    return;
  if (t->ssl)
    awio_openssl()->SSL_free(t->ssl);
  awio_tls_context_release(t->context);
  awio_buffer_free(&t->early);
  aw_free(t->fault);
  aw_free(t);
}

/* ---- failures ---- */

/* Take the fault of the call that has just failed. Returns its code. */
static int note_fault(awio_tls *t) {
  if (!t->fault)
    t->fault = aw_allocate(sizeof *t->fault);
  if (!t->fault)
    return AW_ENOMEM;
  awio_fault_take(t->fault);
  if (!t->established)
    awio_tls_context_explain(t->ssl, t->fault);
  return t->fault->code;
}

/* A call has returned `rc`, which is no success. Returns UV_EAGAIN; 0 at the
 * end; or a code. */
static int look_at_failure(awio_tls *t, int rc) {
  switch (awio_openssl()->SSL_get_error(t->ssl, rc)) {
  case SSL_ERROR_WANT_READ: t->wants_room = false; return UV_EAGAIN;
  case SSL_ERROR_WANT_WRITE: t->wants_room = true; return UV_EAGAIN;
  case SSL_ERROR_ZERO_RETURN: t->ended = true; return 0;
  case SSL_ERROR_SYSCALL:
    if (t->socket < 0)
      return t->socket;
  }
  return note_fault(t);
}

static void clear_failures(awio_tls *t) {
  t->socket = 0;
  awio_fault_clear();
}

static void begin_call(awio_tls *t) {
  t->allowed = OVERHEAD;
  clear_failures(t);
}

/* ---- the handshake ---- */

void awio_tls_fail(awio_tls *t, int code) {
  t->unread = t->unsent = code;
  t->parted = true;
}

int awio_tls_handshake(awio_tls *t) {
  if (t->established || t->unread)
    return t->unread;
  begin_call(t);
  int rc = awio_openssl()->SSL_do_handshake(t->ssl);
  if (rc == 1) {
    t->established = true;
    return 0;
  }
  int code = look_at_failure(t, rc);
  if (code == 0) /* close_notify instead of a handshake */
    code = UV_ECONNRESET;
  if (code != UV_EAGAIN)
    awio_tls_fail(t, code);
  return code;
}

/* ---- bytes ---- */

static int most_at_once(size_t size) {
  return size < INT_MAX ? (int)size : INT_MAX;
}

/* Could SSL_read() only fail with WANT_READ? That call would make a buffer, and
 * free it. */
static bool is_empty(const awio_tls *t) {
  return t->dry && !awio_tls_holds_bytes(t);
}

ssize_t awio_tls_read(awio_tls *t, char *data, size_t size) {
  if (t->unread)
    return t->unread;
  if (t->ended || is_empty(t))
    return t->ended ? 0 : UV_EAGAIN;
  size_t count = 0;
  begin_call(t);
  t->allowed += size;
  while (count < size) { /* each call gives a record at most */
    clear_failures(t);
    int got = awio_openssl()->SSL_read(t->ssl, data + count,
                                       most_at_once(size - count));
    if (got > 0) {
      count += (size_t)got;
      t->heard = true;
      if (is_empty(t))
        break;
      continue;
    }
    int code = look_at_failure(t, got);
    if (code < 0 && code != UV_EAGAIN)
      t->unread = code;
    t->read_wants_room = code == UV_EAGAIN && t->wants_room;
    if (count == 0)
      return code;
    break; /* the end and a failure come again */
  }
  return (ssize_t)count;
}

/* The peer has closed the connection while we write. Maybe it has said why, by
 * an alert that nobody has read. Returns the code to report. */
static int look_for_alert(awio_tls *t, int code) {
  char byte;
  t->dry = false;
  begin_call(t);
  int rc = awio_openssl()->SSL_peek(t->ssl, &byte, sizeof byte);
  int found = rc > 0 ? UV_EAGAIN : look_at_failure(t, rc);
  if (found < 0 && found != UV_EAGAIN)
    t->unread = found;
  return found == AWIO_ETLS && t->fault->from_peer ? found : code;
}

ssize_t awio_tls_write(awio_tls *t, const char *data, size_t size) {
  if (!t->unsent && t->unread == AWIO_ETLS) { /* the SSL is of no more use */
    t->parted = true;
    t->unsent = t->unread;
  }
  if (t->unsent)
    return t->unsent;
  begin_call(t);
  int put = awio_openssl()->SSL_write(t->ssl, data, most_at_once(size));
  t->stuck = false;
  if (put > 0)
    return put;
  int code = look_at_failure(t, put);
  if (code == UV_EAGAIN) {
    t->stuck = true;
    return code;
  }
  if (code == 0)
    code = UV_EPIPE;
  bool refused = code == UV_EPIPE || code == UV_ECONNRESET;
  if (refused)
    code = look_for_alert(t, code);
  t->parted = true;
  return t->unsent = code;
}

void awio_tls_part(awio_tls *t) {
  if (!t->established || t->unread || t->stuck)
    t->parted = true;
  if (t->parted)
    return;
  begin_call(t);
  int rc = awio_openssl()->SSL_shutdown(t->ssl);
  t->parted = rc >= 0 || look_at_failure(t, rc) != UV_EAGAIN;
}

/* Read and throw away what has come. Returns false at the end of the
 * connection. */
static bool discard_input(const awio_tls *t) {
  enum { SIZE = 16 * 1024, TIMES = 64 };
  char bytes[SIZE];
  ssize_t got = 1;
  for (int i = 0; i < TIMES && got > 0; i++)
    got = awio_socket_receive(t->fd, bytes, sizeof bytes);
  return got > 0 || got == UV_EAGAIN;
}

bool awio_tls_settled(awio_tls *t) {
  const awio_openssl_calls *o = awio_openssl();
  int unsent = 0;
  if (!discard_input(t) || !t->established || t->heard)
    return true;
  bool has_tickets =
      !o->SSL_is_server(t->ssl) && o->SSL_version(t->ssl) >= TLS1_3_VERSION;
  return !has_tickets || ioctl(t->fd, TIOCOUTQ, &unsent) < 0 || unsent == 0;
}

bool awio_tls_holds_bytes(const awio_tls *t) {
  return awio_buffer_length(&t->early) > 0 ||
         awio_openssl()->SSL_has_pending(t->ssl);
}
