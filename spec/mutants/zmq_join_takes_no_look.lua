return {
  breaks = "After arming a waiter the socket is looked at [Q4]",
  find = [[
if (must_look(z, list))
  aw__zmq_mark(z);
]],
  put = [[
(void)must_look;
]],
  spec = "zmq_wait",
  it = "is awaited by aw.readable and aw.writable",
}
