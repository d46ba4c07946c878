return {
  breaks = "What was written is sent, though the stream was closed since [C10]",
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
