return {
  breaks = "A killed task runs its __close handlers [C9]",
  find = [[
s->closing_worker = true;
  lua_resetthread(w->co);
]],
  put = [[
s->closing_worker = true;
]],
  spec = "grace",
  it = "is killed after 1,000 Cancelled and its",
}
