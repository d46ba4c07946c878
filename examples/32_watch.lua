#!/usr/bin/env aiowire
-- Run a command, and run it again each time that a file in a folder changes.
--
--   aiowire examples/32_watch.lua src make -s     until Ctrl-C
--   aiowire examples/32_watch.lua                 shows it with a folder of its
--                                                 own
--
-- An editor that saves a file makes several events, and a checkout of git makes
-- thousands. So the first event begins a wait until all has been quiet for a
-- moment, and then the command runs once. Events that come while it runs are
-- not lost: they wait in the kernel. The command must not write into the
-- folder, or it would run for ever.
local aw = require "aiowire"

local QUIET <const> = 0.1 -- seconds

--- Wait for a change, and then until it is quiet. Returns the paths that have
--- changed, each once; nil: the watch is closed.
local function await_changes(watch)
  local paths, known = {}, {}
  local event = watch:recv()
  if not event then
    return nil
  end
  while event do
    if not known[event.path] then
      known[event.path] = true
      paths[#paths + 1] = event.path
    end
    event = aw.await(aw.Recv(watch) | aw.Sleep(QUIET))
  end
  return paths
end

--- Run the command now and after each change, and call `built(result, paths)`.
local function rebuild(folder, command, built)
  local watch <close> = aw.fs.watch(folder, { recursive = true })
  local paths = {}
  while paths do
    built(aw.exec(command), paths)
    paths = await_changes(watch)
  end
end

local function report(result, paths)
  if #paths > 0 then
    print(("%d changed, such as %s"):format(#paths, paths[1]))
  end
  io.write(result.out, result.err)
  print(result.ok and "-- built" or "-- failed")
end

-- The rest shows it: an editor saves files, and looks at what was built.

--- Replace a file at once, as editors do: nobody ever sees half of it.
local function save(path, text)
  local file <close> = assert(io.open(path .. "~", "w"))
  file:write(text)
  file:close()
  assert(os.rename(path .. "~", path))
end

local function show()
  local folder = aw.exec("mktemp", "-d").out:match "%C+"
  local results <const> = aw.channel(math.huge)
  aw.scope(function(s)
    s:start(function()
      local command = { "sh", "-c", "cat *.txt", cwd = folder }
      rebuild(folder, command, function(result)
        results:send(result)
      end)
    end)
    results:recv() -- nothing to build yet
    for version = 1, 3 do
      for _, name in ipairs { "a", "b", "c" } do
        save(("%s/%s.txt"):format(folder, name), name .. version .. " ")
      end
      local whole = ("a%d b%d c%d "):format(version, version, version)
      repeat -- a busy machine may build twice
        local result = results:recv()
      until result.out == whole
      print("built", whole)
    end
    s:cancel()
  end)
  aw.exec("rm", "-r", folder)
end

if arg and arg[1] then
  if not arg[2] then
    io.stderr:write "usage: 32_watch.lua FOLDER COMMAND [ARGUMENT...]\n"
    os.exit(2)
  end
  aw.run(function()
    rebuild(arg[1], table.move(arg, 2, #arg, 1, {}), report)
  end)
else
  aw.run(show)
end
