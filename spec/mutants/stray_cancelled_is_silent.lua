return {
  breaks = "Cancelled in a task that is not cancelled is a failure [E5]",
  find = [[
return task->killed || task->scope.by != AW_BY_PARENT ||
]],
  put = [[
return task->killed || true ||
]],
  spec = "error",
  it = "is stray when nothing was cancelled",
}
