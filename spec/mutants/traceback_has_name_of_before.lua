return {
  breaks = "The traceback of a stack seen before has the name of then [E2]",
  find = [[
return ar->name == level->name && ar->namewhat == level->what;
]],
  put = [[
return ar->name != NULL && ar->namewhat != NULL;
]],
  spec = "info",
  it = "has the name by which its function is called now",
}
