return {
  breaks = "A message that is put back keeps its place [H4]",
  find = [[
while (*place && (*place)->number < message->number)
]],
  put = [[
while (*place)
]],
  spec = "zmq_message",
  it = "gives its message back if the task with the result is garbage",
}
