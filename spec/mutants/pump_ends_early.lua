return {
  breaks = "A write that returned is sent, though the stream was closed since.",
  find = [[
if (!s->pumping)
    close_fd(s, NULL);
]],
  put = [[
close_fd(s, NULL);
]],
  spec = "stream",
  it = "still sends what was written",
}
