/* stream_object.h - the class of streams, for read.c and for processes */
#ifndef AWIO_STREAM_OBJECT_H
#define AWIO_STREAM_OBJECT_H

#include "stream/stream.h"

#include <lua.h>

#define AWIO_STREAM_CLASS "aiowire.Stream"

/* The Stream at 1, in a function whose upvalue 1 is its metatable, for `call`.
 * Raises; of a finalized one, Closed. Any call of Lua may close a stream, and
 * while the state is closed it may be finalized in a wait: who goes on after a
 * wait asks this, and not the data of the wait. */
awio_stream *awio_check_stream(lua_State *L, const char *call);

/* Raise what went wrong with `call`, as a SystemError or Closed. */
int awio_fail_stream(lua_State *L, const awio_stream *stream, ssize_t code,
                     const char *call);

#endif
