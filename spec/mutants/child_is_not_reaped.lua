return {
  breaks = "A child that has ended leaves no zombie [API]",
  find = [[
if (!p->outcome.lost)
      awio_child_reap(p->pid);
]],
  put = [[

]],
  spec = "child_end",
  it = "is noticed with SIGCHLD blocked",
}
