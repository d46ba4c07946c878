/* waits.c - see waits.h */
#include "trace/waits.h"

#include <aiowire.h>

#include <stdio.h>

const char *awm_wait_label(const awm_record *record) {
  switch ((awm_kind)record->kind) {
  case AWM_WAIT_SLEEP: return "sleep";
  case AWM_WAIT_TASK: return "join task";
  case AWM_WAIT_CHILDREN: return "join children";
  default: return record->about.label;
  }
}

void awm_write_about(const awm_event *event, char *out, size_t size) {
  unsigned long long number = event->record.about.number;
  if (event->record.kind == AWM_WAIT)
    snprintf(out, size, "%s", event->text);
  else if (event->record.kind != AWM_WAIT_SLEEP)
    snprintf(out, size, "%llu", number);
  else if (number == AW_NEVER)
    snprintf(out, size, "for ever");
  else
    snprintf(out, size, "%.14g", (double)number / 1e9);
}

void awm_write_result(int result, char *out, size_t size) {
  snprintf(out, size, "%s",
           result >= 0              ? ""
           : result == AW_ECANCELED ? "cancelled"
                                    : aw_strerror(result));
}

const char *awm_cancel_cause(int by) {
  static const char *const causes[] = {[AW_BY_NOTHING] = "nothing",
                                       [AW_BY_TASK] = "task:cancel()",
                                       [AW_BY_SCOPE] = "scope:cancel()",
                                       [AW_BY_DEADLINE] = "a time-out",
                                       [AW_BY_FAILURE] = "a failure",
                                       [AW_BY_LOOP] = "the end of the loop",
                                       [AW_BY_PARENT] = "the end of its scope",
                                       [AW_BY_RACE] = "a lost race"};
  size_t count = sizeof causes / sizeof *causes;
  return by >= 0 && (size_t)by < count ? causes[by] : "?";
}

const char *awm_end_of_task(int state) {
  return state == AW_TASK_DONE     ? "done"
         : state == AW_TASK_FAILED ? "failed"
                                   : "cancelled";
}
