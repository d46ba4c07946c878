return {
  breaks = "A deadline is never early [K1]",
  find = [[
if (aw__alarm_next(engine) > now || engine->deadlines.near == 0)
]],
  put = [[
if (engine->deadlines.near == 0 || aw__alarm_next(engine) > now + 2000000)
]],
  spec = "real_time",
  it = "is never over early",
}
