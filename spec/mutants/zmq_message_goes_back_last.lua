return {
  breaks = "A message that goes back keeps its place [H4]",
  find = [[
while (*place && (*place)->number < message->number)
]],
  put = [[
while (*place)
]],
  spec = "zmq_message",
  it = "whose result nobody can take any more gives its message back",
}
