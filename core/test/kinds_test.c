/* kinds_test.c - the rows of the table of kinds are complete and consistent */
#include "check.h"

#include "run/kind_functions.h"

static void public_kinds_have_one_row_each(void) {
#define ROW(KIND, name, layout, event, transparent) \
  CHECK(aw__kind_of(AW_WIRE_##KIND) == AW_KIND_##KIND); \
  CHECK(aw__kinds[AW_KIND_##KIND].shown == AW_WIRE_##KIND);
  AW_PUBLIC_KINDS(ROW)
#undef ROW
}

static bool takes_its_event_from_its_part(aw_kind kind) {
  return aw__kinds[kind].event == AW_EVENT_AS_FIRST;
}

/* An event that loses a race ends at once: no kind is asked to clear the state
 * of its frame. */
static void events_have_no_state_to_clear(void) {
#define ROW(KIND, name, layout, event, transparent) \
  CHECK(!takes_its_event_from_its_part(AW_KIND_##KIND) || \
        aw__cold_kinds[AW_KIND_##KIND]->size == 0);
  AW_COLD_KINDS(ROW)
#undef ROW
}

static void cold_kinds_have_the_functions_they_need(const aw_cold_kind *kind) {
  CHECK(kind->enter != NULL);
  CHECK(kind->after || (!kind->resume && !kind->value && !kind->error));
  CHECK(kind->size > 0 || !kind->clear);
  CHECK(kind->size == 0 || kind->after);
}

static void groups_have_the_functions_they_need(const aw_group_kind *kind) {
  CHECK(kind->room && kind->ended && kind->complete && kind->finish);
  CHECK(kind->competes || !kind->decides);
}

int main(void) {
  public_kinds_have_one_row_each();
  events_have_no_state_to_clear();
#define ROW(KIND, name, layout, event, transparent) \
  cold_kinds_have_the_functions_they_need(aw__cold_kinds[AW_KIND_##KIND]);
  AW_COLD_KINDS(ROW)
#undef ROW
#define ROW(KIND, name, layout, event, transparent) \
  groups_have_the_functions_they_need(aw__group_kinds[AW_KIND_##KIND]);
  AW_GROUP_KINDS(ROW)
#undef ROW
  return 0;
}
