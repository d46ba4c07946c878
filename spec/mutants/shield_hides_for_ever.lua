return {
  breaks = "At the end of its grace a shield stops hiding [C7]",
  find = [[
if (scope->hides && now >= opened->until)
]],
  put = [[
if (scope->hides && now == AW_NEVER)
]],
  spec = "shield",
  it = "stops hiding when its grace is over [C7]",
}
