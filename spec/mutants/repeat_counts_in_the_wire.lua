return {
  breaks = "V1: running a wire does not change it (U3).",
  find = [[
return frame->u.n == AW_FOREVER || --frame->u.n > 0;
]],
  put = [[
return frame->u.n == AW_FOREVER || --frame->wire->u.unary.number > 0;
]],
  spec = "wire",
  it = "may be started again after it ended",
}
