return {
  breaks = "A loop whose tasks nothing can wake raises Deadlock [L4]",
  find = [[
if (next == AW_NEVER && !external && engine->config.deadlocks)
]],
  put = [[
if (next == AW_NEVER && !external && false)
]],
  spec = "loop",
  it = "is raised when all tasks are blocked for ever",
}
