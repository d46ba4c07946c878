return {
  breaks = "Equal deadlines go off in the order of their creation [K1]",
  find = [[
return ((a->alarm->seq - b->alarm->seq) & SEQ_TOP_BIT) != 0;
]],
  put = [[
return ((a->alarm->seq - b->alarm->seq) & SEQ_TOP_BIT) == 0;
]],
  spec = "time",
  it = "expire in the order they were made in",
}
