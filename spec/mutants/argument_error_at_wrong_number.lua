return {
  breaks = "An argument error does not count self as an argument [API]",
  find = [[
return awl_error(L, "bad argument #%d to '%s' (%s)", arg - is_method, name,
                   why);
]],
  put = [[
return awl_error(L, "bad argument #%d to '%s' (%s)", arg, name, why);
]],
  spec = "task",
  it = "refuses other values than wires, and its loop goes on",
}
