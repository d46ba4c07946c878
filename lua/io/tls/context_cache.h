/* context_cache.h - contexts of connect() and starttls(), kept by their options
 *
 *     table of options ─► fingerprint ─► the context, made at the first use
 *
 * Each Lua state keeps the contexts that it has used last. So files are read
 * once for many connections with the same options, and these share their
 * sessions. When a file has changed, the next connection gets a new context.
 *
 * The cache holds fingerprints instead of the options, so no text of a key or a
 * password.
 */
#ifndef AWIO_TLS_CONTEXT_CACHE_H
#define AWIO_TLS_CONTEXT_CACHE_H

#include "tls/context.h"

#include <lua.h>

/* Return the context of a client for the options at `arg`, whose names are
 * checked; other options are ignored; nil: no options. Raises "bad option", a
 * TLSError or a SystemError of "connect" at the caller's line.
 *
 * Gives a reference. */
awio_tls_context *awio_tls_client_context(lua_State *L, int arg);

/* The same for s:starttls(options): of a server, if the option `server` says
 * so. Checks the names, too. */
awio_tls_context *awio_tls_starttls_context(lua_State *L, int arg);

#endif
