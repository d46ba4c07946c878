return {
  breaks = "T2: what a background task starts is background.",
  find = [[
task->background |= scope->task && scope->task->background;
]],
  put = [[

]],
  spec = "task",
  it = "has its children in the background, too",
}
