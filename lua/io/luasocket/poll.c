/* poll.c - which descriptors are ready now, for select() */
#include "luasocket/luasocket.h"

#include <lauxlib.h>

#include <errno.h>
#include <poll.h>

/* ls_ready(descriptors, events) → number of those that are ready. The lists
 * have the same length; events are 1, 2 or 3. In the place of its events, each
 * descriptor gets those that are ready, or 0. */
static int inner_ls_ready(lua_State *L) {
  lua_Integer count = luaL_len(L, 1);
  struct pollfd *list =
      lua_newuserdatauv(L, ((size_t)count + 1) * sizeof *list, 0);
  for (lua_Integer i = 0; i < count; i++) {
    lua_rawgeti(L, 1, i + 1);
    lua_rawgeti(L, 2, i + 1);
    int events = (int)lua_tointeger(L, -1);
    list[i].fd = (int)lua_tointeger(L, -2);
    list[i].events = (short)((events & AW_READABLE ? POLLIN : 0) |
                             (events & AW_WRITABLE ? POLLOUT : 0));
    lua_pop(L, 2);
  }
  int ready;
  do
    ready = poll(list, (nfds_t)count, 0);
  while (ready < 0 && errno == EINTR);
  for (lua_Integer i = 0; i < count; i++) {
    lua_rawgeti(L, 2, i + 1);
    lua_Integer wanted = lua_tointeger(L, -1), got = 0;
    lua_pop(L, 1);
    if (list[i].revents & (POLLIN | POLLERR | POLLHUP | POLLNVAL))
      got |= AW_READABLE;
    if (list[i].revents & (POLLOUT | POLLERR | POLLHUP | POLLNVAL))
      got |= AW_WRITABLE;
    lua_pushinteger(L, got & wanted);
    lua_rawseti(L, 2, i + 1);
  }
  lua_pushinteger(L, ready);
  return 1;
}

const luaL_Reg awio_ls_poll_inner[] = {{"ls_ready", inner_ls_ready},
                                       {NULL, NULL}};
