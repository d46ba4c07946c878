/* step.h - the interpreter; see step.c */
#ifndef AW_STEP_H
#define AW_STEP_H

#include "state.h"

/* Run `task`, the current one. Returns true if the host must run the
 * step `*out`. */
bool aw__step_run(aw_task *task, aw_step *out);

#endif
