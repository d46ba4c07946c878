return {
  breaks = "A delay of a retry is at most `max` [O10]",
  find = [[
own->delay = longer < (double)rule->most ? (uint64_t)longer : rule->most;
]],
  put = [[
own->delay = (uint64_t)longer;
]],
  spec = "retry",
  it = "is never longer than max",
}
