/* wire.c - wires: immutable, reference-counted trees; no I/O, no engine
 *
 * A wire is written once, by its constructor; after that only its count of
 * references changes, and `extended`. Constructors take their operands and
 * pass NULL on, so a nested expression is checked once, at its end. Operators
 * are flat [V4]: an operand of the same operator gives its items.
 *
 * Items of a list stand in an array that wires share, each a prefix of it:
 *
 *     array of w1:  a b c d e . . .     w1 = a >> b >> c   owns the array
 *                   └─ w1 ┘             w2 = w1 >> d       extends w1 in place
 *                   └── w2 ─┘           w3 = w2 >> e       extends w2 in place
 *                   └─── w3 ──┘
 *
 * So `w = w >> x` in a loop costs the same at each length. Only the first wire
 * that extends another does it in place; a second one copies, and so does one
 * that finds no room, into an array of twice the size. A wire keeps the one it
 * extends, its `base`, and releases the items that it added when it goes: a
 * shorter wire holds nothing of a longer one. Prepending always copies.
 */
#include "wire/wire.h"

#include "wire/view.h"

#include <assert.h>
#include <string.h>

static aw_wire *make_sized(aw_wire_kind kind, size_t size) {
  aw_wire *wire = aw_allocate(size);
  if (!wire)
    return NULL;
  wire->refs = 1;
  wire->kind = (uint8_t)kind;
  return wire;
}

/* A wire without a list of items; NULL when out of memory. */
static aw_wire *make(aw_wire_kind kind) {
  return make_sized(kind, sizeof(aw_wire));
}

static size_t list_size(size_t capacity) {
  return sizeof(aw_wire) + capacity * sizeof(aw_wire *);
}

/* A wire of `count` items, which the caller fills in, in an array of its own;
 * NULL when out of memory. */
static aw_wire *make_list(aw_wire_kind kind, size_t count, size_t capacity) {
  if (capacity > UINT32_MAX)
    return NULL;
  aw_wire *wire = make_sized(kind, list_size(capacity));
  if (!wire)
    return NULL;
  wire->count = (uint32_t)count;
  wire->u.list.items = (aw_wire **)(wire + 1);
  wire->u.list.room = (uint32_t)(capacity - count);
  return wire;
}

static aw_wire *make_unary(aw_wire_kind kind, aw_wire *child, uint64_t number) {
  if (!child)
    return NULL;
  aw_wire *wire = make(kind);
  if (!wire) {
    aw_wire_release(child);
    return NULL;
  }
  wire->u.unary.child = child;
  wire->u.unary.number = number;
  return wire;
}

aw_wire *aw_call(aw_step_fn fn, void *data) {
  aw_wire *wire = make(AW_WIRE_CALL);
  if (wire) {
    wire->u.call.fn = fn;
    wire->u.call.data = data;
  }
  return wire;
}

aw_wire *aw_host_call(void *data, void (*release)(void *data),
                      const char *name) {
  aw_wire *wire = make(AW_WIRE_HOST);
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

/* Is `wire` made of the same operator, so that its items are as good as it
 * [V4]? */
static bool is_flat(const aw_wire *wire, aw_wire_kind kind) {
  return wire->kind == kind && !wire->table;
}

/* How many items `wires` have when flattened; SIZE_MAX: a NULL is among them.
 */
static size_t flat_count(aw_wire_kind kind, aw_wire *const *wires,
                         size_t count) {
  size_t total = 0;
  for (size_t i = 0; i < count; i++) {
    if (!wires[i])
      return SIZE_MAX;
    total += is_flat(wires[i], kind) ? wires[i]->count : 1;
  }
  return total;
}

/* Put what `wire` is made of to `out`, which keeps it; gives how many. */
static size_t flatten(aw_wire_kind kind, aw_wire *wire, aw_wire **out) {
  if (!is_flat(wire, kind)) {
    *out = aw_wire_keep(wire);
    return 1;
  }
  for (uint32_t i = 0; i < wire->count; i++)
    out[i] = aw_wire_keep(wire->u.list.items[i]);
  return wire->count;
}

/* A wire of the items of `base`, in its array, and `added` more, which the
 * caller fills in. */
static aw_wire *extend(aw_wire *base, size_t added) {
  aw_wire *wire = make((aw_wire_kind)base->kind);
  if (!wire)
    return NULL;
  wire->count = base->count + (uint32_t)added;
  wire->u.list.items = base->u.list.items;
  wire->u.list.base = aw_wire_keep(base);
  wire->u.list.room = base->u.list.room - (uint32_t)added;
  base->u.list.extended = true;
  return wire;
}

/* How many places a new array of `total` items gets, the first of which are
 * those of `first`: more than that if `first` grows, and has no room. */
static size_t capacity_for(const aw_wire *first, size_t total) {
  if (first->u.list.extended || total >= UINT32_MAX / 2)
    return total;
  size_t twice = (size_t)first->count * 2;
  return twice > total ? twice : total;
}

/* The wire of an operator with any number of operands, `total` items in all. */
static aw_wire *join_flat(aw_wire_kind kind, aw_wire *const *wires,
                          size_t count, size_t total) {
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

static aw_wire *make_flat(aw_wire_kind kind, aw_wire *const *wires,
                          size_t count) {
  size_t total = flat_count(kind, wires, count);
  aw_wire *wire =
      total <= UINT32_MAX ? join_flat(kind, wires, count, total) : NULL;
  release_all(wires, count);
  return wire;
}

aw_wire *aw_sequence(aw_wire *const *wires, size_t count) {
  return make_flat(AW_WIRE_SEQUENCE, wires, count);
}

aw_wire *aw_repeat(aw_wire *wire, uint64_t times) {
  return make_unary(AW_WIRE_REPEAT, wire, times);
}

static aw_wire *make_timed(aw_wire_kind kind, uint64_t ns) {
  aw_wire *wire = make(kind);
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

aw_wire *aw_named(aw_wire *child, const char *name) {
  aw_wire *wire = make_unary(AW_WIRE_NAMED, child, 0);
  if (!wire)
    return NULL;
  wire->u.named.name = aw__name_make(name);
  if (!wire->u.named.name) {
    aw_wire_release(wire);
    return NULL;
  }
  return wire;
}

aw_wire *aw_shielded(aw_wire *wire, uint64_t grace) {
  return make_unary(AW_WIRE_SHIELD, wire, grace);
}

/* ---- several at once, or instead ---- */

/* The wire of a table form: its operands stay as they are. */
static aw_wire *make_table(aw_wire_kind kind, aw_wire *const *wires,
                           size_t count) {
  bool complete = count <= UINT32_MAX;
  for (size_t i = 0; i < count; i++)
    complete = complete && wires[i];
  aw_wire *wire = complete ? make_list(kind, count, count) : NULL;
  if (!wire) {
    release_all(wires, count);
    return NULL;
  }
  wire->table = true;
  if (count > 0)
    memcpy(wire->u.list.items, wires, count * sizeof *wires);
  return wire;
}

aw_wire *aw_all(aw_wire *const *wires, size_t count, uint32_t limit) {
  aw_wire *wire = make_table(AW_WIRE_ALL, wires, count);
  if (wire)
    wire->limit = limit;
  return wire;
}

aw_wire *aw_race(aw_wire *const *wires, size_t count) {
  return count == 0 ? NULL : make_table(AW_WIRE_RACE, wires, count);
}

aw_wire *aw_any(aw_wire *const *wires, size_t count) {
  return count == 0 ? NULL : make_table(AW_WIRE_ANY, wires, count);
}

aw_wire *aw_select(aw_wire *const *wires, size_t count) {
  aw_wire *wire = count == 0 ? NULL : make_table(AW_WIRE_SELECT, wires, count);
  for (size_t i = 0; wire && i < count; i++)
    if (!aw_wire_is_event(wire->u.list.items[i])) {
      aw_wire_release(wire);
      wire = NULL;
    }
  return wire;
}

aw_wire *aw_both(aw_wire *a, aw_wire *b) {
  aw_wire *pair[2] = {a, b};
  return make_flat(AW_WIRE_ALL, pair, 2);
}

aw_wire *aw_either(aw_wire *a, aw_wire *b) {
  aw_wire *pair[2] = {a, b};
  return make_flat(AW_WIRE_RACE, pair, 2);
}

aw_wire *aw_or_else(aw_wire *a, aw_wire *b) {
  aw_wire *pair[2] = {a, b};
  return make_flat(AW_WIRE_ELSE, pair, 2);
}

/* ---- under protection ---- */

/* `child`, and then maybe `then`; NULL when one of them is NULL that must not
 * be, or out of memory. */
static aw_wire *make_pair(aw_wire_kind kind, aw_wire *child, aw_wire *then,
                          bool alone) {
  aw_wire *wire = NULL;
  if (child && (then || alone))
    wire = make(kind);
  if (!wire) {
    aw_wire_release(child);
    aw_wire_release(then);
    return NULL;
  }
  wire->u.pair.child = child;
  wire->u.pair.then = then;
  wire->count = then ? 2 : 1;
  return wire;
}

aw_wire *aw_bind(aw_wire *child, aw_wire *then) {
  return make_pair(AW_WIRE_BIND, child, then, false);
}

aw_wire *aw_catch(aw_wire *child, aw_wire *then) {
  return make_pair(AW_WIRE_CATCH, child, then, false);
}

aw_wire *aw_finally(aw_wire *child, aw_wire *then, uint64_t grace) {
  aw_wire *wire = make_pair(AW_WIRE_FINALLY, child, then, false);
  if (wire)
    wire->u.pair.more.grace = grace;
  return wire;
}

aw_wire *aw_retry(aw_wire *child, const aw_retry_rule *rule, aw_wire *when) {
  aw_wire *wire = make_pair(AW_WIRE_RETRY, child, when, true);
  if (!wire)
    return NULL;
  wire->u.pair.more.rule = aw_allocate(sizeof *rule);
  if (!wire->u.pair.more.rule) {
    aw_wire_release(wire);
    return NULL;
  }
  *wire->u.pair.more.rule = *rule;
  return wire;
}

aw_wire *aw_timeout(aw_wire *child, uint64_t ns, uint64_t grace) {
  aw_wire *wire = make_unary(AW_WIRE_TIMEOUT, child, 0);
  if (wire) {
    wire->u.timeout.ns = ns;
    wire->u.timeout.grace = grace;
  }
  return wire;
}

aw_wire *aw_every(uint64_t period, aw_wire *child, aw_missed missed) {
  if (period == 0) {
    aw_wire_release(child);
    return NULL;
  }
  aw_wire *wire = make_unary(AW_WIRE_EVERY, child, period);
  if (wire)
    wire->table = (uint8_t)missed;
  return wire;
}

aw_wire *aw__wire_done(aw_task *task, void (*release)(aw_task *task)) {
  aw_wire *wire = make(AW_WIRE_DONE);
  if (!wire) {
    release(task);
    return NULL;
  }
  wire->u.task = task;
  wire->u.release_task = release;
  return wire;
}

aw_wire *aw_wait_for(const aw_operation *operation, void *data) {
  aw_wire *wire = make(AW_WIRE_WAIT);
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

size_t aw_wire_bytes(const aw_wire *wire) {
  if (wire->refs > 1)
    return 0;
  if (aw__wire_is_list(wire))
    return list_size(wire->u.list.base ? 0 : wire->count + wire->u.list.room);
  if (wire->kind == AW_WIRE_NAMED)
    return sizeof *wire + sizeof(aw_name) + strlen(wire->u.named.name->text);
  return sizeof *wire;
}

/* Free the list `wire`, whose own items are gone; gives what it extended, or
 * NULL. */
static aw_wire *take_list_apart(aw_wire *wire) {
  aw_wire *base = wire->u.list.base;
  assert(!wire->u.list.extended); /* who extends a wire keeps it */
  if (base)
    base->u.list.extended = false;
  aw_free(wire);
  return base;
}

/* Free a wire whose last reference went, without items (they are gone); gives
 * its one child, or NULL. */
static aw_wire *take_apart(aw_wire *wire) {
  aw_wire *child = NULL;
  if (aw__wire_is_list(wire))
    return take_list_apart(wire);
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
  case AW_WIRE_TIMEOUT: child = wire->u.timeout.child; break;
  case AW_WIRE_REPEAT:
  case AW_WIRE_WHOLE:
  case AW_WIRE_EVERY:
  case AW_WIRE_SHIELD: child = wire->u.unary.child; break;
  case AW_WIRE_RETRY: aw_free(wire->u.pair.more.rule); break;
  case AW_WIRE_DONE: wire->u.release_task(wire->u.task); break;
  default: break; /* leaves that hold nothing, and pairs */
  }
  aw_free(wire);
  return child;
}

/* How many of its items are those of the wire that it extends. */
static uint32_t borrowed(const aw_wire *wire) {
  if (!aw__wire_is_list(wire) || !wire->u.list.base)
    return 0;
  return wire->u.list.base->count;
}

/* Wires that are being taken apart are a chain, so that no depth of a wire is
 * depth of the C stack. The link of each is in the place of the item that is
 * being released, the last of its `count`. */
static aw_wire *last_item(aw_wire *wire, aw_wire **chain) {
  aw_wire **place = &aw__wire_items(wire)[wire->count - 1];
  aw_wire *item = *place;
  *place = *chain;
  *chain = wire;
  return item;
}

/* Begin to take `wire` apart, or go on with it: gives what is to be released
 * next, or NULL. */
static aw_wire *next_part(aw_wire *wire, aw_wire **chain) {
  return wire->count > borrowed(wire) ? last_item(wire, chain)
                                      : take_apart(wire);
}

static aw_wire *next_item(aw_wire **chain) {
  aw_wire *wire = *chain;
  *chain = aw__wire_items(wire)[--wire->count];
  return next_part(wire, chain);
}

void aw_wire_release(aw_wire *wire) {
  aw_wire *chain = NULL;
  for (;;) {
    while (wire && --wire->refs == 0)
      wire = next_part(wire, &chain);
    if (!chain)
      return;
    wire = next_item(&chain);
  }
}
