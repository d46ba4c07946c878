-- aiowire --graph=FILE, and .graph in the prompt [D36].

local process = require "spec.support.process"
local texts = require "spec.support.texts"

local assert_exit, assert_outcome = process.assert_exit, process.assert_outcome
local contains, lacks = texts.contains, texts.lacks

local NAP <const> = 'flowchart LR\n  w1(["sleep 1 s"])\n'

--- Draw a script on standard output.
local function draw(script, options)
  return process.run(("exec $aiowire --graph=- %s s.lua"):format(options or ""),
    { ["s.lua"] = 'local aw = require "aiowire"\n' .. script })
end

describe("aiowire --graph", function()
  for what, script in pairs {
    ["the wire that a script returns"] = "return aw.Sleep(1)",
    ["a wire that it awaits"] = "aw.await(aw.Sleep(1)) print 'on'",
    ["a wire that it runs"] = "aw.run(aw.Sleep(1)) print 'on'",
    ["the one task that it starts"] = "aw.start(aw.Sleep(1))",
    ["that of a loop that it runs"] = [[
      local ev = aw.EventLoop()
      ev:start(aw.Sleep(1))
      ev:run()
      print "on"]],
    ["that of a loop that it closes"] = [[
      local ev <close> = aw.EventLoop()
      ev:start(aw.Sleep(1))]],
    ["that of a loop with a clock of its own"] = [[
      local ev <close> = aw.EventLoop { clock = "virtual" }
      ev:start(aw.Sleep(1))]],
    ["that of a loop that nobody runs"] = [[
      local ev = aw.EventLoop()
      ev:start(aw.Sleep(1))]],
    ["what a coroutine awaits"] = [[
      coroutine.wrap(function() aw.await(aw.Sleep(1)) end)()
      print "on"]],
    ["what a module awaits"] = [[
      package.preload.m = function() aw.await(aw.Sleep(1)) end
      require "m"
      print "on"]],
  } do
    it("draws " .. what .. " [D36]", function()
      local outcome = draw(script)
      assert_outcome(NAP, 0, outcome)
      assert.are.equal("", outcome.err)
    end)
  end

  it("runs nothing that the script starts [D36]", function()
    local outcome = draw [[
      local function body() print "runs" end
      aw.start(body)
      aw.start(aw.Wire(body):named "other")
      pcall(aw.exec, "touch", "made")
      io.open("made"):close()]]
    assert_exit(0, outcome)
    lacks(outcome.out, "runs")
    contains(outcome.out, '"body<br/>task 3, ready"')
    assert.are.equal("", outcome.err)
  end)

  it("draws what it returns beside what it starts [D36]", function()
    local outcome = draw [[
      aw.start(aw.Sleep(1))
      return aw.Sleep(2) >> aw.Sleep(3)]]
    assert_exit(0, outcome)
    for _, text in ipairs { '["main"]', "sleep 1 s", "sleep 2 s", "sleep 3 s" }
    do
      contains(outcome.out, text)
    end
  end)

  it("closes what the script has opened [D36]", function()
    local outcome = process.run("$aiowire --graph=- s.lua >out && cat kept", {
      ["s.lua"] = [[
        local aw = require "aiowire"
        local file <close> = io.open("kept", "w")
        setmetatable({}, { __gc = function() print "collected" end })
        file:write "all of it"
        aw.sleep(1)]] })
    assert_outcome("all of it", 0, outcome)
  end)

  it("draws the script, not the options before it [D36]", function()
    assert_outcome("first\n" .. NAP, 0,
      process.run("exec $aiowire --graph=- -e 'print \"first\"' s.lua",
        { ["s.lua"] = 'return require "aiowire".Sleep(1)' }))
    assert_outcome("first\n" .. NAP, 0, process.run(
      "exec $aiowire --graph=- -e 'print \"first\"' -e 'return aw.Sleep(1)'"))
    assert_outcome(NAP, 0, process.run(
      "echo 'return require \"aiowire\".Sleep(1)' | $aiowire --graph=-"))
  end)

  it("writes the format of the suffix [D36]", function()
    for suffix, head in pairs { mmd = "flowchart LR\n",
      mermaid = "flowchart LR\n", md = "```mermaid\nflowchart LR\n",
      dot = "digraph {\n", gv = "digraph {\n" } do
      local outcome = process.run(("$aiowire --graph=out.%s "
        .. "-e 'return aw.Sleep(1)' && cat out.%s"):format(suffix, suffix))
      assert_exit(0, outcome)
      assert.are.equal(head, outcome.out:sub(1, #head))
    end
    assert.are.equal("digraph {\n", process.run(
      "exec $aiowire --graph=dot -e 'return aw.Sleep(1)'").out:sub(1, 10))
  end)

  it("draws nothing for a script that does nothing [D36]", function()
    local outcome = draw "print 'done'"
    assert_exit(0, outcome)
    contains(outcome.out, 'w1["nothing"]')
  end)

  it("reports errors of the script as usual [D36]", function()
    local outcome = draw "aw.start(function() print 'runs' end) error 'oops'"
    assert_outcome("", 1, outcome)
    contains(outcome.err, "s.lua:2: oops")
    assert_exit(3, draw "os.exit(3)")
    assert_exit(124, draw("while true do end", "--timeout=0.2"))
    assert_exit(1, draw "return = 1")
  end)

  for _, case in ipairs {
    { "--graph=no/such/file.dot", 1,
      "aiowire: cannot write no/such/file.dot: No such file or directory" },
    { "--graph=out.svg", 2, "bad value in '--graph=out.svg' (dot, mermaid," },
    { "--graph", 2, "'--graph' needs a value, as --graph=out.mmd" },
    { "--graph=.dot", 2, "bad value in '--graph=.dot'" },
    { "--graph=dot -i", 2, "'--graph' cannot be used with a prompt" },
    { "--graph=dot --check", 2,
      "'--graph' cannot be used with --check, which runs nothing" },
  } do
    it("refuses " .. case[1] .. " [D36]", function()
      local outcome = process.run("exec $aiowire " .. case[1] .. " s.lua",
        { ["s.lua"] = 'return require "aiowire".Sleep(1)' })
      assert_outcome("", case[2], outcome)
      contains(outcome.err, case[3])
    end)
  end
end)

describe("the command .graph", function()
  --- Returns what the prompt prints for lines.
  local function prompt(lines)
    local outcome = process.run("exec $aiowire -i <in", { ["in"] = lines })
    assert_exit(0, outcome)
    return outcome.out:match "\n(.*)$", outcome.err
  end

  it("draws a wire, and the session's loop [D36]", function()
    assert.are.equal("> " .. NAP .. "> \n", (prompt ".graph aw.Sleep(1)\n"))
    contains(prompt "ev:start(aw.Sleep(9):named 'nap') and nil\n.graph ev\n",
      '"nap<br/>task')
  end)

  it("goes on after mistakes [D36]", function()
    local out, err = prompt ".graph\n.graph 3\n.graph x =\n.graph aw.Sleep(1)\n"
    assert.are.equal("> > > > " .. NAP .. "> \n", out)
    contains(err, "usage: .graph W")
    contains(err, "wire or EventLoop expected, got number")
    contains(err, "near <eof>")
  end)
end)
