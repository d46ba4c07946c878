return {
  breaks = "An atomic write that fails removes its file [W4]",
  find = [[
  if (rc < 0)
    unlink(path);
]],
  put = "",
  spec = "file_cancel",
  it = "leaves the old file of an atomic write, and no other",
}
