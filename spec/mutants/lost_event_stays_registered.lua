return {
  breaks = "The first commit unregisters all other events [H2]",
  find = [[
task->contender = false;
  task->wait->disarm(task, task->on);
  task->engine->external -= task->wait->external;
]],
  put = [[
task->contender = false;
  task->engine->external -= task->wait->external;
]],
  spec = "event_race",
  it = "unregisters losing events when it commits, not later",
}
