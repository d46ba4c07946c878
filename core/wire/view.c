/* view.c - what hosts, and the rest of the core, can learn about a wire
 *
 * Hosts never see private kinds: a wire that holds something for a host is
 * shown as its first part. Neighbours: kinds.h says which kinds are events and
 * which are transparent.
 */
#include "wire/view.h"

#include "wire/wire.h"

#include <string.h>

bool aw_wire_is_event(const aw_wire *wire) {
  aw_eventness event;
  while ((event = (aw_eventness)aw__kind_row(wire)->event) == AW_EVENT_AS_FIRST)
    wire = wire->u.first;
  return event == AW_EVENT_YES ||
         (event == AW_EVENT_ABORTABLE && wire->u.wait.operation->disarm);
}

aw_wire *aw__wire_inside(const aw_wire *wire) {
  while (aw__kind_row(wire)->transparent)
    wire = wire->u.first;
  return (aw_wire *)(uintptr_t)wire;
}

static const aw_wire *shown(const aw_wire *wire) {
  while (wire->kind == AW_KIND_HOLD)
    wire = wire->u.first;
  return wire;
}

aw_name *aw__wire_keep_name(const aw_wire *wire) {
  wire = shown(wire);
  if (wire->kind != AW_KIND_NAMED)
    return NULL;
  wire->u.name->refs++;
  return wire->u.name;
}

const char *aw_wire_name(const aw_wire *wire) {
  wire = shown(wire);
  if (wire->kind == AW_KIND_NAMED)
    return wire->u.name->text;
  return wire->kind == AW_KIND_HOST ? wire->u.host.name : NULL;
}

void *aw_wire_data(const aw_wire *wire, void (*release)(void *data)) {
  if (wire->kind == AW_KIND_HOLD && wire->u.hold.release == release)
    return wire->u.hold.data;
  if (wire->kind == AW_KIND_HOST && wire->u.host.release == release)
    return wire->u.host.data;
  return NULL;
}

/* The fields of a view that only some layouts have. */
static void look_at_layout(const aw_wire *wire, aw_wire_view *out) {
  switch ((aw_layout)aw__kind_row(wire)->layout) {
  case AW_LAYOUT_CALL: out->data = wire->u.call.data; break;
  case AW_LAYOUT_HOST: out->data = wire->u.host.data; break;
  case AW_LAYOUT_TIME: out->number = wire->u.ns; break;
  case AW_LAYOUT_TASK: out->task = wire->u.task; break;
  case AW_LAYOUT_WAIT:
    out->data = wire->u.wait.data;
    out->operation = wire->u.wait.operation;
    out->name = wire->u.wait.operation->label;
    break;
  case AW_LAYOUT_ONE:
    out->number = wire->u.one.number;
    out->grace = wire->u.one.grace;
    break;
  case AW_LAYOUT_EVERY:
    out->number = wire->u.every.period;
    out->missed = wire->u.every.missed;
    break;
  case AW_LAYOUT_SLOT:
    out->slot = wire->u.slot.type;
    out->data = wire->u.slot.data;
    break;
  case AW_LAYOUT_PAIR: out->number = wire->u.pair.number; break;
  case AW_LAYOUT_RETRY: out->rule = wire->u.pair.rule; break;
  case AW_LAYOUT_LIST:
    out->number = wire->limit;
    out->table = wire->u.list.table;
    break;
  case AW_LAYOUT_NAMED:
  case AW_LAYOUT_HOLD: break;
  }
}

void aw_wire_look(const aw_wire *wire, aw_wire_view *out) {
  wire = shown(wire);
  memset(out, 0, sizeof *out);
  out->kind = (aw_wire_kind)aw__kind_row(wire)->shown;
  out->name = aw_wire_name(wire);
  out->parts = wire;
  out->count = wire->count;
  look_at_layout(wire, out);
}

const aw_wire *aw_wire_part(const aw_wire_view *view, size_t index) {
  if (index >= view->count)
    return NULL;
  return *aw__wire_part((aw_wire *)(uintptr_t)view->parts, index);
}
