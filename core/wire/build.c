/* build.c - constructors: wires are immutable, reference-counted trees
 *
 * A wire is written once, by its constructor; after that only `refs` and
 * `extended` change. The exception is aw_step_become(), for a wire that one
 * task runs and nobody else knows. Constructors take their operands. A NULL
 * operand gives NULL, so the caller of a nested expression checks only the end
 * result.
 * Operators are flat [V4]: an operand that was made by the same operator
 * contributes its parts instead of itself.
 *
 * Wires share the arrays of their parts, each wire a prefix of its array:
 *
 *     array of w1:  a b c d e . . .     w1 = a >> b >> c   owns the array
 *                   └─ w1 ┘             w2 = w1 >> d       extends w1 in place
 *                   └── w2 ─┘           w3 = w2 >> e       extends w2 in place
 *                   └─── w3 ──┘
 *
 * So `w = w >> x` in a loop costs the same at each length. Only one wire at a
 * time extends another one in place; a second one copies the parts. A wire that
 * finds no room copies the parts, too, into an array of twice the size. A wire
 * keeps its `base`, the wire that it extends, and releases only the parts that
 * it added: a shorter wire holds nothing of a longer one. Prepending always
 * copies.
 *
 * Neighbours: kinds.h has the kinds, wire.c releases
 * wires, view.c shows them to hosts. The
 * constructor of a group or of a cold kind stands in the file of that kind.
 */
#include "wire/build.h"

#include "wire/wire.h"

#include <string.h>

static aw_wire *make_sized(aw_kind kind, size_t size) {
  aw_wire *wire = aw_allocate(size);
  if (!wire)
    return NULL;
  wire->refs = 1;
  wire->kind = (uint8_t)kind;
  return wire;
}

/* A wire without an array of parts; NULL when out of memory. */
static aw_wire *make(aw_kind kind) {
  return make_sized(kind, sizeof(aw_wire));
}

/* ---- leaves ---- */

aw_wire *aw_call(aw_step_fn fn, void *data) {
  aw_wire *wire = fn ? make(AW_KIND_CALL) : NULL;
  if (wire) {
    wire->u.call.fn = fn;
    wire->u.call.data = data;
  }
  return wire;
}

aw_wire *aw_host_call(void *data, void (*release)(void *data),
                      const char *name) {
  aw_wire *wire = make(AW_KIND_HOST);
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

static aw_wire *make_timed(aw_kind kind, uint64_t ns) {
  aw_wire *wire = make(kind);
  if (wire)
    wire->u.ns = ns;
  return wire;
}

aw_wire *aw_sleep(uint64_t ns) {
  return make_timed(AW_KIND_SLEEP, ns);
}

aw_wire *aw_sleep_until(uint64_t at) {
  return make_timed(AW_KIND_UNTIL, at);
}

aw_wire *aw__build_done(aw_task *task, void (*release)(aw_task *task)) {
  aw_wire *wire = make(AW_KIND_DONE);
  if (!wire) {
    release(task);
    return NULL;
  }
  wire->u.task = task;
  wire->u.release_task = release;
  return wire;
}

aw_wire *aw_wait_for(const aw_operation *operation, void *data) {
  aw_wire *wire = operation ? make(AW_KIND_WAIT) : NULL;
  if (wire) {
    wire->u.wait.operation = operation;
    wire->u.wait.data = data;
  }
  return wire;
}

/* ---- one part, or two ---- */

/* Make a wire whose first part is `first`. The caller fills in the rest. */
static aw_wire *make_around(aw_kind kind, aw_wire *first) {
  if (!first)
    return NULL;
  aw_wire *wire = make(kind);
  if (!wire) {
    aw_wire_release(first);
    return NULL;
  }
  wire->u.first = first;
  wire->count = 1;
  return wire;
}

aw_wire *aw__build_one(aw_kind kind, aw_wire *first, uint64_t number) {
  aw_wire *wire = make_around(kind, first);
  if (wire)
    wire->u.one.number = number;
  return wire;
}

aw_wire *aw__build_pair(aw_kind kind, aw_wire *first, aw_wire *then) {
  if (!then) {
    aw_wire_release(first);
    return NULL;
  }
  aw_wire *wire = make_around(kind, first);
  if (!wire) {
    aw_wire_release(then);
    return NULL;
  }
  wire->u.pair.then = then;
  wire->count = 2;
  return wire;
}

aw_wire *aw_repeat(aw_wire *wire, uint64_t times) {
  return aw__build_one(AW_KIND_REPEAT, wire, times);
}

aw_wire *aw_whole(aw_wire *wire) {
  return aw__build_one(AW_KIND_WHOLE, wire, 0);
}

aw_wire *aw_named(aw_wire *first, const char *name) {
  if (!name)
    return first;
  aw_wire *wire = make_around(AW_KIND_NAMED, first);
  if (!wire)
    return NULL;
  wire->u.name = aw__name_make(name);
  if (!wire->u.name) {
    aw_wire_release(wire);
    return NULL;
  }
  return wire;
}

aw_wire *aw_hold(aw_wire *first, void *data, void (*release)(void *)) {
  if (!release) {
    aw_wire_release(first);
    return NULL;
  }
  aw_wire *wire = make_around(AW_KIND_HOLD, first);
  if (!wire) {
    release(data);
    return NULL;
  }
  wire->u.hold.data = data;
  wire->u.hold.release = release;
  return wire;
}

/* ---- any number of parts ---- */

/* No wire has so many: `count` has 32 bits. */
static const size_t TOO_MANY = UINT32_MAX;

/* Make a wire of `count` parts, with an array of its own of `capacity` places.
 * The caller fills in the parts. NULL when out of memory. */
static aw_wire *make_list(aw_kind kind, size_t count, size_t capacity) {
  if (capacity >= SIZE_MAX / sizeof(aw_wire *) - sizeof(aw_wire))
    return NULL;
  aw_wire *wire = make_sized(kind, aw__wire_list_size(capacity));
  if (!wire)
    return NULL;
  wire->count = (uint32_t)count;
  wire->u.list.items = (aw_wire **)(wire + 1);
  wire->u.list.room = (uint32_t)(capacity - count);
  return wire;
}

static void release_all(aw_wire *const *wires, size_t count) {
  for (size_t i = 0; i < count; i++)
    aw_wire_release(wires[i]);
}

/* Returns true if `wire` was made by the operator of `kind`: the operator then
 * takes the parts of `wire` in its place [V4]. */
static bool is_flat(const aw_wire *wire, aw_kind kind) {
  return wire->kind == kind && !wire->u.list.table;
}

/* The number of parts that `wires` give when flattened; TOO_MANY if one of them
 * is NULL. */
static size_t flat_count(aw_kind kind, aw_wire *const *wires, size_t count) {
  size_t total = 0;
  for (size_t i = 0; i < count; i++) {
    if (!wires[i])
      return TOO_MANY;
    total += is_flat(wires[i], kind) ? wires[i]->count : 1;
  }
  return total;
}

/* Write the parts that `wire` gives to `out`, which keeps them; returns their
 * number. */
static size_t flatten(aw_kind kind, aw_wire *wire, aw_wire **out) {
  if (!is_flat(wire, kind)) {
    *out = aw_wire_keep(wire);
    return 1;
  }
  for (uint32_t i = 0; i < wire->count; i++)
    out[i] = aw_wire_keep(wire->u.list.items[i]);
  return wire->count;
}

/* Make a wire that has the parts of `base` and `added` more, all in the array
 * of `base`. The caller fills in the new parts. */
static aw_wire *extend(aw_wire *base, size_t added) {
  aw_wire *wire = make((aw_kind)base->kind);
  if (!wire)
    return NULL;
  wire->count = base->count + (uint32_t)added;
  wire->u.list.items = base->u.list.items;
  wire->u.list.base = aw_wire_keep(base);
  wire->u.list.room = base->u.list.room - (uint32_t)added;
  base->u.list.extended = true;
  return wire;
}

/* The capacity of a new array of `total` parts that begins with those of
 * `first`. There are spare places if no other wire extends `first`, that is, if
 * its array was too small. */
static size_t capacity_for(const aw_wire *first, size_t total) {
  if (first->u.list.extended || total >= UINT32_MAX / 2)
    return total;
  size_t twice = (size_t)first->count * 2;
  return twice > total ? twice : total;
}

/* The wire of an operator, with `total` parts in all. */
static aw_wire *join_flat(aw_kind kind, aw_wire *const *wires, size_t count,
                          size_t total) {
  aw_wire *first = count > 0 && is_flat(wires[0], kind) ? wires[0] : NULL;
  size_t known = first ? first->count : 0, added = total - known;
  if (first && added == 0)
    return aw_wire_keep(first);
  bool in_place =
      known > 0 && !first->u.list.extended && added <= first->u.list.room;
  aw_wire *wire =
      in_place
          ? extend(first, added)
          : make_list(kind, total, first ? capacity_for(first, total) : total);
  size_t at = in_place ? known : 0;
  for (size_t i = in_place; wire && i < count; i++)
    at += flatten(kind, wires[i], wire->u.list.items + at);
  return wire;
}

aw_wire *aw__build_flat(aw_kind kind, aw_wire *const *wires, size_t count) {
  size_t total = flat_count(kind, wires, count);
  aw_wire *wire =
      total < TOO_MANY ? join_flat(kind, wires, count, total) : NULL;
  release_all(wires, count);
  return wire;
}

aw_wire *aw__build_table(aw_kind kind, aw_wire *const *wires, size_t count) {
  if (!wires && count > 0)
    return NULL;
  bool complete = count < TOO_MANY;
  for (size_t i = 0; i < count; i++)
    complete = complete && wires[i];
  aw_wire *wire = complete ? make_list(kind, count, count) : NULL;
  if (!wire) {
    release_all(wires, count);
    return NULL;
  }
  wire->u.list.table = true;
  if (count > 0)
    memcpy(wire->u.list.items, wires, count * sizeof *wires);
  return wire;
}

aw_wire *aw_sequence(aw_wire *const *wires, size_t count) {
  if (!wires && count > 0)
    return NULL;
  return aw__build_flat(AW_KIND_SEQUENCE, wires, count);
}

aw_wire *aw_then(aw_wire *first, aw_wire *second) {
  aw_wire *pair[2] = {first, second};
  return aw_sequence(pair, 2);
}
