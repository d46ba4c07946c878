return {
  breaks = "`inner` is the scope of the topmost frame that has one [I10]",
  find = [[
task->inner = scope->parent;
  if (task->inner->eff == AW_LEVEL_NONE)
]],
  put = [[
if (task->inner->eff == AW_LEVEL_NONE)
]],
  spec = "scope_cancel",
  it = "absorbs it when only itself is cancelled",
}
