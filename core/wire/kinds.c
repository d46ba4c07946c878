/* kinds.c - the table of kinds as an array; see kinds.h, which has the rows */
#include "wire/kinds.h"

#define PUBLIC(KIND, name, layout, event, transparent) \
  [AW_KIND_##KIND] = {#name, AW_WIRE_##KIND, AW_LAYOUT_##layout, \
                      AW_EVENT_##event, transparent},
#define PRIVATE(KIND, name, layout, event, transparent) \
  [AW_KIND_## \
      KIND] = {#name, 0, AW_LAYOUT_##layout, AW_EVENT_##event, transparent},

const aw_kind_row aw__kinds[] = {AW_PUBLIC_KINDS(PUBLIC)
                                     AW_PRIVATE_KINDS(PRIVATE)};
