/* settings.h - the options of TLS, as C has them
 *
 *     table of Lua ─► awio_tls_settings ─► awio_tls_context
 *
 * Settings are a copy of the options and never change. Each text is either a
 * path or PEM: it is PEM if it holds "-----BEGIN". Files are read when a
 * context is made, not before.
 *
 * Keys and passwords are overwritten when the settings are freed. The strings
 * of the script belong to Lua, which overwrites nothing.
 */
#ifndef AWIO_TLS_SETTINGS_H
#define AWIO_TLS_SETTINGS_H

#include <lua.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The names of the options, for lists of known options. */
#define AWIO_TLS_OPTIONS \
  "ca", "crl", "cert", "key", "password", "alpn", "verify", "handshake_timeout"
#define AWIO_TLS_CLIENT_OPTIONS AWIO_TLS_OPTIONS, "host"
#define AWIO_TLS_SERVER_OPTIONS AWIO_TLS_OPTIONS, "hosts"

/* A text with a zero byte behind it. */
typedef struct awio_tls_text {
  char *data; /* NULL: not given */
  size_t size;
} awio_tls_text;

/* A certificate, with its chain, and its key: both or neither. */
typedef struct awio_tls_identity {
  awio_tls_text cert, key; /* paths or PEM */
  awio_tls_text password;  /* of the key; any bytes */
} awio_tls_identity;

/* The identity of a server for those who ask for a name. */
typedef struct awio_tls_host {
  char *name; /* in small letters; "*.example.org" stands for one label more */
  awio_tls_identity identity;
} awio_tls_host;

typedef enum awio_tls_verify {
  AWIO_TLS_UNVERIFIED, /* the certificate of the peer is not checked */
  AWIO_TLS_OPTIONAL,   /* a client need not show one; if it does, as below */
  AWIO_TLS_VERIFIED
} awio_tls_verify;

typedef struct awio_tls_settings {
  bool server;
  awio_tls_verify verify;
  awio_tls_text *ca; /* paths of files or folders, or PEM */
  size_t ca_count;   /* 0: not given */
  awio_tls_text crl; /* path or PEM */
  awio_tls_identity identity;
  awio_tls_text host; /* of a client */
  awio_tls_text alpn; /* as on the wire: each name behind its length, a byte */
  uint64_t timeout;   /* ns, of the handshake; AW_NEVER: none */
  awio_tls_host *hosts; /* of a server, ordered by name */
  size_t host_count;
} awio_tls_settings;

/* Make settings of the table at `arg`, whose names are checked; other options
 * are ignored. Raises "bad option", or "missing option" if a server has no
 * certificate, at the caller's line.
 *
 *   arg     nil: no options
 *   before  options that the table lacks are taken from here; NULL: the usual
 *           ones. It is of the same side
 *
 * Gives. */
awio_tls_settings *awio_tls_settings_new(lua_State *L, int arg, bool server,
                                         const awio_tls_settings *before);
void awio_tls_settings_free(awio_tls_settings *settings); /* NULL is fine */

bool awio_tls_is_pem(const awio_tls_text *text);

/* Write the name of a host as names are compared: in small letters, without a
 * dot at its end. Returns its size; 0: it is empty, or has no room. */
size_t awio_tls_fold_name(const char *name, char *out, size_t room);

/* Overwrite and free a text, which is not given then. */
void awio_tls_text_free(awio_tls_text *text);

#endif
