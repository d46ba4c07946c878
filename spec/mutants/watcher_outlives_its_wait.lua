return {
  breaks = "A watcher whose last wait ends is disarmed at once [I7]",
  find = [[
if (wanted(watch) == 0 && !watch->keepers)
    disarm_watch(watch);
]],
  put = [[

]],
  spec = "closed_descriptor",
}
