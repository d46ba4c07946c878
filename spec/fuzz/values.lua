--- The grammar of small values: numbers, options, names, Lua values.
return {
  seconds = { "4* 0", "3* 0.001", "3* 0.003", "0.01", "1* -1" },
  -- For waits that nothing cuts short.
  short = { "0", "0.001", "0.003" },
  count = { "0", "1", "2", "3" },
  file_mode = { "'w+'", "'a+'", "'r+'", "'r'", "'w'" },
  flags = { [["r"]], [["w"]], [["rw"]] },
  name = { "'127.1'", "'localhost'", "'a.invalid'", "'b.invalid'", "<value>" },
  signal = { [["WINCH"]], [["URG"]] },
  reason = { "3* nil", [[2* "why"]], "<shape>", "<error>", "<task>" },
  value = { "3* 1", "nil", [["x"]], "{}", "<shape>", "<error>", "<task>",
    "<function_>", "<any>" },
  options = { "5* nil", "{ background = true }", [[{ name = "n" }]],
    "{ grace = <short> }", "1* <shape>" },
  loop_options = { "5* timeout = 0.02, grace = 0.005",
    "timeout = 0.005, grace = 0.001", "timeout = 0.02, grace = 0.005, seed = 1",
    [[<virtual> timeout = 0.05, grace = 0.005, clock = "virtual"]] },

  -- Switches without a text. <virtual> marks productions that need a virtual
  -- clock, <real> those that might wait for ever under one.
  virtual = { "" },
  real = { "" },
}
