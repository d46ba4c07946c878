-- What a program answers to those who look into it [D40-D44].

local looked_into = require "spec.support.looked_into"
local process = require "spec.support.process"

local place_of, writes = looked_into.place_of, looked_into.writes

describe("the table of tasks", function()
  it("has the name, the wait and the place of each task [D43]", function()
    local script = [[
local path = aw.inspect()
local function body() -- BODY
  aw.sleep(60) -- WAIT
end
aw.start(body, nil, { background = true }) -- START
aw.start(aw.Sleep(50):named "sl\teep", nil, { background = true })
aw.yield()
local list = ask(path, "tasks")
local e = list[1]
say(e.kind, e.id, e.name, e.answer, e.busy_for)
local t = find(list, { name = "^function@" })
say(t.engine, t.name, t.state, t.waits:match "^sleep 60.0", t.started, t.at)
t = find(list, { name = "^sl" })
say(("%q"):format(t.name), t.state, t.at, t.steps)
say(#list)
]]
    writes(("engine 1 s.lua live 0\n"
      .. "1 function@%s waiting sleep 60.0 %s %s\n"
      .. '"sl\\9eep" waiting nil 0\n4\n'):format(place_of(script, "BODY"),
        place_of(script, "START"), place_of(script, "WAIT")), script)
  end)

  it("lists parents before their children [D43]", function()
    writes("true true\n", [[
local path = aw.inspect()
aw.start(aw.All { aw.Sleep(60):named "a", aw.Sleep(60):named "b" }, nil,
  { name = "parent", background = true })
aw.yield()
local list = ask(path, "tasks")
local parent, at = find(list, { name = "^parent$" }), {}
for i, r in ipairs(list) do
  at[r.name] = i
end
local a = find(list, { name = "^a$" })
say(a.parent == parent.id, at.parent < at.a)
]])
  end)

  it("tells the tasks of an EventLoop with a clock of its own apart [D43]",
    function()
      writes("1 2:1\n", [[
local path = aw.inspect()
local id, other
local ev = aw.EventLoop { clock = "virtual" }
ev:start(function()
  local list = ask(path, "tasks")
  id = find(list, { name = "^main$" }).id
  other = find(list, { name = "^inner$" }).id
end, nil, { name = "inner" })
ev:run()
say(id, other)
]])
    end)

  it("tells what tasks have cost, and their steps [D43]", function()
    writes("true true 3 true\n", [[
local path = aw.inspect()
aw.start(function()
  for _ = 1, 3 do
    aw.sleep(0.001)
  end
  aw.sleep(60)
end, nil, { name = "sleeper", background = true })
local t
repeat
  aw.yield()
  local list = ask(path, "tasks")
  t = find(list, { name = "^sleeper$" })
until t.waits and t.waits:find "^sleep 60"
local busy, longest = tonumber(t.busy), tonumber(t.longest)
say(busy >= longest, longest > 0, tonumber(t.steps) - 1,
  tonumber(t.since) <= tonumber(t.age))
]])
  end)

  it("warns of those that starve others, and swallow cancels [D43]", function()
    writes("starves nil\nswallows true\n", [[
local path = aw.inspect()
aw.start(function()
  local began = os.clock()
  repeat until os.clock() > began + 0.15
  aw.sleep(60)
end, nil, { name = "long", background = true })
local deaf = aw.start(function()
  pcall(aw.sleep, 60)
  pcall(aw.sleep, 60)
  aw.shield(function()
    aw.sleep(60)
  end, 60)
end, nil, { name = "deaf", background = true })
aw.yield()
deaf:cancel()
aw.yield()
aw.yield()
local list = ask(path, "tasks")
local t = find(list, { name = "^long$" })
say(t.warn, t.cancelled)
t = find(list, { name = "^deaf$" })
say(t.warn, tonumber(t.cancelled) > 0)
]])
  end)

  it("ends with the number of the tasks that are too many [D43]", function()
    writes("20001 20002 1002\n", [[
local path = aw.inspect()
aw.run(function(ev)
  for i = 1, 21000 do
    ev:start(aw.Sleep(60), nil, { background = true })
  end
  local list = ask(path, "tasks")
  local last = list[#list]
  say(#list - 1, #list, last.kind == "more" and last.tasks)
end)
]])
  end)
end)

describe("a body that is busy", function()
  -- A worker asks as soon as the body is busy, and ends it by the file "done".
  local worker = [[
local path = aw.inspect()
local function begun()
  io.open("busy", "w"):close()
end
local asker = aw.thread(function(path, request)
  local aw = require "aiowire"
  local client = require "client"
  repeat
    aw.sleep(0.005)
  until io.open "busy"
  local list = client.ask(path, request)
  io.open("done", "w"):close()
  return list
end, path, arg[1] or "tasks")
]]

  it("answers with its line, and goes on [D41]", function()
    local script = worker .. [[
aw.start(function()
  begun()
  while not io.open "done" do -- BUSY
  end
  say "went on"
end, nil, { name = "busy" })
local list = asker:wait()
local t = find(list, { name = "^busy$" })
say(list[1].answer, tonumber(list[1].busy_for) > 0, list[1]["in"] == t.id,
  t.state, t.at)
]]
    writes(("went on\nhook true true running %s\n"):format(
      place_of(script, "BUSY")), script)
  end)

  it("keeps the debug hook of the user [D41]", function()
    writes("true\n", worker .. [[
local function hook() end
debug.sethook(hook, "l")
begun()
while not exists "done" do
end
local kept = debug.gethook()
debug.sethook()
say(kept == hook)
]])
  end)

  it("answers in the run of another engine, too [D41]", function()
    local script = worker .. [[
local ev = aw.EventLoop { clock = "virtual" }
ev:start(function()
  begun()
  while not io.open "done" do -- BUSY
  end
end, nil, { name = "busy" })
ev:run() -- RUN
local list = asker:wait()
local t = find(list, { name = "^busy$" })
say(list[1].answer, t.id, t.state, t.at)
t = find(list, { name = "^main$" })
say(t.state, t.at)
]]
    writes(("hook 2:1 running %s\nrunning %s\n"):format(
      place_of(script, "BUSY"), place_of(script, "RUN")), script)
  end)

  it("answers in the handler of an error [D41]", function()
    writes("hook\n", worker .. [[
aw.run(function(ev)
  ev:start(function() error "oops" end, function()
    begun()
    while not exists "done" do
    end
  end)
end)
say(asker:wait()[1].answer)
]])
  end)

  it("leaves others to the old table while it is in C [D41]", function()
    writes("live sleeper\nold true sleeper\n", [[
local path = aw.inspect()
aw.start(aw.Sleep(60), nil, { name = "sleeper", background = true })
aw.yield()
local asker = aw.thread(function(path)
  local aw = require "aiowire"
  local client = require "client"
  local first = client.ask(path, "tasks")
  aw.parent:send(first)
  aw.parent:recv()
  local second
  repeat
    second = client.ask_once(path, "tasks")
  until second[1].answer == "old"
  io.open("done", "w"):close()
  return second
end, path)
local first = asker:recv()
say(first[1].answer, find(first, { name = "sleeper" }).name)
asker:send "go on"
os.execute "while [ ! -e done ]; do sleep 0.02; done"
local second = asker:wait()
say(second[1].answer, tonumber(second[1].busy_for) >= 500000000,
  find(second, { name = "sleeper" }).name)
]])
  end)

  it("answers between two steps if its own one ends in time [D41]", function()
    writes("live\n", [[
local path = aw.inspect()
local asker = aw.thread(function(path)
  return require "client".ask(path, "tasks")[1].answer
end, path)
os.execute "sleep 0.4"
say(asker:wait())
]])
  end)

  it("prints the dump for those who ask for it [D43]", function()
    local script = worker .. [[
aw.start(function()
  begun()
  while not io.open "done" do -- BUSY
  end
end, nil, { name = "busy" })
local list = asker:wait()
say(find(list, { kind = "line", text = "busy at" }).text:match "busy at.*")
]]
    writes(("busy at %s\n"):format(place_of(script, "BUSY")), script,
      "exec $aiowire s.lua dump")
  end)
end)

describe("a state in which no loop runs", function()
  it("says so [D41]", function()
    local outcome = looked_into.run([[
local path = aw.inspect()
os.execute("$AIOWIRE ask.lua " .. path)
]], [[
cat >ask.lua <<'END'
local list = require "client".ask(arg[1], "tasks")
print(#list, list[1].answer, list[1].name)
END
exec $lua s.lua]])
    if process.sanitized then
      pending "a stock lua5.4 cannot load a module with sanitizers"
    end
    process.assert_outcome("1\tidle\ts.lua\n", 0, outcome)
  end)
end)

describe("a worker", function()
  it("is inspected with the program that has started it [D40]", function()
    writes("2 true true live sleeping\n", [[
local path = aw.inspect()
local worker = aw.thread(function()
  local aw = require "aiowire"
  aw.parent:send "ready"
  aw.run(aw.Sleep(60):named "sleeping")
end)
worker:recv()
local list, t
repeat
  list = ask(path, "tasks")
  t = find(list, { engine = "2", name = "^sleeping$" })
until t
local e = find(list, { kind = "engine", id = "2" })
say(e.id, e.name:find "s.lua" ~= nil, e.tid ~= list[1].tid, e.answer, t.name)
worker:cancel()
]])
  end)

  it("is not in the answers any more once it has ended [D40]", function()
    writes("1\n", [[
local path = aw.inspect()
aw.thread(function() end):wait()
local engines = 0
for _, r in ipairs(ask(path, "tasks")) do
  engines = engines + (r.kind == "engine" and 1 or 0)
end
say(engines)
]])
  end)
end)

describe("a finalizer", function()
  it("may end the inspection while an answer is made [D40]", function()
    writes("done\n", [[
local asker = aw.thread(function()
  local aw = require "aiowire"
  local client = require "client"
  local path = aw.inspect()
  for _ = 1, 30 do
    client.ask_once(path, "tasks")
  end
  client.ask_once(path, "graph")
end)
for _ = 1, 50 do
  aw.start(aw.Sleep(60), nil, { background = true })
end
local ended = false
local function leave()
  aw.inspect(false)
  if not ended then
    setmetatable({}, { __gc = leave })
  end
end
collectgarbage("incremental", 1, 1000)
leave()
aw.start(function()
  asker:wait()
  ended = true
end)
while not ended do
  aw.inspect()
  aw.sleep(0)
end
say "done"
]])
  end)
end)

describe("a clock that is virtual", function()
  it("stands still while an answer is made [D41]", function()
    writes("0.0 live\n", [[
local path = aw.inspect()
local ev = aw.EventLoop { clock = "virtual" }
ev:start(function()
  local before = aw.now()
  local list = ask(path, "tasks")
  say(aw.now() - before, list[1].answer)
end)
ev:run()
]])
  end)
end)
