return {
  breaks = "Data that was written is sent even after a close [C10]",
  find = [[
if (!s->pumping)
    close_fd(s, NULL);
]],
  put = [[
close_fd(s, NULL);
]],
  spec = "stream",
  it = "still sends its written bytes",
}
