return {
  breaks = "All parts of a message are sent, or none [ZQ7]",
  find = [[
rc = send_frame(s, &frames[i], i + 1 < count);
]],
  put = [[
rc = send_frame(s, &frames[i], i + 2 < count);
]],
  spec = "zmq_message",
  it = "arrives in the parts in which it was sent",
}
