return {
  breaks = "A cancelled read leaves its partial data in the buffer [C10]",
  find = [[
const awio_stream *s = data;
  aw_ready_disarm(task, s->fd);
]],
  put = [[
awio_stream *s = data;
  awio_buffer_take(&s->in, awio_buffer_length(&s->in));
  aw_ready_disarm(task, s->fd);
]],
  spec = "stream",
  it = "leaves the bytes that have come in the stream",
}
