-- The command line of the program `aiowire` is a superset of that of lua5.4:
-- each command runs under both, with the same outcome. What differs is no part
-- of the command line: an error that is nil is shown as "<nil error>" [E1].

local process = require "spec.support.process"
local texts = require "spec.support.texts"

local contains = texts.contains

local show = [[
local list = {}
for i = -20, #arg do
  if arg[i] then
    list[#list + 1] = i .. "=" .. (arg[i]:match "aiowire$" or arg[i])
  end
end
print((table.concat(list, " "):gsub("=aiowire", "=PROGRAM")
  :gsub("=lua5.4", "=PROGRAM")))
print(select("#", ...), ...)
]]

local files = {
  ["s.lua"] = show,
  ["-s.lua"] = show,
  ["--"] = "print 'two dashes'",
  ["m.lua"] = "print('module', ...) return { name = 'm' }",
  ["none.lua"] = "print 'returns nothing'",
  ["false.lua"] = "return false",
  ["bad.lua"] = "x = = 1",
  ["fails.lua"] = "error 'in the module'",
  ["bang.lua"] = "#!/usr/bin/env -S lua5.4 -W\nprint 'bang'",
  ["hash.lua"] = "# a comment\nprint(debug.getinfo(1, 'l').currentline)",
  ["onlybang.lua"] = "#!/usr/bin/env lua5.4",
  ["bom.lua"] = "\239\187\191print 'bom'",
  ["bombang.lua"] = "\239\187\191#!lua\nprint 'bom and bang'",
  ["empty.lua"] = "",
  ["crlf.lua"] = "print 'one'\r\nprint [[two\r\nlines]]\r\nreturn\r\n",
  ["nul.lua"] = "print '\0' --[[\0]]",
  ["warns.lua"] = "warn 'one' warn '@on' warn('two', ' parts') warn '@off' "
    .. "warn 'three' warn '@unknown'",
  ["init.lua"] = "print('init', arg ~= nil, ...)",
}

-- Standard error without the program's name and what we add after a message.
local function message_of(outcome, program)
  return outcome.err:gsub("^[^\n]*" .. program .. ": ", "PROGRAM: ")
    :match "^[^\n]*"
end

local function both(command)
  local theirs = process.run(command:gsub("$program", "$lua"), files)
  local ours = process.run(command:gsub("$program", "$aiowire"), files)
  assert.are.equal(theirs.code, ours.code,
    "stderr: " .. theirs.err .. ours.err)
  assert.are.equal(theirs.out, ours.out, ours.err)
  assert.are.equal(message_of(theirs, "lua5.4"), message_of(ours, "aiowire"))
end

for title, commands in pairs {
  ["-e"] = {
    "-e 'print(1)'", "-e'print(1)'", "-e 'x = 1' -e 'print(x)'",
    "-e 'print(1)' s.lua a", "-e 'print(1)' -", "-e '' s.lua", "-e ' '",
    "-e 'error(\"x\")' s.lua", "-e 'error({})'",
    "-e 'error(setmetatable({}, {__tostring = function() return \"t\" end}))'",
    "-e 'x = = 1' s.lua", "-e 'return 7'", "-e 'print(...)' a b",
    "-e 'arg = nil' s.lua", "-e 'arg[1] = \"z\"' s.lua a b",
    "-e 'print(#arg, arg[0] ~= nil)'", "-e '= 1'",
  },
  ["-l"] = {
    "-l m -e 'print(m.name)'", "-lm -e 'print(m.name)'",
    "-l g=m -e 'print(g.name, m)'", "-lg=m -e 'print(g.name)'",
    "-l none -e 'print(none)'", "-l false -e 'print(_G[\"false\"])'",
    "-l string -e 'print(string.rep(\"x\", 3))'", "-l m -l m -e ''",
    "-l m s.lua a", "-l fails s.lua", "-l bad s.lua", "-e 'm = 1' -l m s.lua",
    "-l =m -e 'print(_G[\"\"].name)'", "-l g.h=m -e 'print(_G[\"g.h\"].name)'",
  },
  ["-E and LUA_INIT"] = {
    "-e 'print(1)'", "-E -e 'print(1)'", "s.lua a", "-E s.lua", "-l m",
    "-e 'print(1)' -E",
  },
  ["-W and warn"] = {
    "-e 'warn(\"off\")'", "-W -e 'warn(\"on\")'",
    "-e 'warn(\"@on\") warn(\"on\")'", "warns.lua", "-W warns.lua",
    "-e 'warn(\"a\")' -W -e 'warn(\"b\")'", "-W -e 'warn()'",
    "-W -e 'warn(1, 2)'", "-W -e 'warn({})'",
    "-e 'warn(\"@on\")' -e 'warn(\"b\")' s.lua",
  },
  ["- and --"] = {
    "- a b <s.lua", "- <s.lua", "-- s.lua a", "-- -s.lua a", "-- -- a",
    "-e 'x = 1' - a <s.lua", "-e 'x = 1' -- s.lua -e", "-- - <s.lua",
    "<s.lua", "<empty.lua", "- <empty.lua", "- <bang.lua", "- <bad.lua",
    "- -e <s.lua", "./-s.lua",
  },
  ["a script"] = {
    "s.lua -e -v - -- -l", "bang.lua", "hash.lua", "onlybang.lua", "bom.lua",
    "bombang.lua", "empty.lua", "crlf.lua", "nul.lua", "bad.lua", "fails.lua",
    "nosuch.lua", ".", "''", "/dev/null", "./s.lua", "m.lua", "s.lua ''",
  },
} do
  describe("the command line with " .. title, function()
    for _, arguments in ipairs(commands) do
      it(("is as in lua5.4: %s [R1]"):format(arguments), function()
        if title == "-E and LUA_INIT" then
          for _, init in ipairs { "LUA_INIT='print(\"init\")'",
            "LUA_INIT=@init.lua", "LUA_INIT=", "LUA_INIT='error(\"x\")'",
            "LUA_INIT='x = = 1'", "LUA_INIT=@nosuch.lua",
            "LUA_INIT_5_4='print(5.4)' LUA_INIT='print(5)'",
            "LUA_INIT_5_4= LUA_INIT='print(5)'",
            "LUA_PATH_5_4='./?.none' LUA_PATH='./?.lua'",
            "LUA_INIT='arg[1] = 1 print(#arg)'",
          } do
            both(init .. " exec $program " .. arguments)
          end
        else
          both("exec $program " .. arguments)
        end
      end)
    end
  end)
end

describe("what lua5.4 calls bad usage", function()
  for _, arguments in ipairs {
    "-e", "-l", "-e -v", "-l -v", "-x", "-vE", "-Ev", "-Wx", "-ii", "--x",
    "-E- s.lua", "-v- s.lua", "-h- s.lua",
  } do
    it(("is bad usage, with another status: %s [R1]"):format(arguments),
      function()
        local theirs = process.run("exec $lua " .. arguments, files)
        local ours = process.run("exec $aiowire " .. arguments, files)
        process.assert_outcome("", 1, theirs)
        process.assert_outcome("", 2, ours)
        contains(ours.err, "usage: ")
      end)
  end
end)

describe("the option -v", function()
  for _, rest in ipairs { "", "-e 'print(1)'", "s.lua a", "- <s.lua",
    "-E -W -e 'print(1)'", "-l m", "-- s.lua" } do
    it(("prints one line before all else, as in lua5.4: %s [R1]"):format(rest),
      function()
        local theirs = process.run("exec $lua -v " .. rest, files)
        local ours = process.run("exec $aiowire -v " .. rest, files)
        assert.are.equal(theirs.code, ours.code)
        assert.are.equal(theirs.out:match "^Lua[^\n]*\n(.*)$",
          ours.out:match "^aiowire[^\n]*\n(.*)$")
      end)
  end

  it("may stand after -e: the line comes first all the same [R1]", function()
    local ours = process.run("exec $aiowire -e 'print(1)' -v", files)
    assert.is_truthy(ours.out:find "^aiowire[^\n]*\n1\n$", ours.out)
  end)
end)

describe("a program that the kernel starts by #!", function()
  for _, options in ipairs { "", " -W", " --timeout=300" } do
    it(("gets its arguments%s [R1]"):format(options), function()
      local outcome = process.run("chmod +x s; exec ./s a 'b c'", {
        s = "#!" .. process.binary .. options .. "\nprint(arg[0], ...)" })
      process.assert_outcome("./s\ta\tb c\n", 0, outcome)
    end)
  end
end)

describe("a precompiled chunk", function()
  local code = string.dump(load "print 'ran'")

  for _, command in ipairs { "b.luac", "- <b.luac", "<b.luac", "-l b",
    "-e \"$(cat b.luac)\"" } do
    it(("is refused: %s [R1]"):format(command), function()
      local outcome = process.run("exec $aiowire " .. command,
        { ["b.luac"] = code, ["b.lua"] = code })
      process.assert_outcome("", 1, outcome)
    end)
  end
end)
