/* table.h - the functions of cold kinds, by kind; see table.c */
#ifndef AW_TABLE_H
#define AW_TABLE_H

#include "run/kinds/cold.h"

extern const aw_cold_kind *const aw__cold_kinds[];

/* The functions of the kind whose frame `frame` is, an AW_FRAME_COLD. */
static inline const aw_cold_kind *aw__cold_kind(const aw_frame *frame) {
  return aw__cold_kinds[frame->wire->kind];
}

#endif
