return {
  breaks = "Files that hang block no others [W1]",
  find = [[
  pool->watch = WATCH_ASKED;
  if (]],
  put = [[
  if (0 && ]],
  spec = "file_threads",
  it = "blocks no other, nor a name",
}
