return {
  breaks = "A task that a background task starts is background [T2]",
  find = [[
task->background |= scope->task && scope->task->background;
]],
  put = [[

]],
  spec = "task",
  it = "has its children in the background, too",
}
