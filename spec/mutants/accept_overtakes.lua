return {
  breaks = "A connection goes to the task that has waited longest [X16]",
  find = [[
return has_waiters(l) ? UV_EAGAIN : awio_socket_accept(l->fd, peer);
]],
  put = [[return awio_socket_accept(l->fd, peer);]],
  spec = "accept",
  it = "does not overtake a task that waits",
}
