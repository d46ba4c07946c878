return {
  breaks = "A look-up that nobody wants no longer counts [X11]",
  find = [[
  } else if (l->owner && l->state == AWIO_LOOKUP_RUNNING) {
    pool.wanted--;
]],
  put = [[
  } else if (l->owner && l->state == AWIO_LOOKUP_RUNNING) {
]],
  spec = "lookup",
  it = "does not count those that are forgotten",
}
