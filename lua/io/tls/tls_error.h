/* tls_error.h - TLSErrors: faults of TLS as error objects of Lua */
#ifndef AWIO_TLS_ERROR_H
#define AWIO_TLS_ERROR_H

#include "tls/fault.h"

#include <lua.h>

/* Push the error of a fault: a TLSError that names the user's line; for other
 * codes than AWIO_ETLS a SystemError, or a text without memory.
 *
 *   call   what has failed, such as "handshake"
 *   about  of which object, such as "tls example.org:443". NULL: the file of
 *          the fault, if there is one
 */
void awio_tls_push_error(lua_State *L, const awio_fault *fault,
                         const char *call, const char *about);
/* Raise it. */
int awio_tls_raise(lua_State *L, const awio_fault *fault, const char *call,
                   const char *about);

#endif
