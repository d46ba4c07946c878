return {
  breaks = "An object lives as long as a task waits for it [C9]",
  find = [[
void awl_anchor_object(lua_State *L, awl_worker *w) {
  if (!w->state->installed)
    awl_anchor_wait(L, w);
}
]],
  put = [[
void awl_anchor_object(lua_State *L, awl_worker *w) {
  (void)L;
  (void)w;
}
]],
  spec = "parked_coroutine",
  it = "keeps what it waits for when it is closed",
}
