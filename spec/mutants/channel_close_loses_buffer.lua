return {
  breaks = "A closed channel gives its buffered values first [H1]",
  find = [[
aw_task *sender = first_for(&channel->senders, task);
  if (channel->count > 0) {
]],
  put = [[
aw_task *sender = first_for(&channel->senders, task);
  if (channel->count > 0 && !channel->closed) {
]],
  spec = "channel",
  it = "gives its values, then nil and",
}
