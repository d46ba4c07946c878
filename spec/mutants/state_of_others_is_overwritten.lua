return {
  breaks = "A task goes on in a wire of its own; those of others stay [N2]",
  find = [[
wire && wire->refs == 1 && task->inner->eff == AW_LEVEL_NONE
]],
  put = [[
wire && task->inner->eff == AW_LEVEL_NONE
]],
  spec = "states",
  it = "is what each of two tasks runs that share their first state",
}
