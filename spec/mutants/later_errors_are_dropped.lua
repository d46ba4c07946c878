return {
  breaks = "Errors after the first one are suppressed by it, not lost [E3]",
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
