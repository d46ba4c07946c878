return {
  breaks = "A write begins where the last read has ended [W25]",
  find = [[
  if (count > 0 && lseek(s->fd, -(off_t)count, SEEK_CUR) < 0)
    return -errno;
]],
  put = "",
  spec = "file_stream",
  it = "has one position, as io has it",
}
