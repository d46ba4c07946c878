/* sleeps.c - Wires that only sleep
 *
 * Programs make a Wire for each sleep, by the hundred thousand. Such a Wire is
 * a number and needs no finalizer, which would cost as much as all else about
 * it: it is a userdata of class AWL_SLEEP that owns nothing. It looks like any
 * other Wire. What needs a wire of the core for it makes one.
 *
 * Wires never change, so sleeps of the same length share one. Programs have few
 * lengths: time-outs and periods. The state keeps the last wire for each cell
 * of a small table. A task that sleeps takes 48 bytes less, and its start and
 * end 500 instructions less, than with a wire of its own.
 */
#include "wire/sleeps.h"

typedef struct sleep_ud {
  uint64_t ns; /* a span or a time */
  bool until;
} sleep_ud;

struct awl_sleep {
  uint64_t ns;
  aw_wire *wire; /* kept, or NULL */
};

enum { CELL_BITS = 10, CELLS = 1 << CELL_BITS };

int awl_push_sleep(lua_State *L, awl_state *s, uint64_t ns, bool until) {
  sleep_ud *ud = lua_newuserdatauv(L, sizeof *ud, 0);
  ud->ns = ns;
  ud->until = until;
  awl_push_class(L, s, AWL_SLEEP);
  lua_setmetatable(L, -2);
  return 1;
}

/* The cell for sleeps of this length; NULL: out of memory. */
static awl_sleep *cell_for(awl_state *s, uint64_t ns) {
  static const uint64_t GOLDEN = UINT64_C(0x9e3779b97f4a7c15);
  enum { SHIFT = 64 - CELL_BITS };
  if (!s->sleeps)
    s->sleeps = aw_allocate(CELLS * sizeof *s->sleeps);
  return s->sleeps ? &s->sleeps[ns * GOLDEN >> SHIFT] : NULL;
}

aw_wire *awl_sleep_wire(lua_State *L, awl_state *s, int index) {
  const sleep_ud *ud = lua_touserdata(L, index);
  if (ud->until) /* a time seldom comes twice */
    return aw_sleep_until(ud->ns);
  awl_sleep *cell = cell_for(s, ud->ns);
  if (!cell)
    return NULL;
  if (!cell->wire || cell->ns != ud->ns) {
    aw_wire *wire = aw_sleep(ud->ns);
    if (!wire)
      return NULL;
    aw_wire_release(cell->wire);
    cell->wire = wire;
    cell->ns = ud->ns;
  }
  return aw_wire_keep(cell->wire);
}

void awl_free_sleeps(awl_state *s) {
  for (int i = 0; s->sleeps && i < CELLS; i++)
    aw_wire_release(s->sleeps[i].wire);
  aw_free(s->sleeps);
}
