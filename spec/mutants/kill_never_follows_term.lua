return {
  breaks = "A process that outlasts its grace is sent KILL [API]",
  find = [[
awio_process_kill(p, SIGKILL);
]],
  put = [[

]],
  spec = "process_group",
  it = "is sent TERM, and KILL after the grace",
}
