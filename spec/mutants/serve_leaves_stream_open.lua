return {
  breaks = "The stream of a connection is closed with its body [X18]",
  find = [[
  if (s)
    awio_stream_abort(s, aw_loop_engine(aw_task_loop(task)));
]],
  put = [[]],
  spec = "serve",
  it = "closes each stream when its body ends",
}
