/* absent.c - TLS in a build without OpenSSL (AIOWIRE_TLS=OFF)
 *
 * It stands for the files that call OpenSSL. Options are checked as ever, and
 * then no context can be made. What takes a context or a connection is never
 * called, since there are none; NULL is fine where it always is.
 */
#include "tls/connection.h"
#include "tls/fingerprint.h"
#include "tls/peer.h"

#include <aiowire.h>

#include <lua.h>
#include <uv.h>

#include <stdio.h>

/* ---- contexts ---- */

bool awio_tls_open(void) {
  return false;
}

awio_tls_context *awio_tls_context_new(const awio_tls_settings *settings,
                                       awio_fault *fault) {
  (void)settings;
  *fault = (awio_fault){.code = AWIO_ETLS};
  snprintf(fault->name, sizeof fault->name, "NO_OPENSSL");
  snprintf(fault->detail, sizeof fault->detail,
           "aw.tls needs a build with OpenSSL (AIOWIRE_TLS)");
  return NULL;
}

awio_tls_context *awio_tls_context_keep(awio_tls_context *context) {
  return context;
}

void awio_tls_context_release(awio_tls_context *context) {
  (void)context;
}

void awio_tls_context_adopt(awio_tls_context *context,
                            awio_tls_settings *settings) {
  (void)context;
  awio_tls_settings_free(settings);
}

const awio_tls_settings *
awio_tls_context_settings(const awio_tls_context *context) {
  (void)context;
  return NULL;
}

bool awio_tls_context_is_server(const awio_tls_context *context) {
  (void)context;
  return false;
}

bool awio_tls_context_verifies(const awio_tls_context *context) {
  (void)context;
  return true;
}

uint64_t awio_tls_context_timeout(const awio_tls_context *context) {
  (void)context;
  return AW_NEVER;
}

const char *awio_tls_context_host(const awio_tls_context *context) {
  (void)context;
  return NULL;
}

bool awio_tls_fingerprint(const awio_tls_settings *settings,
                          unsigned char out[AWIO_TLS_FINGERPRINT]) {
  (void)settings;
  (void)out;
  return false;
}

/* ---- connections ---- */

awio_tls *awio_tls_new(awio_tls_context *context, int fd, const char *host,
                       int port, awio_buffer *early, awio_fault *fault) {
  (void)context;
  (void)fd;
  (void)host;
  (void)port;
  (void)early;
  *fault = (awio_fault){.code = UV_ENOTSUP};
  return NULL;
}

void awio_tls_free(awio_tls *tls) {
  (void)tls;
}

int awio_tls_handshake(awio_tls *tls) {
  (void)tls;
  return UV_ENOTSUP;
}

void awio_tls_fail(awio_tls *tls, int code) {
  (void)tls;
  (void)code;
}

ssize_t awio_tls_read(awio_tls *tls, char *data, size_t size) {
  (void)tls;
  (void)data;
  (void)size;
  return UV_ENOTSUP;
}

ssize_t awio_tls_write(awio_tls *tls, const char *data, size_t size) {
  (void)tls;
  (void)data;
  (void)size;
  return UV_ENOTSUP;
}

void awio_tls_part(awio_tls *tls) {
  (void)tls;
}

bool awio_tls_settled(awio_tls *tls) {
  (void)tls;
  return true;
}

bool awio_tls_holds_bytes(const awio_tls *tls) {
  (void)tls;
  return false;
}

void awio_tls_push_peer(lua_State *L, const awio_tls *tls) {
  (void)tls;
  lua_pushnil(L);
}
