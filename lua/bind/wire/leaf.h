/* leaf.h - leaves of Lua: the host wires of the binding */
#ifndef AWL_LEAF_H
#define AWL_LEAF_H

#include "base/state.h"

typedef enum awl_leaf_kind {
  AWL_LEAF_CALL,  /* f(…), its results are the wire's results */
  AWL_LEAF_BODY,  /* f(ev, …), returns the next wire */
  AWL_LEAF_VALUE, /* no f: the content is the results */
  AWL_LEAF_HELD,  /* a body f(ev), or a Wire, held as a value; see convert.c */
  /* Second parts of other wires, see run/input.c: */
  AWL_LEAF_MAP,       /* f(results…), its results are the wire's results */
  AWL_LEAF_BIND,      /* f(results…), returns the next wire */
  AWL_LEAF_CATCH,     /* f(err, info), returns the next wire */
  AWL_LEAF_FINALLY,   /* f(), may return the next wire */
  AWL_LEAF_SUPERVISE, /* f(ev, err, info), its results are dropped */
  AWL_LEAF_WHEN,      /* f(err, n), returns whether to try again */
  AWL_LEAF_KEYED,     /* no f: a table of results by the keys of an All{} */
  AWL_LEAF_KEY_LAST,  /* no f: results, then the key for a number */
  AWL_LEAF_KEY_FIRST  /* no f: the key for a number, then results */
} awl_leaf_kind;

#define AWL_UNNUMBERED UINT32_MAX

/* The data of a host wire, or of a holder (by which the core keeps a Wire). */
typedef struct awl_leaf {
  awl_life *life; /* of its state, which is there while its wire can run */
  awl_leaf_kind kind;
  uint32_t number; /* number in AWL_BODIES, or AWL_UNNUMBERED; see build.c */
  uint64_t serial; /* unique, never reused */
  uint8_t looks;   /* calls of awl_look_for_wire() so far */
  bool unseen;     /* nobody saw its last error, see run/worker.c */
  /* number of arguments, in a table with f or in a Wire of class AWL_BODY; -1:
   * the content is f itself */
  int extra;
  aw_value value;       /* HELD: the Wire or body */
  bool wrapped;         /* HELD: the value is a Wire of class AWL_BODY */
  const void *identity; /* HELD: the address of the value, see awl_holds() */
  aw_wire *wire;        /* HELD: the wire that has this leaf; borrowed */
} awl_leaf;

/* Does the leaf put results under the keys of a table form? */
static inline bool awl_leaf_is_keyed(const awl_leaf *leaf) {
  return leaf->kind == AWL_LEAF_KEYED || leaf->kind == AWL_LEAF_KEY_LAST ||
         leaf->kind == AWL_LEAF_KEY_FIRST;
}

/* Is the leaf a body f(ev, …) that stands by itself? */
static inline bool awl_is_body(const awl_leaf *leaf) {
  return leaf->kind == AWL_LEAF_BODY || leaf->kind == AWL_LEAF_HELD;
}

/* Does the leaf call a function? */
static inline bool awl_leaf_calls(const awl_leaf *leaf) {
  return leaf->kind != AWL_LEAF_VALUE && !awl_leaf_is_keyed(leaf);
}

/* Look at the wire that people see: a slot of a C program is none of theirs. */
static inline void awl_look_inside(const aw_wire *wire, aw_wire_view *out) {
  aw_wire_look(wire, out);
  while (out->kind == AW_WIRE_SLOT)
    aw_wire_look(aw_wire_part(out, 0), out);
}

/* The leaf that is the second part of a wire, or NULL. */
static inline const awl_leaf *awl_second_leaf(const aw_wire_view *view) {
  aw_wire_view then;
  aw_wire_look(aw_wire_part(view, 1), &then);
  return then.kind == AW_WIRE_HOST ? then.data : NULL;
}

#endif
