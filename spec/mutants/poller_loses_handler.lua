return {
  breaks = "Q5: on_error handles a callback's failure.",
  find = [[
if not self.on_error then
    return nil
  end
]],
  put = [[
do
    return nil
  end
]],
  spec = "poller",
  it = "goes to on_error, and the source goes on",
}
