-- Declares nothing global: the library and its examples use locals only.
std = "lua54"
max_line_length = 80
codes = true
files["spec"].std = "lua54+busted"
files["lua/aiowire/meta.lua"].ignore = { "21", "23", "24", "31" }
-- The head of programs, which use what it declares.
files["spec/fuzz/prelude.lua"] = { read_globals = { "PLAN" },
  ignore = { "211", "231", "241" } }
-- Functions for workers have no upvalues, and require what they use.
files["spec/threads"].ignore = { "431" }
files["spec/sweep/thread_sweep_spec.lua"].ignore = { "431" }
files["spec/tls/tls_loops_spec.lua"].ignore = { "431" }
exclude_files = { "build" }
