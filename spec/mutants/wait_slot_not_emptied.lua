return {
  breaks = "The slot of a wait is emptied before anyone is told [I2]",
  find = [[
task->wait = NULL;
task->on = NULL;
task->result = result;
]],
  put = [[
task->result = result;
]],
  spec = "channel",
  it = "comes at the next await",
}
