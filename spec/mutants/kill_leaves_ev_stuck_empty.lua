return {
  breaks = "A killed task is listed in ev.stuck [C9]",
  find = [[
lua_rawseti(L, stuck, count + 1);
]],
  put = [[
lua_pop(L, 1);
]],
  spec = "grace",
  it = "is killed when its shields outlast the grace",
}
