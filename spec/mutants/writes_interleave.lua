return {
  breaks = "A write is atomic once it is submitted [C10]",
  find = [[
if (rc == UV_EBUSY || s->large ||
      awio_buffer_length(&s->out) >= s->limits.high_water)
]],
  put = [[
if (rc == UV_EBUSY ||
      awio_buffer_length(&s->out) >= s->limits.high_water)
]],
  spec = "stream",
  it = "mixes nothing into a large write that waits",
}
