/* report.h - what the host reports of its steps; see report.c */
#ifndef AW_REPORT_H
#define AW_REPORT_H

#include "state.h"

bool aw__step_with_host(const aw_task *task); /* and not reported yet */

#endif
