/* kind_functions.h - the functions of groups and of cold kinds, by kind; see
 * kind_functions.c */
#ifndef AW_KIND_FUNCTIONS_H
#define AW_KIND_FUNCTIONS_H

#include "run/groups/group.h"
#include "run/kinds/cold.h"

extern const aw_group_kind *const aw__group_kinds[];
extern const aw_cold_kind *const aw__cold_kinds[];

/* The functions of `wire`, a group. */
static inline const aw_group_kind *aw__group_kind(const aw_wire *wire) {
  return aw__group_kinds[wire->kind];
}

/* The functions of the cold kind that has pushed `frame`, an AW_FRAME_COLD. */
static inline const aw_cold_kind *aw__cold_kind(const aw_frame *frame) {
  return aw__cold_kinds[frame->wire->kind];
}

#endif
