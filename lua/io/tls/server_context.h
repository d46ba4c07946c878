/* server_context.h - the contexts of servers
 *
 * The context of a server has its settings beside it, so that reload() can
 * replace some options and take the others from before.
 */
#ifndef AWIO_TLS_SERVER_CONTEXT_H
#define AWIO_TLS_SERVER_CONTEXT_H

#include "tls/context.h"

#include <lua.h>

/* Make the context of a server of the options at `arg`, whose names are
 * checked. Raises "bad option" or "missing option", a TLSError or a SystemError
 * at the caller's line.
 *
 *   arg     nil: no options
 *   before  a context made by this function: options that are not given are
 *           taken from there, and files are read again; NULL: none
 *   call    the operation that fails, such as "listen"
 *
 * Gives a reference. */
awio_tls_context *awio_tls_server_context(lua_State *L, int arg,
                                          const awio_tls_context *before,
                                          const char *call);

#endif
