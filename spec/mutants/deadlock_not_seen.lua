return {
  breaks = "L4: a loop that nothing can wake raises Deadlock.",
  find = [[
if (next == AW_NEVER && !external && engine->config.deadlocks)
]],
  put = [[
if (next == AW_NEVER && !external && false)
]],
  spec = "loop",
  it = "is raised when all tasks are blocked for ever",
}
