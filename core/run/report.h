/* report.h - what the host reports of its steps; see report.c */
#ifndef AW_REPORT_H
#define AW_REPORT_H

#include "state.h"

/* Does the host run a step of `task` whose outcome it has not reported yet? */
bool aw__step_with_host(const aw_task *task);

#endif
