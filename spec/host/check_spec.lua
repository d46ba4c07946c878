-- The option --check: syntax errors, and globals that are read but defined
-- nowhere, of texts that do not run.

local process = require "spec.support.process"
local terminal = require "spec.support.terminal"
local texts = require "spec.support.texts"

local assert_outcome = process.assert_outcome
local lacks = texts.lacks

-- Check a text as the script s.lua. Returns what is printed on stderr, with
-- "LINE NAME" in place of a warning without a suggestion.
local function findings(text)
  local outcome = process.run("exec $aiowire --check s.lua",
    { ["s.lua"] = text })
  assert_outcome("", 0, outcome)
  return (outcome.err:gsub("s%.lua:(%d+): undefined global '([%w_]+)'",
    "%1 %2"):gsub("\n$", ""):gsub("\n", ", "))
end

local function check(arguments, files)
  return process.run("exec $aiowire --check " .. arguments, files)
end

-- Check that a command prints these lines on stderr, and nothing else.
local function assert_told(code, err, outcome)
  assert_outcome("", code, outcome)
  assert.are.equal(err, outcome.err)
end

describe("--check of a text with a syntax error", function()
  it("prints its line, and exits with 1 [R13]", function()
    assert_told(1, "s.lua:2: unexpected symbol near '='\n",
      check("s.lua", { ["s.lua"] = "local x = 1\nx = = 2\n" }))
  end)

  it("looks at each -e and at the script [R13]", function()
    assert_told(1, "(command line):1: unexpected symbol near '='\n"
      .. "(command line):2: unexpected symbol near '='\n"
      .. "s.lua:1: unexpected symbol near <eof>\n",
      check("-e 'x = = 1' -e 'y = 1' -e '\nz = = 1' s.lua",
        { ["s.lua"] = "x =" }))
  end)

  it("warns of no names, since it cannot know them all [R13]", function()
    assert_told(1, "s.lua:1: unexpected symbol near <eof>\n",
      check("-e 'y = x' s.lua", { ["s.lua"] = "x =" }))
  end)

  it("has one line for a message with several lines [R13]", function()
    assert_told(1, [[s.lua:1: unfinished string near '"a\nb']] .. "\n",
      check("s.lua", { ["s.lua"] = 'x = "a\\nb\n' }))
  end)

  it("prints what lua prints for a file that it cannot read [R13]", function()
    for _, name in ipairs { "none.lua", "/", "''" } do
      local theirs = process.run("exec $lua " .. name)
      local ours = check(name)
      assert_outcome("", 1, ours)
      assert.are.equal(theirs.err:match ": ([^\n]*)\n",
        ours.err:match "^aiowire: ([^\n]*)\n$")
    end
    assert_told(1, "aiowire: cannot read stdin: Is a directory\n",
      check "- </")
  end)

  it("refuses bytecode [R13]", function()
    local message = "attempt to load a binary chunk (mode is 't')\n"
    local files = { ["s.luac"] = string.dump(function() end) }
    assert_told(1, "aiowire: s.luac: " .. message, check("s.luac", files))
    assert_told(1, "aiowire: stdin: " .. message, check("- <s.luac", files))
  end)
end)

describe("--check", function()
  it("runs nothing: no -e, no -l, no LUA_INIT, no script [R13]", function()
    local ran = "io.stderr:write 'ran'"
    local outcome = process.run("export LUA_INIT=\"" .. ran .. "\"\n"
      .. "exec $aiowire -l m -W -e \"" .. ran .. "\" --check s.lua",
      { ["s.lua"] = ran, ["m.lua"] = ran })
    assert_told(0, "", outcome)
  end)

  it("reads standard input where it would run [R13]", function()
    local files = { ["s.lua"] = "x()" }
    for _, command in ipairs { "<s.lua", "- <s.lua", "-E - <s.lua" } do
      assert_told(0, "stdin:1: undefined global 'x'\n", check(command, files))
    end
    for _, command in ipairs { "-e 'y = 1' <s.lua", "-v <s.lua" } do
      assert.are.equal("", check(command, files).err)
    end
  end)

  it("skips a byte order mark and a first line with # [R13]", function()
    for _, head in ipairs {
      "#!/usr/bin/env aiowire\n", "\xEF\xBB\xBF#!lua\n", "\xEF\xBB\xBF\n",
      "#\r\n",
    } do
      assert.are.equal("2 x, 4 y", findings(head .. "x()\n--\ny()\n"))
    end
    assert.are.equal("", findings "#!/usr/bin/env aiowire")
    assert.are.equal("", findings "")
  end)

  it("reads a pipe once [R13]", function()
    assert_told(0, "/dev/fd/3:1: undefined global 'x'\n",
      check "/dev/fd/3 3<<END\nx()\nEND\n")
  end)

  it("prints the whole names of files [R13]", function()
    local name = ("long"):rep(30) .. ".lua"
    assert_told(0, name .. ":1: undefined global 'x'\n",
      check(name, { [name] = "x()" }))
    assert_told(1, name .. ":1: unexpected symbol near <eof>\n",
      check(name, { [name] = "x =" }))
  end)

  it("shares globals among -e and the script, in any order [R14]", function()
    assert_told(0, "(command line):2: undefined global 'c'\n"
      .. "s.lua:2: undefined global 'd'\n",
      check("-e 'a = 1\nc(b)' -e 'print(aw)' s.lua",
        { ["s.lua"] = "b = a\nd()" }))
  end)

  it("knows what -l defines [R14]", function()
    assert_told(0, "s.lua:2: undefined global 'socket'\n",
      check("-l lfs -lcjson -l s=socket s.lua",
        { ["s.lua"] = "print(lfs, cjson, s)\nprint(socket)" }))
  end)

  it("does not go with -i [R3]", function()
    local outcome = check "-i -e 'x = 1'"
    assert_outcome("", 2, outcome)
    lacks(outcome.err, "undefined")
  end)

  it("refuses a second script, which would be an argument [R13]", function()
    for _, first in ipairs { "good.lua", "-", "-e x=1 -- good.lua" } do
      local outcome = check(first .. " bad.lua </dev/null",
        { ["good.lua"] = "", ["bad.lua"] = "x = = 1" })
      assert_outcome("", 2, outcome)
      assert.are.equal("aiowire: --check takes one script; 'bad.lua' would be "
        .. "its argument", outcome.err:match "^[^\n]*")
    end
  end)

  it("without anything to check is bad usage [R13]",
    terminal.test({ "--check" }, function(t)
      assert.are.same({ ok = false, code = 2 }, t:wait())
      assert.are.equal("aiowire: no script to check\n", t:text())
    end))
end)

describe("a suggestion of --check", function()
  local function suggests(expected, text)
    assert.are.equal(expected, findings(text))
  end

  it("names a near global, or a near local that is visible [R15]", function()
    suggests("1 pritn (did you mean 'print'?)", "pritn()")
    suggests("2 conut (did you mean 'count'?)", "local count\nx = conut")
    suggests("2 conut", "do local count end\nx = conut")
    suggests("1 Handel (did you mean 'handle'?)",
      "Handel() function handle() end")
    suggests("1 req (did you mean 'Req'?)", "Req = req")
  end)

  it("names a constant of Lua [R15]", function()
    suggests("1 null (did you mean 'nil'?), 2 True (did you mean 'true'?)",
      "x = null\nx = True")
  end)

  it("is left out for short names with little in common [R15]", function()
    suggests("1 i, 1 foo, 1 bar", "i(foo, bar)")
  end)

  it("for aw says how to have it [R15]", function()
    suggests('1 aw (needs `local aw = require "aiowire"`), 2 aw (needs '
      .. '`local aw = require "aiowire"`)', "aw.sleep(1)\naw.sleep(2)")
  end)
end)

-- What is warned of ----------------------------------------------------------

-- { what, text, findings }
local cases = {
  { "reads and calls", "print(a) b() c{} d'' e:m() f.g = 1 h[1] = 2",
    "1 a, 1 b, 1 c, 1 d, 1 e, 1 f, 1 h" },
  { "a name once for each line", "print(a, a)\nprint(a)", "1 a, 2 a" },
  { "names in the order of the text", "b = x + y\ny = 1\nprint(z, x)",
    "1 x, 3 z, 3 x" },
  { "no name that is assigned anywhere",
    "print(a, b, c, d) a = 1; b, c = 1, 2 function f() d = f end", "" },
  { "no name that is a global function",
    "f(g) function f() function g() end end", "" },
  { "the table of a function's name",
    "function a.b() end function c:d() self = e end", "1 a, 1 c, 1 e" },
  { "no name that is assigned and never read",
    "function f() forgotten = 1 end", "" },
  { "no global of the program", "print(arg, _G, _VERSION, utf8, warn, ...)",
    "" },

  { "a name after the block of its local", "do local a end print(a)", "1 a" },
  { "a name in the statement that declares it", "local a = a", "1 a" },
  { "no local function inside itself", "local function f() f() end", "" },
  { "a local variable inside its own function",
    "local f = function() f() end", "1 f" },
  { "a local that shadows a global", "local print = print print(x)", "1 x" },
  { "parameters", "local function f(a, b, ...) return a, b, c, ... end f()",
    "1 c" },
  { "self in methods only",
    "local t = {} function t:m() return self end function t.f() t = self end",
    "1 self" },
  { "no upvalue", "local a for _ = 1, 2 do t = function() a = a end end", "" },
  { "names of for loops", "for i = i, j do k(i) end print(i)",
    "1 i, 1 j, 1 k" },
  { "names of generic for loops", "for k, v in pairs(v) do print(k, v) end",
    "1 v" },
  { "locals of repeat in its condition",
    "repeat local a until a print(a)", "1 a" },
  { "locals of branches in no other branch",
    "if a then local b elseif b then local c else d(c) end",
    "1 a, 1 b, 1 d, 1 c" },
  { "locals of while loops", "while a do local a = a a() end", "1 a" },
  { "attributes", "local a <const>, b <close> = const, close a() b()",
    "1 const, 1 close" },
  { "no field, method or key",
    "local t = { a = 1, ['b'] = 2, [c] = d, e } t.f.g = t:h().i", "1 c, 1 d, "
    .. "1 e" },
  { "values of fields", "local t = { a = b; c == d, e }",
    "1 b, 1 c, 1 d, 1 e" },
  { "no label", "goto done do goto continue ::continue:: end ::done::", "" },
  { "results", "do return a, b end", "1 a, 1 b" },

  { "no word in strings and comments",
    [==[local s = 'a\'b' .. "c\"d\\" .. [[e
      ]] .. [=[ f ]] ]=] -- g
    --[[ h
    ]] --[=[ i ]] ]=] print(s) ---[[ j
    x()]==], "5 x" },
  { "lines after escapes and long strings",
    'local s = "a\\\nb\\z\n\n  c\\x41\\065\\u{41}\\"" .. [[\n\n]] x()', "6 x" },
  { "lines that end in \\r\\n, \\r or \\n\\r",
    "x()\r\ny()\rz()\n\ry()\r\n\r\nx() --[[\r\n]] y() s = '\\\r\n' z()",
    "1 x, 2 y, 3 z, 4 y, 6 x, 7 y, 8 z" },
  { "names beside numbers",
    "local n = 0x1p4+a - 1e5-b + 3.-c + .5+d + 0xA.8e+e + 1//f + 2 ..g",
    "1 a, 1 b, 1 c, 1 d, 1 e, 1 f, 1 g" },
  { "names beside operators",
    "x = not a and -b or #c ~= ~d // e << f >> g .. h ~ i <= j >= k & l | m^n",
    "1 a, 1 b, 1 c, 1 d, 1 e, 1 f, 1 g, 1 h, 1 i, 1 j, 1 k, 1 l, 1 m, 1 n" },
  { "a name after a comment of one line", "--[==\nx()\n--[ [\ny() --", "2 x, "
    .. "4 y" },

  { "no name in the scope of a local _ENV",
    "local function f(_ENV) a() end do local _ENV = {} b = c end d()", "1 d" },
  { "the names that a local _ENV is made of",
    "local _ENV = setmetatable({}, { __index = a })", "1 a" },
  { "no field of _G or _ENV, which it defines",
    "_G.a = 1 _ENV.b = 2 if _G['c'] then c() end a() b() d()", "1 d" },
  { "a field of an alias of _G as that of _G",
    "local G = _G G.a = 1 E = _ENV E.b = 1 a() b() G.c.d = 1 d()", "1 d" },
  { "no field that rawset and rawget name",
    "rawset(_G, 'a', 1) if rawget(_G, 'b') then b() end a() c()", "1 c" },
  { "no name if names of globals are computed",
    "for k, v in pairs(math) do _G[k] = v end sin(1)", "" },
  { "names if globals are only read by computed names",
    "print(_G[x]) _G.t[1] = 2", "1 x" },
  { "no name if rawset computes the names", "rawset(_G, 'a' .. 1, 2) a1()",
    "" },
  { "no name if _G has a metatable",
    "setmetatable(_G, { __index = math }) sin(1)", "" },
  { "no name if _ENV is another table", "_ENV = {} a()", "" },

  { "no word of Lua 5.5 that is a name in Lua 5.4",
    "global = {} global.x = 1 global 'x' global, x = global * 1 < global", "" },

  { "a name that a guard looks for", "local unpack = unpack or table.unpack",
    "1 unpack" },
  { "no name that a guard looks for in _G",
    "local unpack = _G.unpack or table.unpack", "" },
}

describe("--check warns of", function()
  for _, case in ipairs(cases) do
    it(case[1] .. " [R14]", function()
      assert.is_truthy(load(case[2]))
      assert.are.equal(case[3], findings(case[2]))
    end)
  end

  it("each name of a deeply nested text [R14]", function()
    local function nested(open, inner, close, times)
      return open:rep(times) .. inner .. close:rep(times)
    end
    for _, text in ipairs {
      nested("(", "x", ")", 180), nested("{", "x", "}", 180),
      nested("- ", "x", "", 180), nested("f(", "x", ")", 180),
      nested("function() return ", "x", " end", 90),
    } do
      assert.are.equal("1 x", findings("local f, y y = " .. text))
    end
    assert.are.equal("1 x", findings(nested("do ", "x()", " end", 190)))
    assert.are.equal("1 x", findings("local a = x"
      .. (" + x"):rep(20000) .. ("()"):rep(20000)))
    assert.are.equal("1 x", findings("if x then "
      .. ("elseif x then "):rep(5000) .. "end"))
  end)

  it("nothing in the program's own files [R14]", function()
    local files = process.files("lua", "%.lua$")
    assert.is_true(#files > 3)
    for _, path in ipairs(files) do
      assert_told(0, "", check(process.quoted(process.root .. "/" .. path)))
    end
  end)
end)
