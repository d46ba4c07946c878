return {
  breaks = "The engine looks at a socket after arming a waiter [Q4]",
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
