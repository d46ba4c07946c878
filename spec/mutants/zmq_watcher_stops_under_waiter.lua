return {
  breaks = "A watcher is stopped only if nobody waits [Q4]",
  find = [[
if (awaited(z))
      continue;
]],
  put = [[

]],
  spec = "zmq_stress",
  it = "lose no wake-up as paused_pull over ipc",
}
