return {
  breaks = "`skip` waits for the next multiple of the period [K4]",
  find = [[
if (at >= now || wire->table == AW_MISSED_BURST)
]],
  put = [[
if (at >= now || wire->table != AW_MISSED_DELAY)
]],
  spec = "every",
  it = "is skipped: the next is on the grid",
}
