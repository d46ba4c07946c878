return {
  breaks = "The leftmost operand that is ready wins [O5]",
  find = [[
uint32_t place = group->kind->next ? group->kind->next(group) : group->begun;
]],
  put = [[
uint32_t place = group->kind->next ? group->kind->next(group)
    : group->kind->competes ? group->wire->count - 1 - group->begun
    : group->begun;
]],
  spec = "race",
  it = "has the leftmost win of those that end at the same moment",
}
