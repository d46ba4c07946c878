return {
  breaks = "An error of a write behind is raised by a later call [W23]",
  find = [[
  if (code < 0 && !s->error)
    s->error = code;
]],
  put = "(void)code;\n",
  spec = "full_disk",
  it = "fails the flush, the sync or the close that meets it",
}
