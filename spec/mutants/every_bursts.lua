return {
  breaks = "`skip` waits for the next multiple of the period [K4]",
  find = [[
if (at >= now)
    return at;
  switch (wire->u.every.missed)
]],
  put = [[
if (at >= now || wire->u.every.missed != AW_MISSED_DELAY)
    return at;
  switch (wire->u.every.missed)
]],
  spec = "every",
  it = "is skipped: the next is on the grid",
}
