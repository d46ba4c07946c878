return {
  breaks = "A task sees a cancel between two elements [N4]",
  find = [[
static move next_element(aw_task *task, aw_step *out) {
  if (task->inner->eff != AW_LEVEL_NONE)
    return end_code(task, AW_ECANCELED);
]],
  put = [[
static move next_element(aw_task *task, aw_step *out) {
]],
  spec = "chain",
  it = "is where a cancelled sequence ends",
}
