return {
  breaks = "A cancel reaches all scopes below the cancelled one [I8]",
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
