return {
  breaks = "I2: a wait ends once; its slot is emptied before anyone is told.",
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
