/* error.h - private functions of errors; see error.c */
#ifndef AW_ERROR_H
#define AW_ERROR_H

#include "state.h"

/* Like aw_error_new(), but when out of memory: returns NULL, takes nothing. */
aw_error *aw__error_make(aw_engine *engine, int code, aw_value value);
void aw__error_set_attempts(aw_error *error, uint32_t attempts);
/* `error` is a time-out; `cut` (takes, or NULL) is the record of the wait that
 * the time-out cut short. */
void aw__error_set_cut(aw_error *error, aw_cut *cut);

#endif
