return {
  breaks = "A message has no more parts than max_parts [zmq]",
  find = [[
if (message->count > s->max_parts) {
]],
  put = [[
if (message->count > SIZE_MAX / 2) {
]],
  spec = "zmq_abort",
  it = "goes on after a message of too many parts",
}
