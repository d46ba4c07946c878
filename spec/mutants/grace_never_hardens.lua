return {
  breaks = "A cancel whose grace is over turns hard [C8]",
  find = [[
else if (scope->own == AW_LEVEL_SOFT)
    aw__scope_harden(scope);
]],
  put = [[

]],
  spec = "grace",
  it = "raises Cancelled inside the shield then",
}
