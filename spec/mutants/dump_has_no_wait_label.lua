return {
  breaks = "The dump says what a task waits for [D1]",
  find = [[
if task.waiting then
    parts[#parts + 1] = task.waiting
  end
]],
  put = [[

]],
  spec = "info",
  it = "has every task, what it waits for and where",
}
