return {
  breaks = "O10: each delay of a retry is `factor` times the one before.",
  find = [[
double longer = (double)delay * rule->factor;
]],
  put = [[
double longer = (double)delay;
]],
  spec = "retry",
  it = "grows by the factor",
}
