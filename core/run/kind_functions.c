/* kind_functions.c - the functions of groups and of cold kinds, by kind
 *
 * The rows of wire/kinds.h fill these tables: the row `NAME` has aw__run_NAME.
 * The tables stand here, above the files of the kinds, because files in wire/
 * must not depend on files in run/.
 */
#include "run/kind_functions.h"

#define FUNCTIONS(KIND, name, layout, event, transparent) \
  [AW_KIND_##KIND] = &aw__run_##name,

const aw_group_kind *const aw__group_kinds[] = {AW_GROUP_KINDS(FUNCTIONS)};
const aw_cold_kind *const aw__cold_kinds[] = {AW_COLD_KINDS(FUNCTIONS)};
