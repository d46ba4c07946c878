return {
  breaks = "Unregister ends the wait of its source [Q5]",
  find = [[
this.sources[src] = nil
  this.count = this.count - 1
  if this.run then
    unwatch(this.run, entry)
  end
]],
  put = [[
this.sources[src] = nil
  this.count = this.count - 1
]],
  spec = "poller",
  it = "end their wait at once when unregistered",
}
