return {
  breaks = "A scope absorbs Cancelled only if no outer cancel shows [C5]",
  find = [[
bool own = end.cancelled && !end.outer && !task->killed;
]],
  put = [[
bool own = end.cancelled && !task->killed;
]],
  spec = "timeout",
  it = "are Cancelled if the cancel comes during the clean-up",
}
