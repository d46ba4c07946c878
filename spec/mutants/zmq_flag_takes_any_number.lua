return {
  breaks = "An option that is a flag takes 0, 1 or a boolean [zmq]",
  find = [[
if (lua_type(L, 3) != LUA_TNUMBER || !is_integer || value < 0 || value > 1)
    bad_value(L, o, "boolean");
]],
  put = [[
if (lua_type(L, 3) != LUA_TNUMBER || !is_integer)
    bad_value(L, o, "boolean");
]],
  spec = "zmq_options",
  it = "with a bad value is refused, and stays as it was",
}
