/* context_box.h - a context of TLS in a value of Lua, which releases it */
#ifndef AWIO_TLS_CONTEXT_BOX_H
#define AWIO_TLS_CONTEXT_BOX_H

#include "tls/context.h"

#include <lua.h>

/* Push an empty box, and return the place for its context. May raise. */
awio_tls_context **awio_tls_push_box(lua_State *L);

/* Return the context in the box at `index`, borrowed; NULL: it is no box, or
 * empty. */
awio_tls_context *awio_tls_boxed(lua_State *L, int index);

#endif
