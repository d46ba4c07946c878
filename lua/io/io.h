/* io.h - awaitables on libuv, built with the public C API only
 *
 *   source.c   what can be waited for: numbers, Lua files, objects
 *   readiness.c  aw.readable and what the Poller stands on
 *   signal.c   aw.signal
 *   wall.c     aw.time, aw.at: the time of day      calendar.c  its arithmetic
 *   system.c   what libuv leaves to us: SIGPIPE, inherited descriptors
 *   buffer.c   bytes that come at one end and go at the other
 *   waiters.c  tasks that wait for the same thing
 *   stream.c   bytes in and out of a descriptor: C     lstream.c  for Lua,
 *                                                      lread.c    reading
 *   process.c  a child process: C                      lprocess.c for Lua,
 *   child.c    what the kernel tells of one            lspawn.c   its start
 *   redirect.c its files: paths, streams            pty.c      its terminal
 *   left.c     children that outlive their engine
 *   cstdio.c   what C has kept back for standard output
 *   names.c    signals by name
 *
 * Callbacks of libuv move bytes, wake tasks and note what happened; they never
 * touch Lua. What libuv holds is in memory of its own, never in a userdata.
 */
#ifndef AWIO_H
#define AWIO_H

#include <lua.h>
#include <stdbool.h>
#include <stddef.h>

/* The userdata at 1, in a function whose upvalue 1 is the metatable of its
 * class; NULL: it is something else. */
static inline void *awio_object(lua_State *L) {
  void *object = lua_touserdata(L, 1);
  if (!object || !lua_getmetatable(L, 1))
    return NULL;
  bool is = lua_rawequal(L, -1, lua_upvalueindex(1));
  lua_pop(L, 1);
  return is ? object : NULL;
}

/* Each puts its functions into the module's table, on top. Raise. */
void awio_open_readiness(lua_State *L);
void awio_open_signal(lua_State *L);
void awio_open_wall(lua_State *L);
void awio_open_stream(lua_State *L);
void awio_open_process(lua_State *L);

/* For exec.lua, which may not await where these are called.
 *
 * unread(stream, most [, more]) → what has been read and not been taken, with
 * `more` also what can be read now; at most so many bytes. */
int awio_unread(lua_State *L);
/* file_kind(value) → "stream", "file" or nil */
int awio_file_kind(lua_State *L);

#endif
