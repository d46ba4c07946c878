return {
  breaks = "An error names a line of the user, not of the library [E4]",
  find = [[
return ar->currentline >= 0 && !awl_is_ours(ar);
]],
  put = [[
return ar->currentline >= 0;
]],
  spec = "error_place",
  it = "of aw.exec has the caller's line, not one of the library",
}
