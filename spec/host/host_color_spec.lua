-- Colors of reports: --color, NO_COLOR and TERM.

local aw = require "aiowire"
local process = require "spec.support.process"
local texts = require "spec.support.texts"

local contains, lacks = texts.contains, texts.lacks

local scripts = {
  ["an error"] = "local aw = require 'aiowire'\n"
    .. "aw.start(function() error 'broken' end)",
  ["an error of two lines"] = "error 'first\\nsecond'",
  ["an error in a handler"] = "local aw = require 'aiowire'\n"
    .. "aw.start(function() error 'one' end, function() error 'two' end)",
  ["a table as an error"] = "error {}",
  ["an empty error"] = "error ''",
  ["a syntax error"] = "x = = 1",
  ["a deadlock"] = "require('aiowire').event():wait()",
  ["a timeout"] = "-- --timeout=0",
  ["a mistake"] = "local aw = require 'aiowire'\n"
    .. "aw.start(nil)",
  ["a warning"] = "warn '@on' warn('careful: ', 'here')",
  ["statistics"] = "-- --stats",
  ["the tasks at SIGQUIT"] = "local aw = require 'aiowire'\n"
    .. "local t = aw.start(function() aw.shield(aw.yield, 60) end)\n"
    .. "aw.yield() t:cancel()\n"
    .. "io.popen('kill -QUIT $PPID'):close() aw.yield()",
}

-- The figures of --stats, the age of tasks and addresses differ.
local function without_numbers(text)
  return (text:gsub("0x%x+", "0x"):gsub("%d+%.%d+", "N"):gsub("%d+ cycles", ""))
end

local function plain(text)
  return (text:gsub("\27%[[%d;]*m", ""))
end

local function run(options, code, environment)
  return process.run(("%s exec $aiowire %s %s s.lua"):format(environment or "",
    options, code:match "%-%- (%-%-%S+)" or ""), { ["s.lua"] = code })
end

describe("a task that is cancelled", function()
  it("has its mark in a color of its own [R8]", function()
    local outcome = run("--color=always", scripts["the tasks at SIGQUIT"])
    contains(outcome.err, "  \27[38;5;247mCANCELLED\27[0m\n")
  end)
end)

for what, code in pairs(scripts) do
  describe("a report of " .. what, function()
    it("has the same text with colors [R8]", function()
      local without = run("--color=never", code)
      local with = run("--color=always", code)
      assert.are.equal(without.code, with.code)
      assert.are_not.equal("", without.err)
      lacks(without.err, "\27")
      contains(with.err, "\27[")
      assert.are.equal(without_numbers(without.err),
        without_numbers(plain(with.err)))
    end)

    it("ends each color in its line [R8]", function()
      for line in run("--color=always", code).err:gmatch "[^\n]+" do
        local open = false
        for sgr in line:gmatch "\27%[([%d;]*)m" do
          assert.are.equal(open, sgr == "0", line)
          open = sgr ~= "0"
        end
        assert.is_false(open, line)
      end
    end)

    it("has no colors where no terminal is [R8]", function()
      lacks(run("", code).err, "\27")
      lacks(run("--color=auto", code).err, "\27")
    end)
  end)
end

describe("the colors of a report", function()
  it("mark the message, its place and the headings [R8]", function()
    local err = run("--color=always", "error 'broken'").err
    contains(err, "\27[1maiowire:\27[0m \27[36ms.lua:1\27[0m"
      .. "\27[1;31m: broken\27[0m\n")
    contains(err, "\27[1mstack traceback:\27[0m\n")
    contains(err, "\t\27[36ms.lua:1\27[0m: in main chunk\n")
  end)

  it("mark states, for all eyes, as the terminal can show them [R8]",
    function()
      local code = scripts["a deadlock"]
      contains(run("--color=always", code, "COLORTERM=truecolor").err,
        "\27[38;2;86;180;233mwaiting\27[0m")
      contains(run("--color=always", code, "COLORTERM=").err,
        "\27[38;5;74mwaiting\27[0m")
    end)

  it("of --color=always do not heed NO_COLOR [R8]", function()
    contains(run("--color=always", "error 'x'", "NO_COLOR=1").err, "\27[")
  end)

  it("are those of bad usage, too [R8]", function()
    local err = process.run("exec $aiowire --color=always --xyz").err
    contains(err, "\27[1maiowire:\27[0m")
  end)
end)

describe("on a terminal, a report", function()
  local function colored(environment, options)
    local env = { TERM = "xterm" }
    for name, value in pairs(environment) do
      env[name] = value or nil
    end
    local argv = { process.binary, "-e", "error 'broken'", pty = true,
      env = env }
    if options then
      table.insert(argv, 2, options)
    end
    local output = {}
    aw.run(function()
      local p <close> = aw.spawn(argv)
      for chunk in function() return p.stdout:read(4096) end do
        output[#output + 1] = chunk
      end
    end)
    local text = table.concat(output)
    contains(text, "broken")
    return text:find("\27[", 1, true) ~= nil
  end

  it("has colors [R8]", function()
    assert.is_true(colored {})
  end)

  it("has colors if NO_COLOR is empty [R8]", function()
    assert.is_true(colored { NO_COLOR = "" })
  end)

  it("has none with NO_COLOR, on a dumb terminal, and with --color=never [R8]",
    function()
      assert.is_false(colored { NO_COLOR = "1" })
      assert.is_false(colored { TERM = "dumb" })
      assert.is_false(colored { TERM = "" })
      assert.is_false(colored({}, "--color=never"))
    end)
end)
