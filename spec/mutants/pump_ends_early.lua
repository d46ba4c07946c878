return {
  breaks = "Data that was written is sent even after a close [C10]",
  find = [[
if (!s->pumping)
    awio_stream_close_fd(s, NULL);
]],
  put = [[
awio_stream_close_fd(s, NULL);
]],
  spec = "stream",
  it = "still sends its written bytes",
}
