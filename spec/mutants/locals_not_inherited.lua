return {
  breaks = "What a task starts inherits its locals [API]",
  find = [[
heir.locals = aw__keep_value(by->engine, by->more->locals);
]],
  put = [[
heir.locals = 0;
]],
  spec = "locals",
  it = "is inherited by what a task starts, as it is at that moment",
}
