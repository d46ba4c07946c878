/* io.h - awaitables on libuv, built with the public C API only
 *
 *   readiness.c    aw.readable, and the sources of a Poller
 *   poller_gate.c  wakes the task of a Poller
 *   drive.c        waits for the event loop of another library
 *   luv_calls.c    runs luv's loop
 *   signal.c       aw.signal
 *   time_of_day.c  aw.time, aw.at; calendar.c finds their moments
 *   base/          sources of readiness, buffers, waiters, pools of threads,
 *                  the async of an engine, addresses, sockets, terminals, names
 *                  of signals, overwriting of secrets, and system calls that
 *                  libuv does not offer
 *   tls/           TLS over a descriptor, with OpenSSL
 *   stream/        bytes in and out of a descriptor: in C, and for Lua
 *   net/           looking names up, connecting, servers, datagrams
 *   luasocket/     sockets as LuaSocket's, which await
 *   process/       child processes: in C, and for Lua
 *   file/          operations on files, and watching them
 *   thread/        workers with Lua states of their own, and pools of them
 *
 * Callbacks of libuv move bytes, wake tasks and record events; they never touch
 * Lua. Handles of libuv lie in memory of C, never in a userdata, since they
 * must live until their close callbacks.
 */
#ifndef AWIO_H
#define AWIO_H

#include <lauxlib.h>
#include <lua.h>
#include <stdbool.h>
#include <stddef.h>

/* Return the userdata at 1, or NULL if its metatable is not upvalue 1 of the
 * running function. */
static inline void *awio_object(lua_State *L) {
  void *object = lua_touserdata(L, 1);
  if (!object || !lua_getmetatable(L, 1))
    return NULL;
  bool is = lua_topointer(L, -1) == lua_topointer(L, lua_upvalueindex(1));
  lua_pop(L, 1);
  return is ? object : NULL;
}

/* Add functions for the parts in Lua. [inner, module] */
static inline void awio_add_inner(lua_State *L, const luaL_Reg *functions) {
  lua_pushvalue(L, -2);
  luaL_setfuncs(L, functions, 0);
  lua_pop(L, 1);
}

/* Each of these adds its public functions to the module's table, on top of the
 * stack, and functions for the parts in Lua to the table below that. They may
 * raise. awio_open_stream() comes first: others add methods to streams. */
void awio_open_readiness(lua_State *L);
void awio_open_poller_gate(lua_State *L);
void awio_open_drive(lua_State *L);
void awio_open_luv(lua_State *L);
void awio_open_signal(lua_State *L);
void awio_open_time_of_day(lua_State *L);
void awio_open_stream(lua_State *L);
void awio_open_read(lua_State *L);
void awio_open_read_until(lua_State *L);
void awio_open_events(lua_State *L);
void awio_open_socket(lua_State *L);
void awio_open_secure(lua_State *L);
void awio_open_copy(lua_State *L);
void awio_open_file(lua_State *L);
void awio_open_watch(lua_State *L);
void awio_open_finish(lua_State *L);
void awio_open_lookup(lua_State *L);
void awio_open_connect(lua_State *L);
void awio_open_server(lua_State *L);
void awio_open_listen(lua_State *L);
void awio_open_connections(lua_State *L);
void awio_open_udp(lua_State *L);
void awio_open_luasocket(lua_State *L);
void awio_open_process(lua_State *L);
void awio_open_spawn(lua_State *L);
void awio_open_read_file(lua_State *L);
void awio_open_write_file(lua_State *L);
void awio_open_copy_file(lua_State *L);
void awio_open_tempfile(lua_State *L);
void awio_open_entry(lua_State *L);
void awio_open_folder(lua_State *L);
void awio_open_glob(lua_State *L);
void awio_open_thread(lua_State *L);
void awio_open_pool_worker(lua_State *L);
void awio_open_pool(lua_State *L);

/* For programs.lua, in places where it may not await.
 *
 * unread(stream, most [, more]) → at most `most` bytes that the stream has read
 * and nobody has taken; with `more` also bytes that can be read now. */
int awio_unread(lua_State *L);
/* file_kind(value) → "stream", "file" or nil */
int awio_file_kind(lua_State *L);

#endif
