/* stream_object.h - the class of streams, for read.c and for processes */
#ifndef AWIO_STREAM_OBJECT_H
#define AWIO_STREAM_OBJECT_H

#include "stream/stream.h"

#include <lauxlib.h>
#include <lua.h>

#define AWIO_STREAM_CLASS "aiowire.Stream"

/* Return the stream of the Stream at 1, in a function whose upvalue 1 is the
 * metatable of the class. Raises if there is none; Closed if it is finalized.
 *
 *   call  the name of the operation, for the error
 *
 * Use this again after each wait, not the data of the wait: the Stream may have
 * been finalized during the wait, when the state is closed. */
awio_stream *awio_check_stream(lua_State *L, const char *call);

/* The same, but NULL if it is finalized. */
awio_stream *awio_any_stream(lua_State *L);

/* The same in a continuation, for the Stream that was checked before the
 * wait. */
awio_stream *awio_stream_again(lua_State *L, const char *call);

/* Raise the failure `code` of `call`: a string for AW_ENOMEM, else Closed if
 * the stream is closed, else a SystemError. */
int awio_fail_stream(lua_State *L, const awio_stream *stream, ssize_t code,
                     const char *call);

/* Raise if nothing can be written any more. */
void awio_check_writable(lua_State *L, awio_stream *stream);
/* Raise in `call` if bytes that were written cannot be sent. */
void awio_check_written(lua_State *L, awio_stream *stream, const char *call);

/* Begin a read as aw_lua_begin() does; raise if the stream cannot be read. */
int awio_begin_read(lua_State *L, awio_stream *stream, const char *what,
                    aw_lua_continue then);

/* Warn that bytes were lost, and nobody was told [D4]. */
void awio_warn_unwritten(lua_State *L, awio_stream *stream);

/* Add methods to the class, which awio_open_stream() has made. */
void awio_add_stream_methods(lua_State *L, const luaL_Reg *list);

#endif
