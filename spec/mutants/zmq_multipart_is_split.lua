return {
  breaks = "All parts of a message are sent, or none [ZQ7]",
  find = [[
rc = awz_raw_send(socket_of(parts), &frames[i], i + 1 < parts->count);
    if (rc < 0) {
]],
  put = [[
rc = awz_raw_send(socket_of(parts), &frames[i], i + 2 < parts->count);
    if (rc < 0) {
]],
  spec = "zmq_message",
  it = "arrives in the parts in which it was sent",
}
