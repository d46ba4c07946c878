return {
  breaks = "A socket with conflate keeps the last message [zmq]",
  find = [[
if (s->newest)
      awz_message_done(s, s->newest);
    s->newest = message;
]],
  put = [[
if (s->newest && message)
      awz_message_done(s, message);
    else
      s->newest = message;
]],
  spec = "zmq_wait",
  it = "leaves the newest message to a socket with conflate",
}
