return {
  breaks = "The function of `finally` runs even after a cancel [O9]",
  find = [[
if (task->outcome == AW_OUT_ERROR)
    aw_task_hold_back(task);
]],
  put = [[
if (task->outcome == AW_OUT_CANCEL)
    return AW_AFTER_PASS;
  if (task->outcome == AW_OUT_ERROR)
    aw_task_hold_back(task);
]],
  spec = "catch_finally",
  it = "calls f when w is cancelled",
}
