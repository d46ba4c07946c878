return {
  breaks = "The virtual clock jumps to the next deadline, and no further [K6]",
  find = [[
engine->now = next;
    return AGAIN;
]],
  put = [[
engine->now = next + AW_SECOND;
    return AGAIN;
]],
  spec = "virtual_clock",
  it = "jumps to the next deadline",
}
