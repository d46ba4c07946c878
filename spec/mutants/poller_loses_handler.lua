return {
  breaks = "On_error handles a callback's failure [Q5]",
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
