/* memory_pressure.c - tells Lua's collector of memory that it does not see
 *
 * A Wire is a userdata of a few bytes, but it may own an array of a million
 * items: hundreds of megabytes of garbage look like a few kilobytes to Lua. So
 * an object that may own much more memory of C than of Lua is weighed when it
 * gets that memory: the collector then works as much as if Lua had allocated
 * the memory.
 *
 * Small objects are not weighed, nor objects whose C memory is in proportion to
 * their Lua memory. So most wires cost nothing here. Freed memory is not
 * subtracted. Like Lua's own "debt", the weight counts only what was allocated
 * since the last step of the collector.
 *
 * A connection holds a descriptor and kernel memory until it is closed. Most
 * connections are closed by the program, and need no collector: a step of the
 * collector for each took as long as all the rest of a short connection. So the
 * newest 128 open connections have a place in a ring, and the collector is told
 * of a connection only when a newer one takes its place. The cost: garbage may
 * hold 128 descriptors more.
 *
 * Lua begins a cycle when its heap has doubled, and its heap does not contain
 * the weights. With ten thousand open connections, the collector would run six
 * times as often as it should. Connections that were open at the end of a cycle
 * are most likely in use, and are no garbage. So each weight is scaled down by
 *
 *     heap / (heap + weight of the connections that were open at that time)
 */
#include "base/memory_pressure.h"

enum { BATCH = 16 * 1024, KIB = 1024 };

/* Wires below this size are small beside their userdata. */
enum { LIGHT_WIRE = 256 };

/* Let the collector work as if Lua had allocated so much. Returns 1 if that has
 * ended a cycle. */
#if LUA_VERSION_NUM >= 505
static int step_collector(lua_State *L, size_t bytes) {
  return lua_gc(L, LUA_GCSTEP, bytes);
}
#else
static int step_collector(lua_State *L, size_t bytes) {
  size_t kib = bytes / KIB;
  return lua_gc(L, LUA_GCSTEP, kib < INT32_MAX ? (int)kib : INT32_MAX);
}
#endif

void awl_weigh(lua_State *L, awl_state *s, size_t more) {
  s->unseen += more;
  if (s->unseen < BATCH)
    return;
  /* The collector does not run: the user has stopped it, or this is a
   * finalizer. LUA_GCSTEP would collect all the same. */
  if (lua_gc(L, LUA_GCISRUNNING) != 1)
    return;
  size_t bytes = s->unseen;
  s->unseen = 0; /* reset first: finalizers may call this function */
  if (step_collector(L, bytes) == 1)
    s->open_before = s->open_bytes;
}

void awl_weigh_wire(lua_State *L, awl_state *s, const aw_wire *wire) {
  size_t bytes = aw_wire_bytes(wire);
  if (bytes >= LIGHT_WIRE)
    awl_weigh(L, s, bytes);
}

void aw_lua_weigh(lua_State *L, size_t bytes) {
  awl_weigh(L, awl_open(L), bytes);
}

/* ---- objects that are closed ---- */

/* The part of a weight that counts, see above. */
static size_t share_of(const awl_state *s, size_t bytes) {
  int heap = lua_gc(s->util, LUA_GCCOUNT);
  size_t used = s->open_before < s->open_bytes ? s->open_before : s->open_bytes;
  if (heap <= 0) /* a finalizer runs */
    return bytes;
  return bytes * (size_t)heap / ((size_t)heap + used / KIB);
}

static void tell_of(awl_state *s, aw_lua_weight *weight) {
  s->unseen += share_of(s, weight->bytes);
  s->open_bytes += weight->bytes;
  weight->total = &s->open_bytes;
  weight->place = NULL;
}

void aw_lua_weigh_open(aw_lua_here *here, aw_lua_weight *weight, size_t bytes) {
  awl_state *s = (awl_state *)here;
  aw_lua_weight **place = &s->open[s->next_open];
  s->next_open = (s->next_open + 1) % AWL_OPEN;
  if (*place)
    tell_of(s, *place);
  weight->bytes = bytes;
  weight->place = place;
  *place = weight;
}

void aw_lua_weigh_closed(aw_lua_weight *weight) {
  if (weight->place)
    *weight->place = NULL;
  if (weight->total)
    *weight->total -= weight->bytes;
  weight->place = NULL;
  weight->total = NULL;
}
