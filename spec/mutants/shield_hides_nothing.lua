return {
  breaks = "A shield hides soft cancels from outside [C7]",
  find = [[
if (scope->shield && scope->hides && level < AW_LEVEL_HARD)
]],
  put = [[
if (scope->shield && scope->hides && level < AW_LEVEL_SOFT)
]],
  spec = "shield",
  it = "hides a cancel from outside, which comes after it",
}
