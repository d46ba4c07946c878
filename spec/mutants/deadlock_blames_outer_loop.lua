return {
  breaks = "A deadlock is raised from the innermost run that is blocked [L4]",
  find = [[
for (aw_link *l = engine->running.prev; l != &engine->running; l = l->prev) {
]],
  put = [[
for (aw_link *l = engine->running.next; l != &engine->running; l = l->next) {
]],
  spec = "loop",
  it = "is raised from the innermost run that holds a blocked task",
}
