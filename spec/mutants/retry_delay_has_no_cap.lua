return {
  breaks = "A delay of a retry is at most `max` [O10]",
  find = [[
guard->delay = longer < (double)rule->most ? (uint64_t)longer : rule->most;
]],
  put = [[
guard->delay = (uint64_t)longer;
]],
  spec = "retry",
  it = "is never longer than max",
}
