return {
  breaks = "The info of an error has the traceback of its raise [E2]",
  find = [[
    else
      push_running_stacks(L, s);
]],
  put = [[
    else
      lua_pushliteral(L, "");
]],
  spec = "info",
  it = "shows the line where it was raised",
}
