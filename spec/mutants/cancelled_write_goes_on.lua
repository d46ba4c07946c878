return {
  breaks = "A write that is cancelled half way breaks the stream [C10]",
  find = [[
s->broken = true;
  s->large = false;
  awio_waiters_remove(&s->room, task);
]],
  put = [[
s->large = false;
  awio_waiters_remove(&s->room, task);
]],
  spec = "stream",
  it = "is broken by a large write that is cancelled half-way",
}
