/* wire_test.c - wires: flattening, ownership, views */
#include "check.h"

static int released;

static void count_release(void *data) {
  (void)data;
  released++;
}

/* A wire whose release is counted. */
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
  CHECK(aw_wire_keep(NULL) == NULL);
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

static void no_name_changes_nothing(void) {
  aw_wire *wire = seen();
  CHECK(aw_named(wire, NULL) == wire);
  aw_wire_release(wire);
}

/* ---- arrays of items that wires share ---- */

/* Bytes requested since the test set it to 0. */
static size_t asked;

static void *count_bytes(void *context, void *memory, size_t size) {
  (void)context;
  asked += size;
  if (size > 0)
    return realloc(memory, size);
  free(memory);
  return NULL;
}

/* Returns the names of the leaves of `wire`, one letter each. */
static const char *letters(const aw_wire *wire) {
  static char text[64];
  aw_wire_view view;
  aw_wire_look(wire, &view);
  size_t count = view.count;
  for (size_t i = 0; i < count; i++)
    text[i] = *aw_wire_name(aw_wire_part(&view, i));
  text[count] = '\0';
  return text;
}

/* A leaf whose name is a letter, and whose release is counted. */
static aw_wire *leaf(const char *letter) {
  return aw_host_call(&released, count_release, letter);
}

#define CHECK_LETTERS(wire, text) CHECK(strcmp(letters(wire), text) == 0)

/* The operators with any number of operands. */
static aw_wire *(*const operators[])(aw_wire *, aw_wire *) = {
    aw_then, aw_both, aw_either, aw_or_else};
enum { OPERATORS = sizeof operators / sizeof *operators };

static size_t cost_of_chain(aw_wire *(*combine)(aw_wire *, aw_wire *), int n) {
  asked = 0;
  aw_wire *wire = aw_sleep(0);
  for (int i = 0; i < n; i++)
    wire = combine(wire, aw_sleep(0));
  size_t count;
  kind_of(wire, &count);
  CHECK(count == (size_t)n + 1);
  aw_wire_release(wire);
  return asked;
}

static void a_chain_of_twice_the_length_costs_twice(void) {
  for (int i = 0; i < OPERATORS; i++)
    CHECK(cost_of_chain(operators[i], 20000) <
          cost_of_chain(operators[i], 10000) * 5 / 2);
}

static void wires_that_extend_the_same_one_are_independent(void) {
  for (int i = 0; i < OPERATORS; i++) {
    aw_wire *(*join)(aw_wire *, aw_wire *) = operators[i];
    released = 0;
    aw_wire *w = join(join(leaf("a"), leaf("b")), leaf("c"));
    aw_wire *first = join(aw_wire_keep(w), leaf("d"));
    aw_wire *second = join(aw_wire_keep(w), leaf("e"));
    aw_wire *longer = join(aw_wire_keep(first), leaf("f"));
    aw_wire *third = join(aw_wire_keep(w), aw_wire_keep(second));
    CHECK_LETTERS(w, "abc");
    CHECK_LETTERS(first, "abcd");
    CHECK_LETTERS(second, "abce");
    CHECK_LETTERS(longer, "abcdf");
    CHECK_LETTERS(third, "abcabce");
    aw_wire_release(w);
    aw_wire_release(first);
    CHECK_LETTERS(longer, "abcdf");
    aw_wire_release(second);
    CHECK_LETTERS(third, "abcabce");
    aw_wire_release(third);
    aw_wire_release(longer);
    CHECK(released == 6);
  }
}

static void a_wire_may_be_joined_to_itself(void) {
  released = 0;
  aw_wire *w = aw_then(aw_then(leaf("a"), leaf("b")), leaf("c"));
  aw_wire *twice = aw_then(aw_wire_keep(w), w);
  aw_wire *again = aw_then(aw_wire_keep(twice), aw_wire_keep(twice));
  CHECK_LETTERS(again, "abcabcabcabc");
  CHECK_LETTERS(twice, "abcabc");
  aw_wire_release(twice);
  aw_wire_release(again);
  CHECK(released == 3);
}

static void a_shorter_wire_holds_nothing_of_a_longer_one(void) {
  aw_wire *w = aw_then(aw_then(leaf("a"), leaf("b")), leaf("c"));
  for (int i = 0; i < 3; i++) {
    released = 0;
    aw_wire *longer = aw_then(aw_wire_keep(w), leaf("d"));
    CHECK_LETTERS(longer, "abcd");
    aw_wire_release(longer);
    CHECK(released == 1);
  }
  CHECK_LETTERS(w, "abc");
  aw_wire_release(w);
  CHECK(released == 4);
}

static void a_freed_end_of_an_array_is_used_again(void) {
  aw_wire *w = aw_sequence(NULL, 0);
  for (int i = 0; i < 5; i++)
    w = aw_then(w, leaf("a"));
  aw_wire_release(aw_then(aw_wire_keep(w), leaf("b")));
  asked = 0;
  aw_wire *sleep = aw_sleep(1);
  size_t one = asked;
  aw_wire *longer = aw_then(aw_wire_keep(w), sleep);
  CHECK(asked == 2 * one); /* two wires, no new array */
  aw_wire_release(longer);
  aw_wire_release(w);
}

static void deep_wires_that_share_are_no_depth_of_the_c_stack(void) {
  released = 0;
  enum { DEPTH = 100000 };
  aw_wire *wire = leaf("a");
  for (int i = 0; i < DEPTH; i++) {
    aw_wire *inner = aw_repeat(wire, 2);
    wire = aw_then(aw_then(aw_then(leaf("b"), leaf("c")), leaf("d")), inner);
  }
  aw_wire_release(wire);
  CHECK(released == 3 * DEPTH + 1);
}

int main(void) {
  aw_set_allocator(count_bytes, NULL);
  sequences_flatten();
  repetitions_and_names_do_not_flatten();
  empty_sequences_vanish();
  null_operands_give_null_and_leak_nothing();
  a_wire_lives_while_a_part_of_another();
  no_depth_is_depth_of_the_c_stack();
  no_name_changes_nothing();
  names_are_copied_and_seen_through_holders();
  a_chain_of_twice_the_length_costs_twice();
  wires_that_extend_the_same_one_are_independent();
  a_wire_may_be_joined_to_itself();
  a_shorter_wire_holds_nothing_of_a_longer_one();
  a_freed_end_of_an_array_is_used_again();
  deep_wires_that_share_are_no_depth_of_the_c_stack();
  return 0;
}
