return {
  breaks = "A sleep counts from a fresh look at the clock [K3]",
  find = [[
uint64_t at = aw__later(aw_engine_now(task->engine), ns);
  int rc = aw__wait_until(task, at);
]],
  put = [[
uint64_t at = aw__later(task->engine->now, ns);
  int rc = aw__wait_until(task, at);
]],
  spec = "real_time",
  it = "counts from a fresh look at the clock",
}
