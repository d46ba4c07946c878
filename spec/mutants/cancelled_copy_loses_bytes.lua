return {
  breaks = "A copy takes bytes that the kernel has not taken [X7, C10]",
  find = [[
awio_stream_take(from, (size_t)put, from->taken);
]],
  put = [[
awio_stream_take(from, size, from->taken);
]],
  spec = "copy",
  it = "loses nothing and sends nothing twice when it is cancelled",
}
