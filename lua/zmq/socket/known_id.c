/* known_id.c - routing ids that were received lately, as Lua strings
 *
 * Each message of a ROUTER begins with the id of its peer, and there are fewer
 * peers than messages. To make a string, Lua hashes and interns it, and
 * collects it later. So some ids stay as strings in the registry, which costs
 * half as much to read.
 *
 *   id ──hash──► slot: the bytes ──► reference ──► string
 *
 * The slots belong to the home of the Lua state, so they live as long as the
 * registry. An id that others push out again and again would cost more than it
 * saves: a slot changes only when it has failed several times in a row.
 */
#include "known_id.h"

#include <string.h>

/* libzmq numbers its peers, and so do most programs: ids differ at the end. */
static inline size_t slot_of(const char *id, size_t size) {
  enum { BITS = 6 };
  _Static_assert(AWZ_KNOWN_IDS == 1 << BITS, "each slot can be chosen");
  uint32_t end = (unsigned char)id[size - 1];
  if (size >= sizeof end)
    memcpy(&end, id + size - sizeof end, sizeof end);
  return end * UINT32_C(0x9e3779b1) >> (32 - BITS);
}

/* Put the string on top of the stack into the slot. */
static void keep_id(lua_State *L, awz_known_id *known) {
  size_t size;
  const char *id = lua_tolstring(L, -1, &size);
  lua_pushvalue(L, -1);
  if (known->ref)
    lua_rawseti(L, LUA_REGISTRYINDEX, known->ref);
  else
    known->ref = luaL_ref(L, LUA_REGISTRYINDEX);
  known->size = (uint8_t)size;
  known->misses = 0;
  memcpy(known->bytes, id, size);
}

void awz_push_id(lua_State *L, awz_home *home, const char *id, size_t size) {
  enum { PATIENCE = 4 };
  if (size == 0 || size > sizeof home->ids->bytes) {
    lua_pushlstring(L, id, size);
    return;
  }
  awz_known_id *known = &home->ids[slot_of(id, size)];
  if (known->size == size && memcmp(known->bytes, id, size) == 0) {
    known->misses = 0;
    lua_rawgeti(L, LUA_REGISTRYINDEX, known->ref);
    return;
  }
  lua_pushlstring(L, id, size); /* `id` may be gone after that */
  if (known->size == 0 || ++known->misses >= PATIENCE)
    keep_id(L, known);
}
