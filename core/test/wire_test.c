/* wire_test.c - wires: flattening, ownership, looking into them */
#include "check.h"

static int released;

static void count_release(void *data) {
  (void)data;
  released++;
}

/* A wire whose end can be seen. */
static aw_wire *seen(void) {
  return aw_host_call(&released, count_release, "seen");
}

static aw_wire_kind kind_of(const aw_wire *wire, size_t *count) {
  aw_wire_view view;
  aw_wire_look(wire, &view);
  *count = view.count;
  return view.kind;
}

static void sequences_flatten(void) {
  released = 0;
  aw_wire *left = aw_then(aw_then(seen(), seen()), seen());
  aw_wire *right = aw_then(seen(), aw_then(seen(), seen()));
  size_t count;
  CHECK(kind_of(left, &count) == AW_WIRE_SEQUENCE && count == 3);
  CHECK(kind_of(right, &count) == AW_WIRE_SEQUENCE && count == 3);
  aw_wire *both = aw_then(left, right);
  CHECK(kind_of(both, &count) == AW_WIRE_SEQUENCE && count == 6);
  CHECK(released == 0);
  aw_wire_release(both);
  CHECK(released == 6);
}

static void repetitions_and_names_do_not_flatten(void) {
  size_t count;
  aw_wire *pair = aw_then(aw_sleep(1), aw_sleep(2));
  aw_wire *wire = aw_then(aw_repeat(pair, 2), aw_sleep(3));
  CHECK(kind_of(wire, &count) == AW_WIRE_SEQUENCE && count == 2);
  aw_wire_release(wire);
  pair = aw_named(aw_then(aw_sleep(1), aw_sleep(2)), "pair");
  wire = aw_then(pair, aw_sleep(3));
  CHECK(kind_of(wire, &count) == AW_WIRE_SEQUENCE && count == 2);
  aw_wire_release(wire);
}

static void empty_sequences_vanish(void) {
  size_t count;
  aw_wire *nothing = aw_sequence(NULL, 0);
  CHECK(nothing && kind_of(nothing, &count) == AW_WIRE_SEQUENCE && count == 0);
  aw_wire *still = aw_then(aw_wire_keep(nothing), aw_wire_keep(nothing));
  CHECK(still && kind_of(still, &count) == AW_WIRE_SEQUENCE && count == 0);
  aw_wire *one = aw_then(nothing, aw_then(aw_sleep(1), still));
  CHECK(one && kind_of(one, &count) == AW_WIRE_SEQUENCE && count == 1);
  aw_wire_release(one);
}

static void null_operands_give_null_and_leak_nothing(void) {
  released = 0;
  CHECK(aw_then(seen(), NULL) == NULL && released == 1);
  CHECK(aw_then(NULL, seen()) == NULL && released == 2);
  CHECK(aw_then(NULL, NULL) == NULL);
  aw_wire *three[3] = {seen(), NULL, seen()};
  CHECK(aw_sequence(three, 3) == NULL && released == 4);
  CHECK(aw_repeat(NULL, 3) == NULL);
  CHECK(aw_whole(NULL) == NULL);
  CHECK(aw_shielded(NULL, 1) == NULL);
  CHECK(aw_named(NULL, "x") == NULL);
  CHECK(aw_hold(NULL, &released, count_release) == NULL && released == 5);
  aw_wire_release(NULL);
}

static void a_wire_lives_while_a_part_of_another(void) {
  released = 0;
  aw_wire *part = seen();
  aw_wire *twice = aw_then(aw_wire_keep(part), aw_wire_keep(part));
  aw_wire *more = aw_repeat(aw_wire_keep(twice), 2);
  aw_wire_release(part);
  aw_wire_release(twice);
  CHECK(released == 0);
  aw_wire_release(more);
  CHECK(released == 1);
}

static void no_depth_is_depth_of_the_c_stack(void) {
  released = 0;
  aw_wire *wire = aw_sleep(1);
  enum { DEPTH = 300000 };
  for (int i = 0; i < DEPTH; i++)
    wire = aw_then(seen(), aw_then(aw_repeat(wire, 2), seen()));
  CHECK(wire);
  aw_wire_release(wire);
  CHECK(released == 2 * DEPTH);
}

static void names_are_copied_and_seen_through_holders(void) {
  char name[] = "abc";
  aw_wire *wire = aw_named(aw_sleep(1), name);
  name[0] = 'x';
  wire = aw_hold(wire, &released, count_release);
  CHECK(strcmp(aw_wire_name(wire), "abc") == 0);
  CHECK(aw_wire_data(wire, count_release) == &released);
  aw_wire_view view;
  aw_wire_look(wire, &view);
  CHECK(view.kind == AW_WIRE_NAMED && view.count == 1);
  aw_wire_look(aw_wire_part(&view, 0), &view);
  CHECK(view.kind == AW_WIRE_SLEEP && view.number == 1);
  aw_wire_release(wire);
}

int main(void) {
  sequences_flatten();
  repetitions_and_names_do_not_flatten();
  empty_sequences_vanish();
  null_operands_give_null_and_leak_nothing();
  a_wire_lives_while_a_part_of_another();
  no_depth_is_depth_of_the_c_stack();
  names_are_copied_and_seen_through_holders();
  return 0;
}
