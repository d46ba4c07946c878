#!/usr/bin/env aiowire
-- Other programs: output to a file, a pipeline, a terminal.
local aw = require "aiowire"

aw.run(function()
  -- Write to a file, then append to it. Only outputs take a path; to read from
  -- a file, pass a Lua file.
  local path = os.tmpname()
  aw.exec { "printf", "%s\n", "pear", "apple", "fig", stdout = path }
  aw.exec { "echo", "apple", stdout = path, append = true }
  local fruit <close> = assert(io.open(path))
  os.remove(path)

  -- A pipeline: each program reads the output of the one before.
  io.write(aw.pipeline({ "sort" }, { "uniq", "-c" }, { stdin = fruit }).out)

  -- A program on a terminal of its own: the terminal echoes input, and Ctrl-C
  -- is a key.
  local shell <close> = aw.spawn { "sh", "-c",
    "[ -t 0 ] && echo a terminal; read name; echo hello $name; exec sleep 60",
    pty = true, rows = 25, cols = 80 }
  print(shell.stdout:read())
  shell.stdin:write "Ann\n"
  print(shell.stdout:read())
  print(shell.stdout:read())
  shell.stdin:write "\3"
  print("ended by signal", shell:wait().signal)

  -- A program may leave a process behind that keeps the pipe open: `drain`
  -- limits the wait for the end of the pipe.
  local r = aw.exec { "sh", "-c", "sleep 1 & echo started", drain = 0.05,
    group = true }
  print(r.out)
end)
