return {
  breaks = "The engine forgets a descriptor before it is closed [ZQ11]",
  find = [[
aw_zmq_close(s->ready);
]],
  put = [[

]],
  spec = "zmq_message",
  it = "waits for a message",
}
