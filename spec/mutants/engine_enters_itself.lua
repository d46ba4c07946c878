return {
  breaks = "aw_next() is not entered from inside itself [I6]",
  find = [[
if (engine->inside || aw__step_with_host(engine->current))
    return AW_EBUSY;
]],
  put = "",
  spec = "loop_test",
}
