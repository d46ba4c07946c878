return {
  breaks = "A subscriber that has left does not count [M5]",
  find = [[
until raw.subscribed(socket, prefix)
]],
  put = [[
until subscriber
]],
  spec = "zmq_subscriber",
  it = "waits on if the subscriber has left before the task runs",
}
