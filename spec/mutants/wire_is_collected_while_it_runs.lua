return {
  breaks = "V1: what hangs on a wire lives as long as a task runs it.",
  find = [[
inside && !awl_needs_lua(L, index)
]],
  put = [[
inside
]],
  spec = "gc",
  it = "leaves its body, arguments and results to the collector",
}
