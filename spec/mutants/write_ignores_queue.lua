return {
  breaks = "Writes go out in their order [C10]",
  find = [[
if (queued == 0) {
    ssize_t put
]],
  put = [[
if (true) {
    ssize_t put
]],
  spec = "stream",
  it = "sends nothing before what is queued, though there is room",
}
