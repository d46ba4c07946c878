return {
  breaks = "A read that needs what is behind the end looks again [W20]",
  find = [[
  if (at < 0 || now.st_size <= at)
    return false;
  s->ended
]],
  put = [[
  if (at <= now.st_size)
    return false;
  s->ended
]],
  spec = "file_stream",
  it = "has bytes that came since its end was read",
}
