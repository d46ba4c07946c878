return {
  breaks = "A task in engine.closed is queued if no other task is ready [I1]",
  find = [[
if (aw__task_has_closed(engine))
    aw__task_queue_closed(engine);
]],
  put = [[
]],
  spec = "closed",
  it = "is cancelled, not failed, when main ends at once: Recv",
}
