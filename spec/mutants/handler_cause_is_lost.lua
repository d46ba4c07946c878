return {
  breaks = "An error of a handler has the first error as its cause [E8]",
  find = [[
set_cause(L, lua_gettop(L), ERROR);
]],
  put = [[

]],
  spec = "handler",
  it = "leaves run as it is",
}
