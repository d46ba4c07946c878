return {
  breaks = "A message is sent after those that wait already [F5]",
  find = [[
return must_queue(parts) ? -EAGAIN : send_now(parts);
]],
  put = [[
(void)must_queue;
  return send_now(parts);
]],
  spec = "zmq_message",
  it = "does not overtake a waiting send when there is room again",
}
