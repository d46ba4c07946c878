return {
  breaks = "C9: a killed task is listed in ev.stuck.",
  find = [[
lua_rawseti(L, stuck, count + 1);
]],
  put = [[
lua_pop(L, 1);
]],
  spec = "grace",
  it = "is killed when its shields outlast the grace",
}
