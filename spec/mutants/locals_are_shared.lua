return {
  breaks = "A task's change of aw.locals is not seen by siblings [API]",
  find = [[
for k, v in pairs(inner.locals() or new) do
    new[k] = v
  end
]],
  put = [[
new = inner.locals() or new
]],
  spec = "locals",
  it = "is inherited by what a task starts, as it is at that moment",
}
