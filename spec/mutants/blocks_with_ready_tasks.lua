return {
  breaks = "The engine does not block while a task is ready [I3]",
  find = [[
static bool has_news(const aw_engine *engine) {
  return engine->ready.count > 0 ||
]],
  put = [[
static bool has_news(const aw_engine *engine) {
  return
]],
  spec = "loop_test",
}
