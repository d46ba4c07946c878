/* tuple.h - several values become one; see tuple.c */
#ifndef AWL_TUPLE_H
#define AWL_TUPLE_H

#include "base/state.h"

int awl_gather(void *state, aw_shape shape, const aw_value *values,
               size_t count, size_t index, aw_value *out);

#endif
