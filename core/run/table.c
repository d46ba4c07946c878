/* table.c - the functions of cold kinds, by kind
 *
 * The rows of wire/kinds.h fill this table: row `NAME` has aw__run_NAME. It
 * stands here, above the files of the kinds, since those of wire/ know nothing
 * of what running means.
 */
#include "run/table.h"

#define FUNCTIONS(KIND, name, layout, event, transparent) \
  [AW_KIND_##KIND] = &aw__run_##name,

const aw_cold_kind *const aw__cold_kinds[] = {AW_COLD_KINDS(FUNCTIONS)};
