return {
  breaks = "One event of the descriptor may stand for many messages [Q4]",
  find = [[
if (rc == 0)
  return true;
aw__link_remove(&task->link);
end_wait(z, task, rc < 0 ? rc : 0);
]],
  put = [[
if (rc == 0)
  return true;
aw__link_remove(&task->link);
end_wait(z, task, rc < 0 ? rc : 0);
return true;
]],
  spec = "zmq_message",
  it = "serves waiters first in, first out",
}
