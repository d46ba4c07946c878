return {
  breaks = "The chain names the functions that ran, not dead ones [D3]",
  find = [[
return alive ? s->known[cell].name : NULL;
]],
  put = [[
(void)alive;
  return s->known[cell].name;
]],
  spec = "states",
  it = "never calls a function by the name of a dead one",
}
