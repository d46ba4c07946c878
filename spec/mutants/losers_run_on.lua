return {
  breaks = "O5: a race cancels its losers.",
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
