return {
  breaks = "A message that was not delivered is put back [H4]",
  find = [[
if (message->delivered || !s->raw)
    awz_message_done(s, message);
  else
    awz_message_put_back(s, message);
]],
  put = [[
awz_message_done(s, message);
]],
  spec = "zmq_message",
  it = "gives its message back if the task with the result is garbage",
}
