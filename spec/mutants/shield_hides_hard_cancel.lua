return {
  breaks = "A shield does not hide a hard cancel [C8]",
  find = [[
if (scope->shield && scope->hides && level < AW_LEVEL_HARD)
]],
  put = [[
if (scope->shield && scope->hides)
]],
  spec = "grace",
  it = "ends the power of shields when it expires",
}
