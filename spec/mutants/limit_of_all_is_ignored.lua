return {
  breaks = "`All{limit=n}` runs at most n operands at once [O6]",
  find = [[
return wire->limit == 0 || scope->children < wire->limit;
]],
  put = [[
return wire->limit == 0 || scope->children <= wire->limit;
]],
  spec = "join",
  it = "runs no more than n at once, in order",
}
