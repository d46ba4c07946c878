return {
  breaks = "Ready tasks are resumed first in, first out [F1]",
  find = [[
aw__list_append(&engine->ready.tasks, &task->link);
]],
  put = [[
aw__list_append(engine->ready.tasks.next, &task->link);
]],
  spec = "fairness",
  it = "run in the order they were started in",
}
