return {
  breaks = "A failure cancels the scope in which it happens [S3]",
  find = [[
aw__scope_cancel(scope, AW_BY_FAILURE, 0, AW_DEFAULT);
]],
  put = [[

]],
  spec = "join",
  it = "cancels the others and waits for their clean-up",
}
