return {
  breaks = "A line over max_line is an error [API]",
  find = [[
if (size > s->limits.max_line)
    return TOO_LONG;
]],
  put = [[

]],
  spec = "stream",
  it = "refuses a line over max_line, and keeps it",
}
