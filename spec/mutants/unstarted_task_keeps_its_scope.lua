return {
  breaks = "A task that is started after its loop's grace never runs [T3]",
  find = [[
if (loop->root.own == AW_LEVEL_HARD)
    end_unstarted(task);
  else if
]],
  put = [[
if
]],
  spec = "grace",
  it = "lets no task run that is started after it",
}
