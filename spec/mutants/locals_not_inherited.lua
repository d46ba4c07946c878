return {
  breaks = "A new task inherits the locals of the starting task [API]",
  find = [[
heir.locals = aw__keep_value(by->engine, by->more->locals);
]],
  put = [[
heir.locals = 0;
]],
  spec = "locals",
  it = "is inherited by what a task starts, as it is at that moment",
}
