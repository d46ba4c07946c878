return {
  breaks = "I7: a watcher whose last wait ends is disarmed at once.",
  find = [[
if (wanted(watch) == 0 && !watch->keepers)
    disarm_watch(watch);
]],
  put = [[

]],
  spec = "closed_descriptor",
}
