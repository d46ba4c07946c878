return {
  breaks = "The info of an error has the traceback of its raise [E2]",
  find = [[
push_stacks(L, s);
    lua_setfield(L, 3, "traceback");
]],
  put = [[
lua_pushliteral(L, "");
    lua_setfield(L, 3, "traceback");
]],
  spec = "info",
  it = "shows the line where it was raised",
}
