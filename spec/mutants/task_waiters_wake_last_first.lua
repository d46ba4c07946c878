return {
  breaks = "Tasks that wait for one task wake in their order [F5]",
  find = [[
aw__list_append(&other->waiters, &task->link);
]],
  put = [[
aw__list_append(other->waiters.next, &task->link);
]],
  spec = "task",
  it = "may be called by many",
}
