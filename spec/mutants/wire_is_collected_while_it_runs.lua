return {
  breaks = "The values of a wire live as long as a task runs it [V1]",
  find = [[
inside && !awl_needs_lua(L, index)
]],
  put = [[
inside
]],
  spec = "gc",
  it = "leaves its body, arguments and results to the collector",
}
