return {
  breaks = "An object lives as long as a task waits for it [C9]",
  find = [[
int top = lua_gettop(L);
  if (top > 0)
    anchor_value(L, w, 1, 1);
]],
  put = [[
int top = 0;
  if (top > 0)
    anchor_value(L, w, 1, 1);
]],
  spec = "parked_coroutine",
  it = "keeps what it waits for when it is closed",
}
