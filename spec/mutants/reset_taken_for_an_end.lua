return {
  breaks = "A reset that a write has met is an end to the readers [X1]",
  find = [[
return got == 0 ? s->lost : note_lost(s, got);
]],
  put = [[
return note_lost(s, got);
]],
  spec = "socket_stream",
  it = "raises in a task that writes, and in later reads, too",
}
