return {
  breaks = "No error shows a secret [M8]",
  find = [[
return option == AWZ_PLAIN_PASSWORD || option == AWZ_CURVE_PUBLICKEY ||
]],
  put = [[
return option == AWZ_CURVE_PUBLICKEY ||
]],
  spec = "zmq_keys",
  it = "does not show it",
}
