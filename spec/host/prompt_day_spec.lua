-- A day at the prompt: what one person does in one session, and in the next.

local folder = require "spec.support.folder"
local helper = require "spec.support.helper"
local process = require "spec.support.process"
local terminal = require "spec.support.terminal"
local texts = require "spec.support.texts"

local contains, lacks = texts.contains, texts.lacks

--- Enter several lines that are one statement.
local function enter(t, ...)
  local lines = { ... }
  t:prompt()
  for i, line in ipairs(lines) do
    t:line(line)
    t:prompt(i < #lines and terminal.MORE or terminal.PROMPT)
  end
end

--- Starts a server, a task with a name, which answers lines.
local function start_server(t)
  enter(t, "function serve(client)",
    "  for line in client:lines() do",
    "    if line == 'die' then error('the ser' .. 'ver died') end",
    "    print('hea' .. 'rd ' .. line)",
    "    client:write('echo ', line, '\\n')",
    "  end",
    "end")
  t:eval "server = aw.tcp.listen('127.0.0.1', 0)"
  t:eval("acceptor = aw.start(aw.Wire(function() while true do "
    .. "local client <close> = server:accept(); serve(client) end end)"
    .. ":named 'acceptor')")
  contains(t:eval ".tasks", "acceptor")
  contains(t:eval ".tree", "acceptor")
end

local function talk_to_it(t)
  t:eval "c = aw.tcp.connect('127.0.0.1', select(2, server:name()))"
  local text = t:eval "c:write('one\\n'):read()"
  contains(text, "heard one\n")
  contains(text, "echo one\n")
  t:eval "ask = function(what) c:write(what, '\\n') return c:read() end"
  contains(t:eval "ask 'two'", "echo two\n")
end

local function cancel_a_line(t)
  t:prompt()
  t:line "print('wai' .. 'ting'); c:read()"
  t:expect "waiting"
  t:mark(1)
  t:key "ctrl-c"
  t:prompt()
  contains(t:eval "ask 'three'", "echo three\n")
end

--- The server prints while a line is half typed.
local function type_while_it_prints(t)
  t:eval("aw.start(function() while not io.open 'go' do aw.sleep(0.001) end "
    .. "c:write 'four\\n' end)")
  t:prompt()
  t:mark()
  t:send "c:read() .. "
  t:prompt "> c:read() .. "
  t.folder:file("go", "")
  t:expect "heard four"
  t:prompt "> c:read() .. "
  t:send "'!'\r"
  t:expect "echo four!\n"
  t:prompt()
end

local function make_it_fail(t)
  t:prompt()
  t:line "c:write 'die\\n'"
  t:expect "the server died"
  t:prompt()
  lacks(t:eval ".tasks", "acceptor")
  assert.are.equal("failed\n", t:eval "acceptor.status")
end

local function deadlock(t)
  contains(t:eval "aw.channel():recv()", "eadlock")
end

local function complete(t)
  t:prompt()
  t:send "serv"
  t:prompt "> serv"
  t:key "tab"
  t:prompt "> serve"
  t:send "r:clo"
  t:prompt "> server:clo"
  t:key "tab"
  t:prompt "> server:close"
  t:mark(1)
  t:key "ctrl-c"
  t:prompt()
end

local function resize(t)
  t:prompt()
  t:send "10 + "
  t:prompt "> 10 + "
  t:resize(30, 100)
  t:send "20"
  t:prompt "> 10 + 20"
  t:mark(1)
  t:key "enter"
  t:expect "30\n"
  t:prompt()
end

local function leave(t)
  t:eval("aw.start(function() local _ <close> = setmetatable({}, {__close = "
    .. "function() aw.shield(function() aw.sleep(0.01) end); "
    .. "print('swe' .. 'pt') end}); "
    .. "aw.sleep(600) end); aw.yield(); aw.yield()")
  t:prompt()
  t:key "ctrl-d"
  assert.are.same({ ok = true, code = 0 }, t:wait())
  contains(t:text(), "swept")
end

describe("a day at the prompt", function()
  it("has a morning and an afternoon [R31]", function()
    if not terminal.has_libedit then
      helper.pending "libedit is not installed"
    end
    helper.run(function()
      local place <close> = folder.new()
      do
        local t <close> = terminal.open { folder = place }
        start_server(t)
        talk_to_it(t)
        cancel_a_line(t)
        type_while_it_prints(t)
        make_it_fail(t)
        deadlock(t)
        complete(t)
        resize(t)
        leave(t)
      end
      local t <close> = terminal.open { folder = place }
      t:prompt()
      t:key("up", "up")
      t:prompt "> 10 + 20"
      t:key "enter"
      t:expect "30\n"
      t:prompt()
      t:key "ctrl-d"
      assert.are.same({ ok = true, code = 0 }, t:wait())
      assert.are.equal("", process.read(place.path .. "/core"))
    end)
  end)
end)
