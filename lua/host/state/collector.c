/* collector.c - times the work of Lua's collector, for traces
 *
 * Lua calls its collector by luaC_step(), in the middle of what allocates, and
 * by luaC_fullgc(). A program that is linked with the archive of Lua can get
 * these calls by the linker's option --wrap; a shared library of Lua, and the
 * module, cannot. CMake sets HOST_WRAPS_COLLECTOR if the option is in use.
 *
 * A finalizer may run inside such a call. Lua's collector stands still
 * meanwhile, so calls do not nest. Neither function raises an error: errors of
 * finalizers become warnings.
 *
 * When nothing is recorded, that costs a test for each call.
 */
#include "state/collector.h"

#ifdef HOST_WRAPS_COLLECTOR

#include <aiowire_lua.h>

/* Not inline: what it needs of the stack would cost every call. */
__attribute__((noinline)) static void time_step(lua_State *L, uint64_t began) {
  __real_luaC_step(L);
  aw_lua_pause_ends(L, began, false);
}

void __wrap_luaC_step(lua_State *L) {
  uint64_t began = aw_lua_pause_begins(L);
  if (began)
    time_step(L, began);
  else
    __real_luaC_step(L);
}

void __wrap_luaC_fullgc(lua_State *L, int is_emergency) {
  uint64_t began = aw_lua_pause_begins(L);
  __real_luaC_fullgc(L, is_emergency);
  if (began)
    aw_lua_pause_ends(L, began, true);
}

#endif
