return {
  breaks = "A read of a file that is cancelled has taken nothing [W21]",
  find = [[
  awio_stream *s = data;
  if (s->disk)
    awio_file_disarm(s->disk->file, task);
]],
  put = [[
  awio_stream *s = data;
  if (s->disk)
    awio_file_disarm(s->disk->file, task);
  if (s->disk && !s->disk->pump)
    awio_buffer_free(&s->in);
]],
  spec = "file_stream",
  it = "loses nothing when a read is cancelled",
}
