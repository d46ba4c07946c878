/* gather.h - several values become one; see gather.c */
#ifndef AWL_GATHER_H
#define AWL_GATHER_H

#include "bridge.h"

int awl_gather(void *state, aw_shape shape, const aw_value *values,
               size_t count, size_t index, aw_value *out);

#endif
