return {
  breaks = "The connections of a cancelled Serve do not see the cancel [X19]",
  find = [[:shielded(math.huge)]],
  put = [[]],
  spec = "serve_stop",
  it = "accepts nothing more, and lets its connections finish",
}
