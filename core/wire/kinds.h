/* kinds.h - THE TABLE OF KINDS: one row for each kind of wire
 *
 * A new combinator NAME touches three files of the core:
 *
 *   1. include/aiowire.h    the enumerator AW_WIRE_NAME, appended to
 *                           aw_wire_kind, and the declaration of aw_name()
 *   2. wire/kinds.h         a row in AW_COLD_KINDS or in AW_GROUP_KINDS
 *   3. run/kinds/NAME.c     aw_name(), by wire/build.h, and what running means:
 *                           the functions `aw__run_name`, see run/kinds/cold.h
 *      or run/groups/NAME.c if its parts run as tasks, see run/groups/group.h
 *
 * The compiler reports what is missing. If the combinator needs a new member of
 * aw_wire.u, it also touches state.h, aw_layout below, and the switches over
 * aw_layout in wire.c (release) and view.c (show).
 *
 * The rows are lists of X(KIND, name, layout, event, transparent):
 *
 *   KIND         AW_WIRE_KIND in aiowire.h, AW_KIND_KIND inside the core
 *   name         the word for the kind: `aw__run_name` are the functions of a
 *                group or of a cold kind, and the scope of a group has the name
 *                as its label
 *   layout       the members of aw_wire.u that the kind uses, see aw_layout
 *   event        whether a wire of the kind is an event, see aw_eventness
 *   transparent  true: running the wire is running its first part
 *
 * `kind` of an aw_wire is an aw_kind, whose numbers are those of the rows. The
 * public aw_wire_kind has numbers of its own, which hosts are compiled with;
 * aw_wire_look() translates. Therefore a private kind cannot collide with a
 * public one, whatever is appended to either. Two rows with one public kind,
 * and a public kind without a row, do not compile: see aw__kind_of().
 */
#ifndef AW_KINDS_H
#define AW_KINDS_H

#include "state.h"

#define AW_LEAF_KINDS(X) \
  X(CALL, call, CALL, NO, false) \
  X(HOST, host, HOST, NO, false) \
  X(SLEEP, sleep, TIME, YES, false) \
  X(UNTIL, until, TIME, YES, false) \
  X(DONE, done, TASK, YES, false) \
  X(WAIT, wait, WAIT, ABORTABLE, false)

/* Hot composites, which run most often: step.c has a case for each. */
#define AW_HOT_KINDS(X) \
  X(SEQUENCE, sequence, LIST, NO, false) \
  X(REPEAT, repeat, ONE, NO, false) \
  X(WHOLE, whole, ONE, NO, false) \
  X(NAMED, named, NAMED, AS_FIRST, true)

/* Composites whose parts run as tasks, see run/groups/group.h. */
#define AW_GROUP_KINDS(X) \
  X(ALL, join, LIST, NO, false) \
  X(RACE, race, LIST, NO, false) \
  X(ANY, any, LIST, NO, false) \
  X(SELECT, select, LIST, NO, false)

/* Composites that run one part at a time, see run/kinds/cold.h. */
#define AW_COLD_KINDS(X) \
  X(SHIELD, shield, ONE, NO, false) \
  X(ELSE, else, LIST, NO, false) \
  X(TIMEOUT, timeout, ONE, NO, false) \
  X(BIND, bind, PAIR, AS_FIRST, false) \
  X(CATCH, catch, PAIR, NO, false) \
  X(FINALLY, finally, PAIR, NO, false) \
  X(RETRY, retry, RETRY, NO, false) \
  X(EVERY, every, EVERY, NO, false) \
  X(SLOT, slot, SLOT, NO, false)

/* Kinds that no host sees: aw_wire_look() shows the first part instead. */
#define AW_PRIVATE_KINDS(X) X(HOLD, hold, HOLD, AS_FIRST, true)

#define AW_PUBLIC_KINDS(X) \
  AW_LEAF_KINDS(X) AW_HOT_KINDS(X) AW_GROUP_KINDS(X) AW_COLD_KINDS(X)
#define AW_ALL_KINDS(X) AW_PUBLIC_KINDS(X) AW_PRIVATE_KINDS(X)

#define AW_KIND_ENUMERATOR(KIND, name, layout, event, transparent) \
  AW_KIND_##KIND,
typedef enum aw_kind { AW_ALL_KINDS(AW_KIND_ENUMERATOR) } aw_kind;
#undef AW_KIND_ENUMERATOR

/* For the cases of a switch: AW_GROUP_KINDS(AW_KIND_CASE) */
#define AW_KIND_CASE(KIND, name, layout, event, transparent) \
  case AW_KIND_##KIND:

/* The members of aw_wire.u that a kind uses. */
typedef enum aw_layout {
  AW_LAYOUT_CALL,  /* call */
  AW_LAYOUT_HOST,  /* host */
  AW_LAYOUT_TIME,  /* ns */
  AW_LAYOUT_TASK,  /* task */
  AW_LAYOUT_WAIT,  /* wait */
  AW_LAYOUT_ONE,   /* first, one */
  AW_LAYOUT_NAMED, /* first, name */
  AW_LAYOUT_HOLD,  /* first, hold */
  AW_LAYOUT_EVERY, /* first, every */
  AW_LAYOUT_SLOT,  /* first, slot */
  AW_LAYOUT_PAIR,  /* first, pair with a number */
  AW_LAYOUT_RETRY, /* first, pair with a rule */
  AW_LAYOUT_LIST   /* list */
} aw_layout;

typedef enum aw_eventness {
  AW_EVENT_NO,
  AW_EVENT_YES,
  AW_EVENT_ABORTABLE, /* yes if the operation can be aborted */
  AW_EVENT_AS_FIRST   /* if the first part is one */
} aw_eventness;

typedef struct aw_kind_row {
  const char *name;
  uint8_t shown; /* the aw_wire_kind; of a private kind: 0, never read */
  uint8_t layout;
  uint8_t event;
  bool transparent;
} aw_kind_row;

extern const aw_kind_row aw__kinds[];

static inline const aw_kind_row *aw__kind_row(const aw_wire *wire) {
  return &aw__kinds[wire->kind];
}

/* The kind with the public number `shown`. -Wswitch-enum reports a public kind
 * without a row here. Every compiler rejects a public kind with two rows. */
static inline aw_kind aw__kind_of(aw_wire_kind shown) {
#define AW_KIND_RETURN(KIND, name, layout, event, transparent) \
  case AW_WIRE_##KIND: return AW_KIND_##KIND;
  switch (shown) { AW_PUBLIC_KINDS(AW_KIND_RETURN) }
#undef AW_KIND_RETURN
  return AW_KIND_HOLD; /* not reached: the cases above are all there are */
}

#endif
