/* wire.c - wires: immutable, reference-counted trees; no I/O, no engine
 *
 * A wire is written once, by its constructor, and only its count of
 * references changes after that. Constructors take their operands and pass
 * NULL on, so a nested expression is checked once, at its end. Sequences are
 * flat [V4]: an operand that is itself a sequence gives its items.
 */
#include "state.h"

#include <string.h>

/* A wire with room for `items` operands; NULL when out of memory. */
static aw_wire *make(aw_wire_kind kind, size_t items) {
  size_t extra = items > 1 ? (items - 1) * sizeof(aw_wire *) : 0;
  aw_wire *wire = aw_allocate(sizeof *wire + extra);
  if (!wire)
    return NULL;
  wire->refs = 1;
  wire->kind = (uint8_t)kind;
  wire->count = (uint32_t)items;
  return wire;
}

static aw_wire *make_unary(aw_wire_kind kind, aw_wire *child, uint64_t number) {
  if (!child)
    return NULL;
  aw_wire *wire = make(kind, 0);
  if (!wire) {
    aw_wire_release(child);
    return NULL;
  }
  wire->u.unary.child = child;
  wire->u.unary.number = number;
  return wire;
}

aw_wire *aw_call(aw_step_fn fn, void *data) {
  aw_wire *wire = make(AW_WIRE_CALL, 0);
  if (wire) {
    wire->u.call.fn = fn;
    wire->u.call.data = data;
  }
  return wire;
}

aw_wire *aw_host_call(void *data, void (*release)(void *data),
                      const char *name) {
  aw_wire *wire = make(AW_WIRE_HOST, 0);
  if (!wire) {
    if (release)
      release(data);
    return NULL;
  }
  wire->u.host.data = data;
  wire->u.host.release = release;
  wire->u.host.name = name;
  return wire;
}

aw_wire *aw_hold(aw_wire *child, void *data, void (*release)(void *)) {
  aw_wire *wire = make_unary(AW_WIRE_HOLD, child, 0);
  if (!wire) {
    release(data);
    return NULL;
  }
  wire->u.hold.data = data;
  wire->u.hold.release = release;
  return wire;
}

aw_wire *aw_then(aw_wire *first, aw_wire *second) {
  aw_wire *pair[2] = {first, second};
  return aw_sequence(pair, 2);
}

static void release_all(aw_wire *const *wires, size_t count) {
  for (size_t i = 0; i < count; i++)
    aw_wire_release(wires[i]);
}

/* How many items `wires` have when flattened; SIZE_MAX: a NULL is among them.
 */
static size_t flat_count(aw_wire *const *wires, size_t count) {
  size_t total = 0;
  for (size_t i = 0; i < count; i++) {
    if (!wires[i])
      return SIZE_MAX;
    total += wires[i]->kind == AW_WIRE_SEQUENCE ? wires[i]->count : 1;
  }
  return total;
}

/* Put what `wire` is made of to `out`, which keeps it; gives how many. */
static size_t flatten(aw_wire *wire, aw_wire **out) {
  if (wire->kind != AW_WIRE_SEQUENCE) {
    *out = aw_wire_keep(wire);
    return 1;
  }
  for (uint32_t i = 0; i < wire->count; i++)
    out[i] = aw_wire_keep(wire->u.items[i]);
  return wire->count;
}

aw_wire *aw_sequence(aw_wire *const *wires, size_t count) {
  size_t total = flat_count(wires, count);
  aw_wire *wire = NULL;
  if (total <= UINT32_MAX)
    wire = make(AW_WIRE_SEQUENCE, total);
  if (wire) {
    size_t at = 0;
    for (size_t i = 0; i < count; i++)
      at += flatten(wires[i], wire->u.items + at);
  }
  release_all(wires, count);
  return wire;
}

aw_wire *aw_repeat(aw_wire *wire, uint64_t times) {
  return make_unary(AW_WIRE_REPEAT, wire, times);
}

static aw_wire *make_timed(aw_wire_kind kind, uint64_t ns) {
  aw_wire *wire = make(kind, 0);
  if (wire)
    wire->u.ns = ns;
  return wire;
}

aw_wire *aw_sleep(uint64_t ns) {
  return make_timed(AW_WIRE_SLEEP, ns);
}

aw_wire *aw_sleep_until(uint64_t at) {
  return make_timed(AW_WIRE_UNTIL, at);
}

aw_wire *aw_whole(aw_wire *wire) {
  return make_unary(AW_WIRE_WHOLE, wire, 0);
}

static aw_name *make_name(const char *text) {
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

aw_wire *aw_named(aw_wire *child, const char *name) {
  aw_wire *wire = make_unary(AW_WIRE_NAMED, child, 0);
  if (!wire)
    return NULL;
  wire->u.named.name = make_name(name);
  if (!wire->u.named.name) {
    aw_wire_release(wire);
    return NULL;
  }
  return wire;
}

aw_wire *aw_shielded(aw_wire *wire, uint64_t grace) {
  return make_unary(AW_WIRE_SHIELD, wire, grace);
}

aw_wire *aw_when_done(aw_task *task) {
  aw_wire *wire = make(AW_WIRE_DONE, 0);
  if (wire)
    wire->u.task = aw_task_keep(task);
  return wire;
}

aw_wire *aw_wait_for(const aw_operation *operation, void *data) {
  aw_wire *wire = make(AW_WIRE_WAIT, 0);
  if (wire) {
    wire->u.wait.operation = operation;
    wire->u.wait.data = data;
  }
  return wire;
}

aw_wire *aw_wire_keep(aw_wire *wire) {
  wire->refs++;
  return wire;
}

/* Free a wire whose last reference went, not a sequence with items; gives its
 * one child, or NULL. */
static aw_wire *take_apart(aw_wire *wire) {
  aw_wire *child = NULL;
  switch ((int)wire->kind) {
  case AW_WIRE_HOST:
    if (wire->u.host.release)
      wire->u.host.release(wire->u.host.data);
    break;
  case AW_WIRE_HOLD:
    child = wire->u.hold.child;
    wire->u.hold.release(wire->u.hold.data);
    break;
  case AW_WIRE_NAMED:
    child = wire->u.named.child;
    aw__name_release(wire->u.named.name); /* NULL, if it could not be made */
    break;
  case AW_WIRE_REPEAT:
  case AW_WIRE_WHOLE:
  case AW_WIRE_SHIELD: child = wire->u.unary.child; break;
  case AW_WIRE_DONE: aw_task_release(wire->u.task); break;
  case AW_WIRE_SEQUENCE:
  case AW_WIRE_CALL:
  case AW_WIRE_SLEEP:
  case AW_WIRE_UNTIL:
  case AW_WIRE_WAIT: break;
  }
  aw_free(wire);
  return child;
}

/* Sequences that are being taken apart are a chain, so that no depth of a wire
 * is depth of the C stack. The link of each is in the place of the item that
 * is being released, the last of its `count`. */
static aw_wire *last_item(aw_wire *sequence, aw_wire **chain) {
  aw_wire **place = &sequence->u.items[sequence->count - 1];
  aw_wire *item = *place;
  *place = *chain;
  *chain = sequence;
  return item;
}

static aw_wire *next_item(aw_wire **chain) {
  aw_wire *sequence = *chain;
  *chain = sequence->u.items[--sequence->count];
  if (sequence->count > 0)
    return last_item(sequence, chain);
  aw_free(sequence);
  return NULL;
}

void aw_wire_release(aw_wire *wire) {
  aw_wire *chain = NULL;
  for (;;) {
    while (wire && --wire->refs == 0)
      wire = wire->kind == AW_WIRE_SEQUENCE && wire->count > 0
                 ? last_item(wire, &chain)
                 : take_apart(wire);
    if (!chain)
      return;
    wire = next_item(&chain);
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

/* The field of a view that only some kinds have. */
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
  case AW_WIRE_SLEEP:
  case AW_WIRE_UNTIL: out->number = wire->u.ns; break;
  default: /* REPEAT, SHIELD, WHOLE: what they do to their part */
    out->number = wire->u.unary.number;
    out->count = 1;
    break;
  }
}

void aw_wire_look(const aw_wire *wire, aw_wire_view *out) {
  while (wire->kind == AW_WIRE_HOLD)
    wire = wire->u.hold.child;
  memset(out, 0, sizeof *out);
  out->kind = (aw_wire_kind)wire->kind;
  out->name = aw_wire_name(wire);
  out->parts = wire;
  if (wire->kind == AW_WIRE_SEQUENCE)
    out->count = wire->count;
  else if (wire->kind == AW_WIRE_NAMED)
    out->count = 1;
  else
    look_at_leaf(wire, out);
}

const aw_wire *aw_wire_part(const aw_wire_view *view, size_t index) {
  const aw_wire *wire = view->parts;
  if (view->kind == AW_WIRE_SEQUENCE)
    return wire->u.items[index];
  return view->kind == AW_WIRE_NAMED ? wire->u.named.child
                                     : wire->u.unary.child;
}
