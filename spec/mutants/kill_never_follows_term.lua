return {
  breaks = "process:close sends KILL when the grace is over.",
  find = [[
awio_process_kill(p, SIGKILL);
]],
  put = [[

]],
  spec = "process_group",
  it = "is sent TERM, and KILL after the grace",
}
