-- lua/host/prompt/complete.lua: what Tab offers at the prompt.

local aw = require "aiowire"
local helper = require "spec.support.helper"
local host_parts = require "spec.support.host_parts"
local process = require "spec.support.process"

local complete = host_parts.part "prompt.complete"
local commands = host_parts.part "prompt.commands"

local context = {
  commands = commands.names,
  entries = function(folder)
    return folder == "." and { "alpha.lua", "alps/", ".hidden" }
      or folder == "alps/" and { "eiger" } or nil
  end,
  ids = function()
    return { "1", "12", "3" }
  end,
}

--- Returns the candidates as one text, and the length of the word they replace.
local function offered(text)
  local length, words = complete(text, context)
  return table.concat(words, " "), length
end

--- Call `f` with these globals.
local function with_globals(globals, f)
  for name, value in pairs(globals) do
    assert(rawget(_G, name) == nil, name)
    rawset(_G, name, value)
  end
  local ok, err = pcall(f)
  for name in pairs(globals) do
    rawset(_G, name, nil)
  end
  if not ok then
    error(err, 0)
  end
end

local function fails()
  error "code of the user has run"
end

describe("the completion of a global", function()
  it("offers globals and keywords that begin with the word [R40]", function()
    with_globals({ prize_of_a_user = 1 }, function()
      assert.are.same({ "print prize_of_a_user", 3 }, { offered "pri" })
      assert.are.same({ "for", 2 }, { offered "x = fo" })
      assert.are.same({ "goto", 4 }, { offered "goto" })
    end)
  end)

  it("finds the word after operators and brackets [R40]", function()
    for _, before in ipairs { "print(", "1..", "a..", "#", "{", "t[", "x=",
      "not ", "-", "'x' .. ", "[[x]] .. ", "f() " } do
      assert.are.equal("tostring", (offered(before .. "tostr")))
    end
  end)

  it("offers nothing in strings, comments and numbers [R40]", function()
    for _, text in ipairs { "'tostr", '"a\\" tostr', "[[tostr", "--tostr",
      "--[[ tostr", "[=[ ]] tostr", "12to", "1.to" } do
      assert.are.equal("", (offered(text)))
    end
  end)
end)

describe("the completion of a field", function()
  local tree = { a = { b = { c1 = 1, c2 = print } }, { z1 = 1 },
    ["k e y"] = { z2 = 2 }, ["not a name"] = 1, ["end"] = 1 }

  it("follows chains of names and constants [R40]", function()
    with_globals({ spec_tree = tree }, function()
      assert.are.same({ "c1 c2", 1 }, { offered "spec_tree.a.b.c" })
      assert.are.equal("c1 c2", (offered "return spec_tree . a . b . "))
      assert.are.equal("z1", (offered "spec_tree[1].z"))
      assert.are.equal("z2", (offered "spec_tree['k e y']."))
      assert.are.equal("c1 c2", (offered "_G.spec_tree.a['b']."))
      assert.are.equal("loaded loadlib", (offered "package.lo"))
    end)
  end)

  it("offers functions only after a colon [R40]", function()
    with_globals({ spec_tree = tree }, function()
      assert.are.equal("c2", (offered "spec_tree.a.b:"))
    end)
  end)

  it("offers names only [R40]", function()
    with_globals({ spec_tree = tree }, function()
      assert.is_nil((offered "spec_tree."):find "not")
    end)
  end)

  it("offers nothing for what it cannot know [R40]", function()
    with_globals({ spec_tree = tree }, function()
      for _, text in ipairs { "spec_tree.none.x", "spec_tree().", "f(x).",
        "spec_tree.a:b.", "nil.", "spec_nobody.", "spec_tree.a.b.c1.", "::",
        "..", "." } do
        local words = offered(text)
        assert.is_true(words == "" or text:find "^%.%.?$" ~= nil,
          text .. " " .. words)
      end
    end)
  end)

  it("offers the methods of strings [R40]", function()
    with_globals({ spec_text = "x" }, function()
      assert.are.equal("rep reverse", (offered "spec_text:re"))
      assert.are.equal("upper", (offered "('x'):up"))
    end)
  end)

  it("looks through tables in __index, and runs no function [R40]", function()
    local base = setmetatable({ inherited = print }, { __index = fails })
    local object = setmetatable({ own = 1 }, { __index = base, __pairs = fails,
      __len = fails })
    with_globals({ spec_object = object }, function()
      assert.are.equal("inherited own", (offered "spec_object."))
      assert.are.equal("inherited", (offered "spec_object:"))
      assert.are.equal("", (offered "spec_object.computed."))
    end)
    local cycle = {}
    setmetatable(cycle, { __index = cycle })
    with_globals({ spec_object = cycle }, function()
      assert.are.equal("", (offered "spec_object.x"))
      assert.are.equal("", (offered "spec_object.x.y"))
    end)
  end)

  it("stays short for large tables [R40]", function()
    local large = {}
    for i = 1, 200000 do
      large["k" .. i] = i
    end
    with_globals({ spec_large = large }, function()
      local _, words = complete("spec_large.k", context)
      assert.are.equal(1000, #words)
    end)
  end)
end)

describe("the completion of objects of the library", function()
  -- Returns the names of fields and methods of a class in meta.lua.
  local function declared(class)
    local names, inside = {}, false
    for line in process.read(process.root .. "/lua/aiowire/meta.lua")
      :gmatch "[^\n]+" do
      local opened = line:match "^%-%-%-@class aiowire%.([%w.]+)"
      inside = opened == class
        or not opened and inside and line:find "^%-%-%-" ~= nil
      names[#names + 1] = inside and line:match "^%-%-%-@field ([%w_]+)"
        or line:match("^function " .. class .. ":([%w_]+)")
    end
    table.sort(names)
    return table.concat(names, " ")
  end

  it("offers the fields and methods that are declared [R40]", function()
    helper.run(function(ev)
      local process_of_true = aw.spawn { "true" }
      process_of_true:wait()
      local thread = aw.thread(function() end)
      thread:wait()
      local task = aw.current()
      with_globals({ spec_ev = ev, spec_task = task,
        spec_process = process_of_true, spec_thread = thread,
        spec_channel = aw.channel(1) }, function()
        for class, name in pairs { EventLoop = "ev", Task = "task",
          Process = "process", Thread = "thread", Channel = "channel" } do
          assert.are.equal(declared(class),
            (offered("spec_" .. name .. ".")), class)
        end
        assert.are.equal("start start_ready stop", (offered "spec_ev:st"))
        assert.are.equal("", (offered "spec_task:stat"))
      end)
    end)
  end)

  it("offers the fields of an Info [R40]", function()
    helper.run(function()
      local info
      aw.await(aw.Call(error, "x"):catch(function(_, about)
        info = about
      end))
      with_globals({ spec_info = info }, function()
        assert.are.equal(declared "Info", (offered "spec_info."))
      end)
    end)
  end)

  it("offers all of the module [R40]", function()
    with_globals({ spec_aw = aw }, function()
      assert.are.equal("sleep sleep_until", (offered "spec_aw.sl"))
      for _, name in ipairs { "tcp", "udp", "unix", "dns", "fs", "pool",
        "locals", "zmq" } do
        local words = " " .. offered("spec_aw." .. name) .. " "
        assert.is_truthy(words:find(" " .. name .. " ", 1, true), name)
      end
      assert.are.equal("stat", (offered "spec_aw.fs.sta"))
    end)
  end)
end)

describe("the completion of any text", function()
  local pieces = { "aw", ".", ":", "(", ")", "[", "]", "'", '"', "\\", "--",
    "[[", "]]", "[=[", "]=]", "sl", " ", "spec_t", "a", "1", "..", "::", "\n",
    "\t", "é", "\xff", "\0", "=", "end", ".load ", ".cancel ", "{", "%", "^",
    "$" }

  it("gives a list, and no more than the text is replaced [R40]", function()
    math.randomseed(18)
    with_globals({ spec_t = { a = { 1 }, setmetatable({}, { __index = fails }) }
    }, function()
      for _ = 1, 3000 do
        local list = {}
        for i = 1, math.random(25) do
          list[i] = pieces[math.random(#pieces)]
        end
        local text = table.concat(list)
        local length, words = complete(text, context)
        assert(length <= #text and type(words) == "table", text)
      end
    end)
  end)

  it("ends for long ones [R40]", function()
    for _, piece in ipairs { "a", "a.", "(", "'", "['x']", "\\", " ", "('')",
      "[[]]" } do
      complete(piece:rep(100000 // #piece), context)
    end
  end)
end)

describe("the completion of a command", function()
  it("offers commands after a dot [R40]", function()
    assert.are.same({ ".tasks .time .tree", 2 }, { offered ".t" })
    assert.are.same({ ".help", 3 }, { offered "  .he" })
  end)

  it("offers names of files after .load [R40]", function()
    assert.are.same({ "alpha.lua alps/", 2 }, { offered ".load al" })
    assert.are.same({ "alpha.lua alps/", 0 }, { offered ".load " })
    assert.are.same({ ".hidden", 2 }, { offered ".load .h" })
    assert.are.same({ "eiger", 1 }, { offered ".load alps/e" })
    assert.are.same({ "", 1 }, { offered ".load none/e" })
  end)

  it("offers the ids of tasks after .cancel [R40]", function()
    assert.are.same({ "1 12", 1 }, { offered ".cancel 1" })
  end)

  it("offers Lua after .time [R40]", function()
    assert.are.same({ "tostring", 5 }, { offered ".time tostr" })
  end)
end)
