return {
  breaks = "A loop ends when no foreground task is left [T2]",
  find = [[
else if (loop->foreground == 0)
    end_background(loop);
]],
  put = [[

]],
  spec = "loop",
  it = "does not wait for a background task",
}
