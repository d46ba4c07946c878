return {
  breaks = "A group's leader is kept unreaped until its group has ended",
  find = [[
return p->ending && (p->given_up || !awio_group_lives(p->pid));
]],
  put = [[
return true;
]],
  spec = "process_group",
  it = "is noticed, and not reaped until it is closed",
}
