/* wire.c - references to wires: keep, release, and the memory that they hold
 *
 * Wires are trees of any depth, so releasing one must not recurse. Wires that
 * are being taken apart form a chain instead; see next_part().
 *
 * Neighbours: build.c makes wires, and explains the shared arrays of lists.
 */
#include "wire/wire.h"

#include <assert.h>
#include <string.h>

/* ---- names ---- */

aw_name *aw__name_make(const char *text) {
  size_t size = strlen(text) + 1;
  aw_name *name = aw_allocate(sizeof *name + size);
  if (!name)
    return NULL;
  name->refs = 1;
  memcpy(name->text, text, size);
  return name;
}

void aw__name_release(aw_name *name) {
  if (name && --name->refs == 0)
    aw_free(name);
}

/* ---- parts ---- */

static bool is_list(const aw_wire *wire) {
  return aw__kind_row(wire)->layout == AW_LAYOUT_LIST;
}

aw_wire **aw__wire_part(aw_wire *wire, size_t index) {
  assert(index < wire->count);
  if (is_list(wire))
    return &wire->u.list.items[index];
  return index == 0 ? &wire->u.first : &wire->u.pair.then;
}

size_t aw__wire_list_size(size_t capacity) {
  return sizeof(aw_wire) + capacity * sizeof(aw_wire *);
}

size_t aw_wire_bytes(const aw_wire *wire) {
  if (wire->refs > 1)
    return 0;
  if (is_list(wire))
    return aw__wire_list_size(
        wire->u.list.base ? 0 : wire->count + wire->u.list.room);
  if (wire->kind == AW_KIND_NAMED)
    return sizeof *wire + sizeof(aw_name) + strlen(wire->u.name->text);
  return sizeof *wire;
}

/* ---- references ---- */

aw_wire *aw_wire_keep(aw_wire *wire) {
  if (wire)
    wire->refs++;
  return wire;
}

/* Release what `wire` holds besides its parts. */
static void release_held(aw_wire *wire) {
  switch ((aw_layout)aw__kind_row(wire)->layout) {
  case AW_LAYOUT_HOST:
    if (wire->u.host.release)
      wire->u.host.release(wire->u.host.data);
    break;
  case AW_LAYOUT_TASK: wire->u.release_task(wire->u.task); break;
  case AW_LAYOUT_HOLD: wire->u.hold.release(wire->u.hold.data); break;
  case AW_LAYOUT_NAMED:
    aw__name_release(wire->u.name); /* NULL if aw_named() ran out of memory */
    break;
  case AW_LAYOUT_RETRY: aw_free(wire->u.pair.rule); break;
  case AW_LAYOUT_LIST:
    assert(!wire->u.list.extended); /* a wire that extends another keeps it */
    if (wire->u.list.base)
      wire->u.list.base->u.list.extended = false;
    break;
  case AW_LAYOUT_CALL:
  case AW_LAYOUT_TIME:
  case AW_LAYOUT_WAIT:
  case AW_LAYOUT_ONE:
  case AW_LAYOUT_EVERY:
  case AW_LAYOUT_SLOT:
  case AW_LAYOUT_PAIR: break;
  }
}

/* Free a wire that has at most one reference left to another wire: its only
 * part, or the base of a list. Gives that reference, or NULL. */
static aw_wire *take_apart(aw_wire *wire) {
  aw_wire *last = NULL;
  if (is_list(wire))
    last = wire->u.list.base;
  else if (wire->count > 0)
    last = wire->u.first;
  release_held(wire);
  aw_free(wire);
  return last;
}

/* Returns true if `wire` has more parts to release than take_apart() gives. */
static bool has_more_parts(const aw_wire *wire) {
  if (!is_list(wire))
    return wire->count > 1;
  const aw_wire *base = wire->u.list.base;
  return wire->count > (base ? base->count : 0);
}

/* Take the last part out of `wire`, and put `wire` into the chain. The link of
 * the chain stands in the place of the part that is being released. */
static aw_wire *last_part(aw_wire *wire, aw_wire **chain) {
  aw_wire **place = aw__wire_part(wire, wire->count - 1);
  aw_wire *part = *place;
  *place = *chain;
  *chain = wire;
  return part;
}

/* Begin to take `wire` apart, or go on with it. Gives the wire to release next,
 * or NULL. */
static aw_wire *next_part(aw_wire *wire, aw_wire **chain) {
  return has_more_parts(wire) ? last_part(wire, chain) : take_apart(wire);
}

/* Go on with the wire that was put into the chain last. */
static aw_wire *next_in_chain(aw_wire **chain) {
  aw_wire *wire = *chain;
  *chain = *aw__wire_part(wire, wire->count - 1);
  wire->count--;
  return next_part(wire, chain);
}

static void free_all(aw_wire *wire) {
  aw_wire *chain = NULL;
  wire = next_part(wire, &chain);
  for (;;) {
    while (wire && --wire->refs == 0)
      wire = next_part(wire, &chain);
    if (!chain)
      return;
    wire = next_in_chain(&chain);
  }
}

void aw_wire_release(aw_wire *wire) {
  if (wire && --wire->refs == 0)
    free_all(wire);
}
