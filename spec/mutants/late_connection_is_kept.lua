return {
  breaks = "A connection made in the pass of a cancel is closed [X10]",
  find = [[
if (!aw_task_cancelled(aw_lua_task(L, p->what))) {
]],
  put = [[
if (!aw_task_cancelled(aw_lua_task(L, p->what)) || true) {
]],
  spec = "connect_cut",
  it = "leaves no descriptor, even if it is made in the same pass",
}
