return {
  breaks = "The leftmost of the operands that are ready wins [O5]",
  find = [[
uint32_t place = drawn ? draw_place(group) : group->begun;
]],
  put = [[
uint32_t place = drawn ? draw_place(group)
    : is_join(group) ? group->begun : group->wire->count - 1 - group->begun;
]],
  spec = "race",
  it = "has the leftmost win of those that end at the same moment",
}
