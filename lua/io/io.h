/* io.h - awaitables on libuv, built with the public C API only
 *
 *   readiness.c    aw.readable, and the sources of a Poller
 *   poller_gate.c  wakes the task of a Poller
 *   signal.c       aw.signal
 *   time_of_day.c  aw.time, aw.at
 *   base/          sources of readiness, buffers, waiters, terminals, names of
 *                  signals, and what libuv leaves to us
 *   stream/        bytes in and out of a descriptor: in C, and for Lua
 *   process/       child processes: in C, and for Lua
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

/* Each puts its functions into the module's table, on top, and what parts in
 * Lua call into the table below it. Raise. Reading comes after streams. */
void awio_open_readiness(lua_State *L);
void awio_open_poller_gate(lua_State *L);
void awio_open_signal(lua_State *L);
void awio_open_time_of_day(lua_State *L);
void awio_open_stream(lua_State *L);
void awio_open_read(lua_State *L);
void awio_open_process(lua_State *L);
void awio_open_spawn(lua_State *L);

/* For exec.lua, which may not await where these are called.
 *
 * unread(stream, most [, more]) → what has been read and not been taken, with
 * `more` also what can be read now; at most so many bytes. */
int awio_unread(lua_State *L);
/* file_kind(value) → "stream", "file" or nil */
int awio_file_kind(lua_State *L);

#endif
