return {
  breaks = "The end of a stream is nil [API]",
  find = [[
return p->take > 0 ? FOUND : NOTHING;
]],
  put = [[
return FOUND;
]],
  spec = "stream",
  it = "reads several formats at once, up to the first nil",
}
