return {
  breaks = "The handler `on_error` gets the failure of a callback [Q5]",
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
