return {
  breaks = "A task that becomes ready in a round runs in the next [F2]",
  find = [[
aw__list_append(&engine->ready.tasks, &task->link);
engine->ready.count++;
]],
  put = [[
aw__list_append(&engine->ready.tasks, &task->link);
engine->ready.count++;
engine->ready.round++;
]],
  spec = "real_time",
  it = "ends all the same",
}
