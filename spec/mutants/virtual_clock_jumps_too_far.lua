return {
  breaks = "K6: the virtual clock jumps to the next deadline, and no further.",
  find = [[
engine->now = next;
    return AGAIN;
]],
  put = [[
engine->now = next + 1000;
    return AGAIN;
]],
  spec = "virtual_clock",
  it = "jumps to the next deadline",
}
