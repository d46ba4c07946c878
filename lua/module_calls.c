/* module_calls.c - the table of functions for C modules (aiowire_module.h)
 *
 * It stands in the registry of each state that has opened the library, since
 * the library's own symbols are hidden: aiowire.so is loaded with RTLD_LOCAL.
 */
#define AW_MODULE_LINKED
#include "aiowire_module.h"

#include "module_calls.h"

#define CALL(name) name,
static const aw_module_calls calls = {sizeof(aw_module_calls), AW_MODULE_ABI,
                                      AW_VERSION_STRING, AW_MODULE_CALLS(CALL)};
#undef CALL

void awl_offer_calls(lua_State *L) {
  /* Nobody writes to the table. */
  lua_pushlightuserdata(L, (void *)(uintptr_t)&calls);
  lua_setfield(L, LUA_REGISTRYINDEX, AW_MODULE_KEY);
}
