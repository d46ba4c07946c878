return {
  breaks = "A scope is closed only when its last child has ended [I9]",
  find = [[
if (scope->children == 0)
    return false;
]],
  put = [[
if (scope->children <= 1)
    return false;
]],
  spec = "spin_off",
  it = "holds its parent open until it has ended",
}
