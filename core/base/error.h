/* error.h - what only the core does with errors; see error.c */
#ifndef AW_ERROR_H
#define AW_ERROR_H

#include "state.h"

/* As aw_error_new(), but NULL when out of memory; takes nothing then. */
aw_error *aw__error_make(aw_engine *engine, int code, aw_value value);
void aw__error_set_attempts(aw_error *error, uint32_t attempts);
/* Keeps `wire` and `holder`, which may be NULL. */
void aw__error_set_wire(aw_error *error, aw_wire *wire, aw_wire *holder,
                        uint64_t ns);
/* The error is a time-out: set the record of the wait that it cut short. Takes
 * `cut`, which may be NULL. */
void aw__error_set_cut(aw_error *error, aw_cut *cut);
/* The same error, but not one of clean-up: for a task that raises what another
 * failed with. Takes `error`, and gives it itself when out of memory. */
aw_error *aw__error_afresh(aw_error *error);

#endif
