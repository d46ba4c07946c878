/* transfer.c - objects of C that travel between Lua states [J13]
 *
 * A class has a constant aw_lua_transfer, which its metatable keeps under a key
 * that no program can make. The messages are in lua/io/thread/.
 */
#if defined(__linux__)
#define _GNU_SOURCE /* dladdr() */
#endif
#include <aiowire_lua.h>

#include <dlfcn.h>
#include <stdint.h>

static const char KEY = 't'; /* the address of KEY is the key */

/* Keep the library that has `address` loaded: lua_close() unloads C modules,
 * but a reference may still be on its way. Without memory it is not kept. */
static void pin(const void *address) {
#if defined(RTLD_NODELETE) && defined(RTLD_NOLOAD)
  Dl_info info;
  if (dladdr((void *)(uintptr_t)address, &info) == 0 || !info.dli_fname)
    return;
  void *library =
      dlopen(info.dli_fname, RTLD_LAZY | RTLD_NOLOAD | RTLD_NODELETE);
  if (library)
    dlclose(library);
#else
  (void)address;
#endif
}

void aw_lua_add_transfer(lua_State *L, int metatable,
                         const aw_lua_transfer *transfer) {
  metatable = lua_absindex(L, metatable);
  pin(transfer);
  lua_pushlightuserdata(L, (void *)(uintptr_t)transfer);
  lua_rawsetp(L, metatable, &KEY);
}

const aw_lua_transfer *aw_lua_find_transfer(lua_State *L, int index) {
  if (lua_type(L, index) != LUA_TUSERDATA || !lua_getmetatable(L, index))
    return NULL;
  lua_rawgetp(L, -1, &KEY);
  const aw_lua_transfer *transfer = lua_touserdata(L, -1);
  lua_pop(L, 2);
  return transfer;
}
