/* select.c - aw_select(): a race of events only [F5, H4]
 *
 * Each choice looks at its events in an order of its own, and all orders are
 * equally likely. So each source that is ready has the same chance, whatever
 * others are beside it, and tasks that choose in turn cannot fall into step.
 * (If a choice only began at another place each time, a source that stands
 * behind one that is seldom ready would be taken twice as often as the others.)
 *
 * `values` has the value of the winner. Behind that value stands the order: for
 * each place a number, which is 0 while the operand of the same number stands
 * there, else 1 + the number of the operand that stands there. Each draw
 * shuffles one more place.
 */
#include "base/ready.h"
#include "run/groups/group.h"
#include "wire/build.h"

aw_wire *aw_select(aw_wire *const *wires, size_t count) {
  aw_wire *wire =
      count == 0 ? NULL : aw__build_table(AW_KIND_SELECT, wires, count);
  for (size_t i = 0; wire && i < count; i++)
    if (!aw_wire_is_event(wire->u.list.items[i])) {
      aw_wire_release(wire);
      wire = NULL;
    }
  return wire;
}

static size_t room(const aw_wire *wire) {
  size_t order = wire->count * sizeof(uint32_t);
  return 1 + (order + sizeof(aw_value) - 1) / sizeof(aw_value);
}

static uint32_t standing_at(const uint32_t *order, uint32_t place) {
  return order[place] ? order[place] - 1 : place;
}

/* Draw one of the operands that have not begun. */
static uint32_t draw(aw_group *group) {
  uint32_t *order = (uint32_t *)&group->values[1];
  uint32_t at = group->begun;
  uint32_t drawn =
      at + aw__choice(aw__group_task(group)->engine, group->wire->count - at);
  uint32_t place = standing_at(order, drawn);
  order[drawn] = standing_at(order, at) + 1;
  return place;
}

static void finish(aw_task *task, aw_group *group) {
  aw__group_gather(task, group, AW_SHAPE_INDEX_FIRST, 1);
}

const aw_group_kind aw__run_select = {.room = room,
                                      .next = draw,
                                      .competes = aw_wire_is_event,
                                      .ended = aw__race_ended,
                                      .complete = aw__race_won,
                                      .finish = finish};
