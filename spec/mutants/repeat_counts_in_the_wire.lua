return {
  breaks = "Running a wire does not change the wire [V1]",
  find = [[
return frame->u.n == AW_FOREVER || --frame->u.n > 0;
]],
  put = [[
return frame->u.n == AW_FOREVER || --frame->wire->u.one.number > 0;
]],
  spec = "wire",
  it = "may be started again after it ended",
}
