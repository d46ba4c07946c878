return {
  breaks = "A FIFO without a writer yet is at its end [X8]",
  find = [[
s->drained = S_ISFIFO(file->st_mode);
]],
  put = [[
s->drained = S_ISFIFO(file->st_mode) && false;
]],
  spec = "fifo",
  it = "keeps waiting for its first writer after a cancelled read",
}
