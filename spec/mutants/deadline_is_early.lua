return {
  breaks = "K1: a deadline is never early.",
  find = [[
if (aw__alarm_next(engine) > now || engine->deadlines.count == 0)
]],
  put = [[
if (engine->deadlines.count == 0 || aw__alarm_next(engine) > now + 2000000)
]],
  spec = "real_time",
  it = "is never over early",
}
