/* peer.c - see peer.h */
#define _DEFAULT_SOURCE /* timegm() */
#include "tls/peer.h"

#include "tls/openssl.h"

#include <lauxlib.h>

#include <arpa/inet.h>
#include <string.h>
#include <time.h>

static void set_peer_text(lua_State *L, const char *field, const char *text) {
  lua_pushstring(L, text);
  lua_setfield(L, -2, field);
}

static void set_tls_flag(lua_State *L, const char *field, bool flag) {
  lua_pushboolean(L, flag);
  lua_setfield(L, -2, field);
}

/* ---- the certificate ---- */

static void set_x509_name(lua_State *L, const char *field,
                          const X509_NAME *name) {
  char text[256];
  awio_fault_name_text(name, text, sizeof text);
  set_peer_text(L, field, text);
}

/* Seconds since 1970, as os.time() has them. */
static void set_x509_time(lua_State *L, const char *field,
                          const ASN1_TIME *time) {
  struct tm parts;
  if (awio_openssl()->ASN1_TIME_to_tm(time, &parts) != 1)
    return;
  lua_pushinteger(L, (lua_Integer)timegm(&parts));
  lua_setfield(L, -2, field);
}

static void set_tls_hex(lua_State *L, const char *field,
                        const unsigned char *bytes, size_t count) {
  static const char digits[] = "0123456789abcdef";
  luaL_Buffer b;
  luaL_buffinit(L, &b);
  for (size_t i = 0; i < count; i++) {
    luaL_addchar(&b, digits[bytes[i] >> 4]);
    luaL_addchar(&b, digits[bytes[i] & 15]);
  }
  luaL_pushresult(&b);
  lua_setfield(L, -2, field);
}

static void set_serial(lua_State *L, const X509 *x509) {
  const awio_openssl_calls *o = awio_openssl();
  const ASN1_INTEGER *serial = o->X509_get0_serialNumber(x509);
  set_tls_hex(L, "serial", o->ASN1_STRING_get0_data(serial),
              (size_t)o->ASN1_STRING_length(serial));
}

static void set_fingerprint(lua_State *L, const X509 *x509) {
  const awio_openssl_calls *o = awio_openssl();
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  if (o->X509_digest(x509, o->EVP_sha256(), digest, &size) == 1)
    set_tls_hex(L, "sha256", digest, size);
}

/* ---- its names ---- */

/* Append a name to the list on top: a DNS name, an address or a mailbox. */
static void add_alternative(lua_State *L, int type, const ASN1_STRING *name) {
  const awio_openssl_calls *o = awio_openssl();
  const unsigned char *data = o->ASN1_STRING_get0_data(name);
  int size = o->ASN1_STRING_length(name);
  char text[INET6_ADDRSTRLEN];
  if (type == GEN_IPADD) {
    bool is_address = size == 4 || size == 16;
    int family = size == 4 ? AF_INET : AF_INET6;
    if (!is_address || !inet_ntop(family, data, text, sizeof text))
      return;
    lua_pushstring(L, text);
  } else {
    lua_pushlstring(L, (const char *)data, (size_t)size);
  }
  lua_rawseti(L, -2, (lua_Integer)lua_rawlen(L, -2) + 1);
}

/* [box with the names, or NULL] → [list] */
static int push_names(lua_State *L) {
  const awio_openssl_calls *o = awio_openssl();
  const GENERAL_NAMES *names = lua_touserdata(L, 1);
  const OPENSSL_STACK *stack = (const OPENSSL_STACK *)names;
  lua_newtable(L);
  int count = names ? o->OPENSSL_sk_num(stack) : 0;
  for (int i = 0; i < count; i++) {
    const GENERAL_NAME *name = o->OPENSSL_sk_value(stack, i);
    if (name->type == GEN_DNS || name->type == GEN_EMAIL ||
        name->type == GEN_IPADD || name->type == GEN_URI)
      add_alternative(L, name->type, name->d.ia5);
  }
  return 1;
}

/* The names belong to OpenSSL until they are freed, so nothing may raise
 * meanwhile. */
static void set_names(lua_State *L, const X509 *x509) {
  const awio_openssl_calls *o = awio_openssl();
  luaL_checkstack(L, 2, NULL);
  GENERAL_NAMES *names =
      o->X509_get_ext_d2i(x509, NID_subject_alt_name, NULL, NULL);
  lua_pushcfunction(L, push_names);
  lua_pushlightuserdata(L, names);
  int rc = lua_pcall(L, 1, 1, 0);
  o->GENERAL_NAMES_free(names);
  if (rc != LUA_OK)
    lua_error(L);
  lua_setfield(L, -2, "names");
}

/* ---- PEM ---- */

/* The memory belongs to OpenSSL until it is freed; see set_names(). */
static int push_memory(lua_State *L) {
  const char *text = NULL;
  BIO *memory = lua_touserdata(L, 1);
  long size = awio_openssl()->BIO_ctrl(memory, BIO_CTRL_INFO, 0, &text);
  lua_pushlstring(L, text, size > 0 ? (size_t)size : 0);
  return 1;
}

static void set_pem(lua_State *L, X509 *x509) {
  const awio_openssl_calls *o = awio_openssl();
  luaL_checkstack(L, 2, NULL);
  BIO *memory = o->BIO_new(o->BIO_s_mem());
  if (!memory || o->PEM_write_bio_X509(memory, x509) != 1) {
    o->BIO_free(memory);
    luaL_error(L, "not enough memory");
  }
  lua_pushcfunction(L, push_memory);
  lua_pushlightuserdata(L, memory);
  int rc = lua_pcall(L, 1, 1, 0);
  o->BIO_free(memory);
  if (rc != LUA_OK)
    lua_error(L);
  lua_setfield(L, -2, "pem");
}

/* ---- the whole ---- */

/* The field `certificate` of the table on top, if the peer has shown one. */
static void set_certificate(lua_State *L, const awio_tls *t) {
  const awio_openssl_calls *o = awio_openssl();
  X509 *x509 = o->SSL_get0_peer_certificate(t->ssl);
  if (!x509)
    return;
  lua_newtable(L);
  set_x509_name(L, "subject", o->X509_get_subject_name(x509));
  set_x509_name(L, "issuer", o->X509_get_issuer_name(x509));
  set_x509_time(L, "not_before", o->X509_get0_notBefore(x509));
  set_x509_time(L, "not_after", o->X509_get0_notAfter(x509));
  set_serial(L, x509);
  set_fingerprint(L, x509);
  set_names(L, x509);
  set_pem(L, x509);
  lua_setfield(L, -2, "certificate");
}

static void set_protocol(lua_State *L, const awio_tls *t) {
  const unsigned char *name = NULL;
  unsigned size = 0;
  awio_openssl()->SSL_get0_alpn_selected(t->ssl, &name, &size);
  if (!name)
    return;
  lua_pushlstring(L, (const char *)name, size);
  lua_setfield(L, -2, "alpn");
}

/* A resumed connection was checked when its session began. */
static bool is_verified(const awio_tls *t) {
  const awio_openssl_calls *o = awio_openssl();
  return o->SSL_get_verify_mode(t->ssl) != SSL_VERIFY_NONE &&
         o->SSL_get0_peer_certificate(t->ssl) &&
         o->SSL_get_verify_result(t->ssl) == X509_V_OK;
}

void awio_tls_push_peer(lua_State *L, const awio_tls *t) {
  const awio_openssl_calls *o = awio_openssl();
  lua_newtable(L);
  set_tls_flag(L, "established", t->established);
  set_tls_flag(L, "server", o->SSL_is_server(t->ssl) == 1);
  if (!t->established)
    return;
  set_tls_flag(L, "verified", is_verified(t));
  set_tls_flag(L, "resumed", o->SSL_session_reused(t->ssl) == 1);
  set_peer_text(L, "version", o->SSL_get_version(t->ssl));
  set_peer_text(L, "cipher",
                o->SSL_CIPHER_get_name(o->SSL_get_current_cipher(t->ssl)));
  set_peer_text(L, "host",
                o->SSL_get_servername(t->ssl, TLSEXT_NAMETYPE_host_name));
  set_protocol(L, t);
  set_certificate(L, t);
}
