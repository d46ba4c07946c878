/* view.c - what others may know of a wire
 *
 * Wires that hold something for a host are looked through. Neighbours: wire.c
 * makes them.
 */
#include "wire/view.h"

#include <string.h>

bool aw__wire_is_list(const aw_wire *wire) {
  switch ((int)wire->kind) {
  case AW_WIRE_SEQUENCE:
  case AW_WIRE_ELSE:
  case AW_WIRE_ALL:
  case AW_WIRE_RACE:
  case AW_WIRE_ANY:
  case AW_WIRE_SELECT: return true;
  default: return false;
  }
}

aw_wire **aw__wire_items(aw_wire *wire) {
  return aw__wire_is_list(wire) ? wire->u.list.items : wire->u.pair.parts;
}

bool aw_wire_is_event(const aw_wire *wire) {
  for (;;) {
    switch ((int)wire->kind) {
    case AW_WIRE_SLEEP:
    case AW_WIRE_UNTIL:
    case AW_WIRE_DONE: return true;
    case AW_WIRE_WAIT: return wire->u.wait.operation->disarm != NULL;
    case AW_WIRE_BIND: wire = wire->u.pair.child; break;
    case AW_WIRE_HOLD: wire = wire->u.hold.child; break;
    case AW_WIRE_NAMED: wire = wire->u.named.child; break;
    default: return false;
    }
  }
}

aw_wire *aw__wire_inside(const aw_wire *wire) {
  while (wire->kind == AW_WIRE_HOLD || wire->kind == AW_WIRE_NAMED)
    wire =
        wire->kind == AW_WIRE_HOLD ? wire->u.hold.child : wire->u.named.child;
  return (aw_wire *)(uintptr_t)wire;
}

static const aw_wire *held(const aw_wire *wire) {
  while (wire->kind == AW_WIRE_HOLD)
    wire = wire->u.hold.child;
  return wire;
}

aw_name *aw__wire_keep_name(const aw_wire *wire) {
  wire = held(wire);
  if (wire->kind != AW_WIRE_NAMED)
    return NULL;
  wire->u.named.name->refs++;
  return wire->u.named.name;
}

const char *aw_wire_name(const aw_wire *wire) {
  wire = held(wire);
  if (wire->kind == AW_WIRE_NAMED)
    return wire->u.named.name->text;
  return wire->kind == AW_WIRE_HOST ? wire->u.host.name : NULL;
}

void *aw_wire_data(const aw_wire *wire, void (*release)(void *data)) {
  if (wire->kind == AW_WIRE_HOLD && wire->u.hold.release == release)
    return wire->u.hold.data;
  if (wire->kind == AW_WIRE_HOST && wire->u.host.release == release)
    return wire->u.host.data;
  return NULL;
}

/* The fields of a view that only some kinds have. */
static void look_at_leaf(const aw_wire *wire, aw_wire_view *out) {
  switch ((int)wire->kind) {
  case AW_WIRE_CALL: out->data = wire->u.call.data; break;
  case AW_WIRE_HOST: out->data = wire->u.host.data; break;
  case AW_WIRE_WAIT:
    out->data = wire->u.wait.data;
    out->operation = wire->u.wait.operation;
    out->name = wire->u.wait.operation->label;
    break;
  case AW_WIRE_DONE: out->task = wire->u.task; break;
  default: /* SLEEP, UNTIL */ out->number = wire->u.ns; break;
  }
}

static void look_at_composite(const aw_wire *wire, aw_wire_view *out) {
  out->count = wire->count > 0 ? wire->count : 1;
  switch ((int)wire->kind) {
  case AW_WIRE_TIMEOUT:
    out->number = wire->u.timeout.ns;
    out->grace = wire->u.timeout.grace;
    break;
  case AW_WIRE_EVERY:
    out->number = wire->u.unary.number;
    out->missed = (aw_missed)wire->table;
    break;
  case AW_WIRE_FINALLY: out->number = wire->u.pair.more.grace; break;
  case AW_WIRE_RETRY: out->rule = wire->u.pair.more.rule; break;
  case AW_WIRE_REPEAT:
  case AW_WIRE_SHIELD: out->number = wire->u.unary.number; break;
  default: break; /* NAMED, WHOLE, BIND, CATCH: their parts say all */
  }
}

void aw_wire_look(const aw_wire *wire, aw_wire_view *out) {
  wire = held(wire);
  memset(out, 0, sizeof *out);
  out->kind = (aw_wire_kind)wire->kind;
  out->name = aw_wire_name(wire);
  out->parts = wire;
  if (aw__wire_is_list(wire)) {
    out->count = wire->count;
    out->number = wire->limit;
    out->table = wire->table;
  } else if (wire->kind >= AW_WIRE_REPEAT) {
    look_at_composite(wire, out);
  } else {
    look_at_leaf(wire, out);
  }
}

const aw_wire *aw_wire_part(const aw_wire_view *view, size_t index) {
  const aw_wire *wire = view->parts;
  if (aw__wire_is_list(wire))
    return wire->u.list.items[index];
  if (wire->count > 0)
    return wire->u.pair.parts[index];
  return wire->kind == AW_WIRE_NAMED ? wire->u.named.child
                                     : wire->u.unary.child;
}
