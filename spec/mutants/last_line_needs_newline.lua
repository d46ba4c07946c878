return {
  breaks = "The last line of a stream needs no newline [API]",
  find = [[
if (!end && !s->ended)
    return NEED_MORE;
]],
  put = [[
if (!end)
    return s->ended ? NOTHING : NEED_MORE;
]],
  spec = "stream",
  it = "gives lines, without and with their ends, and nil at the end",
}
