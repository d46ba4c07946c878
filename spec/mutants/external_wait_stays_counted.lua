return {
  breaks = "A wait that has ended hides no deadlock [L4]",
  find = [[
task->engine->external -= task->wait->external;
task->engine->closing
]],
  put = [[
task->engine->closing
]],
  spec = "real_time",
  it = "is raised though a descriptor was waited for before",
}
