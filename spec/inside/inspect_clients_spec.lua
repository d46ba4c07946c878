-- Clients that look into a program: who may, what they may send, and that
-- nobody waits for them [D42-D44].

local helper = require "spec.support.helper"
local looked_into = require "spec.support.looked_into"
local process = require "spec.support.process"

local writes = looked_into.writes

describe("the protocol", function()
  it("answers several requests of one connection, in order [D43]", function()
    writes("engine task engine line\n", [[
local c <close> = connect(aw.inspect())
c.stream:write "tasks\ndump\n"
local table, dump = c:records(), c:records()
say(table[1].kind, table[2].kind, dump[1].kind, dump[2].kind)
]])
  end)

  it("takes lines that end with CR and LF [D43]", function()
    writes("engine\n", [[
local c <close> = connect(aw.inspect())
say(c:ask "tasks\r"[1].kind)
]])
  end)

  it("tells which requests there are [D43]", function()
    writes("tasks dump events [n] graph [mermaid dot] help quit\n", [[
local names = {}
for i, r in ipairs(ask(aw.inspect(), "help")) do
  names[i] = r.request
end
say(table.concat(names, " "))
]])
  end)

  it("goes on after a wrong request [D43]", function()
    writes("unknown request; ask for help\nbad argument; ask for help\n"
      .. "bad argument; ask for help\nunknown request; ask for help\nengine\n",
      [[
local c <close> = connect(aw.inspect())
for _, request in ipairs { "cancel 1", "tasks 1", "graph svg", "\0\1\255" } do
  local r = c:ask(request)[1]
  say(r.kind == "error" and r.message)
end
say(c:ask "tasks"[1].kind)
]])
  end)

  it("ends with quit, and with the end of the requests [D43]", function()
    writes("nil\nengine nil\n", [[
local path = aw.inspect()
local c <close> = connect(path)
c.stream:write "quit\n"
say(c.stream:read "l")
local d <close> = connect(path)
d.stream:write "tasks\n"
d.stream:shutdown()
say(d:records()[1].kind, d.stream:read "l")
]])
  end)

  it("says why a state has no answer [D43]", function()
    writes("1 error 1 true\n", [[
local list = ask(aw.inspect(), "events 5")
say(list[1].id, list[2].kind, list[2].engine, #list[2].message > 0)
]])
  end)

  it("closes a client whose line is too long, and serves others [D44]",
    function()
      writes("error a request is at most 255 bytes long\nengine\n", [[
local path = aw.inspect()
local c <close> = connect(path)
c.stream:write(("x"):rep(256))
local list = c:records()
say(list[1].kind, list[1].message)
aw.pcall(function()
  for _ = 1, 1000 do
    c.stream:write(("x"):rep(65536))
  end
end)
say(ask(path, "tasks")[1].kind)
]])
    end)
end)

describe("a client that does not read", function()
  it("holds up neither the program nor other clients [D44]", function()
    writes("true engine\n", [[
local path = aw.inspect()
for _ = 1, 500 do
  aw.start(aw.Sleep(60), nil, { name = ("x"):rep(50), background = true })
end
local stalled <close> = aw.unix.connect(path)
for _ = 1, 100 do
  stalled:write "tasks\n"
end
local steps = 0
for _ = 1, 10 do
  aw.sleep(0.01)
  steps = steps + 1
end
say(steps == 10, ask(path, "tasks")[1].kind)
]])
  end)

  it("is closed after ten seconds, as one with half a request is [D44]",
    function()
      writes("nil\nclosed\n", [[
local path = aw.inspect()
for _ = 1, 5000 do
  aw.start(aw.Sleep(60), nil, { name = ("x"):rep(50), background = true })
end
local half <close> = connect(path)
local stalled <close> = aw.unix.connect(path)
for _ = 1, 10 do
  stalled:write "tasks\n"
end
half.stream:write "tas"
say(half.stream:read "l")
repeat -- the server reads none of this, so it is no progress
  aw.sleep(0.1)
until not aw.pcall(function()
  stalled:write "help\n"
  stalled:flush()
end)
say "closed"
]])
    end)
end)

describe("many clients", function()
  it("are served up to eight, and others are told so [D44]", function()
    writes("8 92 too many clients\n8\n", [[
local path = aw.inspect()
local clients, served, refused, why = {}, 0, 0, nil
for i = 1, 100 do
  clients[i] = connect(path)
end
for i, c in ipairs(clients) do
  local first = (i <= 8 and c:ask "tasks" or c:records())[1]
  if first.kind == "engine" then
    served = served + 1
  else
    refused, why = refused + 1, first.message
  end
end
for _, c in ipairs(clients) do
  c.stream:close()
end
say(served, refused, why)
served = 0
for _ = 1, 8 do
  served = served + (ask(path, "tasks")[1].kind == "engine" and 1 or 0)
end
say(served)
]])
  end)

  it("get an answer each when they ask at once [D44]", function()
    writes("8\n", [[
local path = aw.inspect()
local answers = 0
aw.run(function(ev)
  for _ = 1, 8 do
    ev:start(function()
      local list = ask(path, "tasks")
      answers = answers + (list[1].kind == "engine" and 1 or 0)
    end)
  end
end)
say(answers)
]])
  end)
end)

describe("a stranger", function()
  it("gets no answer, whatever the modes are [D42]", function()
    if not os.execute "test $(id -u) = 0 && command -v setpriv >/dev/null" then
      helper.pending "only root can be somebody else"
    end
    local outcome = looked_into.run([[
local path = aw.inspect()
local out = aw.exec({ "setpriv", "--reuid=65534", "--clear-groups",
  os.getenv "AIOWIRE", "stranger.lua", path }, { check = false }).out
io.write("closed: ", out)
os.execute("chmod 755 . aiowire; chmod 666 " .. path)
out = aw.exec({ "setpriv", "--reuid=65534", "--clear-groups",
  os.getenv "AIOWIRE", "stranger.lua", path }, { check = false }).out
io.write("open: ", out)
say(ask(path, "tasks")[1].kind)
]], [[
cat >stranger.lua <<'END'
local aw = require "aiowire"
local ok, stream = aw.pcall(aw.unix.connect, arg[1])
print(ok and tostring(stream:read "l") or stream.code)
END
chmod 755 . && chmod 644 stranger.lua && exec $aiowire s.lua]])
    if outcome.out:find "^closed: \nopen: \n" then
      helper.pending "another user cannot run the program here"
    end
    process.assert_outcome("closed: EACCES\nopen: nil\nengine\n", 0, outcome)
  end)
end)
