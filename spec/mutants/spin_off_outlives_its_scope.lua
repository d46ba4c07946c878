return {
  breaks = "A spun-off wire belongs to the innermost scope [N5]",
  find = [[
return aw_scope_start(task->inner, next, &config, NULL);
]],
  put = [[
return aw_scope_start(&task->loop->root, next, &config, NULL);
]],
  spec = "spin_off",
  it = "belongs to the innermost scope",
}
