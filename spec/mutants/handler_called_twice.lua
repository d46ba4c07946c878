return {
  breaks = "A handler is called at most once for each task [E7]",
  find = [[
if (awl_succeeded(s, status))
    handler_returned(L, task);
]],
  put = [[
lua_pushvalue(L, HANDLER);
  awl_push_loop(L, s, loop);
  lua_pushvalue(L, ERROR);
  if (lua_pcall(L, 2, 0, 0) != LUA_OK)
    lua_pop(L, 1);
  if (awl_succeeded(s, status))
    handler_returned(L, task);
]],
  spec = "handler",
  it = "is called once for a failure of a Call",
}
