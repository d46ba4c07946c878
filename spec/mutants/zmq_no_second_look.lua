return {
  breaks = "The engine looks at a socket again after any operation [Q4]",
  find = [[
z->drained = false;
  if (aw__zmq_awaited(z))
    aw__zmq_mark(z);
}
]],
  put = [[
z->drained = false;
}
]],
  spec = "zmq_stress",
  it = "lose no wake-up as pair over inproc",
}
