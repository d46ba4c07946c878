return {
  breaks = "A cancelled task gets Cancelled at each await [C2]",
  find = [[
bool aw__wait_refused(aw_task *task, aw_go go) {
]],
  put = [[
bool aw__wait_refused(aw_task *task, aw_go go) {
  if (task->cancels > 0) {
    task->hopped = false;
    task->go = (uint8_t)go;
    return false;
  }
]],
  spec = "cancel",
  it = "gets Cancelled again at each await",
}
