return {
  breaks = "A source has at most one callback in flight [Q1]",
  find = [[
if not is_object then
  return entry.w
end
]],
  put = [[
if not is_object then
  return function(ev)
    ev:start(entry.w)
  end
end
]],
  spec = "poller",
  it = "keeps no loop alive in the background",
}
