return {
  breaks = "What an element spins off belongs to the innermost scope [O2]",
  find = [[
return aw_scope_start(task->inner, next, &config, NULL);
]],
  put = [[
return aw_scope_start(&task->loop->root, next, &config, NULL);
]],
  spec = "spin_off",
  it = "belongs to the innermost scope",
}
