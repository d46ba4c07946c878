return {
  breaks = "I8: a cancel reaches the scopes below the one that was cancelled.",
  find = [[
scope = aw_scope_walk(top, scope, &depth);
  }
}
]],
  put = [[
scope = walk_past(top, scope);
  }
}
]],
  spec = "task_cancel",
  it = "cancels all below the task",
}
