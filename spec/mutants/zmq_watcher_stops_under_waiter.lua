return {
  breaks = "A watcher is stopped only if no task waits [Q4]",
  find = [[
if (!aw__zmq_awaited(z))
  aw__zmq_watch_stop(z);
]],
  put = [[
aw__zmq_watch_stop(z);
]],
  spec = "zmq_stress",
}
