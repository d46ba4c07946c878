return {
  breaks = "A look-up that nobody wants no longer counts [X11]",
  find = [[
  if (w->state == AWIO_WORK_RUNNING && w->counts) {
    w->pool->wanted--;
]],
  put = [[
  if (w->state == AWIO_WORK_RUNNING && w->counts) {
]],
  spec = "lookup",
  it = "does not count those that are forgotten",
}
