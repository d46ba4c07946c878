return {
  breaks = "E3: errors after the first one are suppressed by it, not lost.",
  find = [[
if (scope->error)
    aw_error_suppress(scope->error, error);
]],
  put = [[
if (scope->error)
    aw_error_release(error);
]],
  spec = "join",
  it = "raises the first error; later ones are suppressed",
}
