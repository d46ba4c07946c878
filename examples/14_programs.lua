#!/usr/bin/env aiowire
-- Other programs: into a file, through each other, on a terminal.
local aw = require "aiowire"

aw.run(function()
  -- Into a file, and more at its end. A path is for outputs only: a file to
  -- read from is a Lua file.
  local path = os.tmpname()
  aw.exec { "printf", "%s\n", "pear", "apple", "fig", stdout = path }
  aw.exec { "echo", "apple", stdout = path, append = true }
  local fruit <close> = assert(io.open(path))
  os.remove(path)

  -- A pipeline: each child gets the other side of the one before.
  local sort <close> = aw.spawn { "sort", stdin = fruit }
  local count <close> = aw.spawn { "uniq", "-c", stdin = sort.stdout }
  for line in count.stdout:lines() do
    print(line)
  end

  -- A program that wants a terminal gets one: it shows what is typed, and
  -- Ctrl-C is a key.
  local shell <close> = aw.spawn { "sh", "-c",
    "[ -t 0 ] && echo a terminal; read name; echo hello $name; exec sleep 60",
    pty = true, rows = 25, cols = 80 }
  print(shell.stdout:read())
  shell.stdin:write "Ann\n"
  print(shell.stdout:read())
  print(shell.stdout:read())
  shell.stdin:write "\3"
  print("ended by signal", shell:wait().signal)

  -- What a program leaves behind may keep its pipe open: wait for that no
  -- longer than this.
  local r = aw.exec { "sh", "-c", "sleep 1 & echo started", drain = 0.05,
    group = true }
  print(r.out)
end)
