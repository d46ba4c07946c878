return {
  breaks = "A committed wait delivers its result despite a cancel [C6]",
  find = [[
case AW_GO_RESUME: return resume_host(task, out, task->result);
]],
  put = [[
case AW_GO_RESUME:
  if (task->inner->eff != AW_LEVEL_NONE)
    task->result = AW_ECANCELED;
  return resume_host(task, out, task->result);
]],
  spec = "cancel",
  it = "is delivered though its task is cancelled by then",
}
