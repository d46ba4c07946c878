return {
  breaks = "A race cancels its losers [O5]",
  find = [[
if (s->task != winner)
      give_up(s->task);
]],
  put = [[
if (s->task == NULL)
      give_up(s->task);
]],
  spec = "race",
  it = "has the results of the first to finish, nil kept",
}
