return {
  breaks = "Each delay of a retry is `factor` times the one before [O10]",
  find = [[
double longer = (double)delay * rule->factor;
]],
  put = [[
double longer = (double)delay;
]],
  spec = "retry",
  it = "grows by the factor",
}
