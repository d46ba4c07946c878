--- Run the program in a terminal of its own, type into it, and look at its
--- screen. For use in a task:
---
---   it("adds", terminal.test({}, function(t)
---     assert.are.equal("3\n", t:eval "1 + 2")
---     t:key "ctrl-d"
---     assert.are.same({ ok = true, code = 0 }, t:wait())
---   end))
---
--- Nothing here waits for a time: each wait reads the program's output until
--- the screen shows something. A wait fails, with a picture of the screen, when
--- the program ends or after process.PATIENCE seconds.
---
--- A wait does not see what the screen has shown before the *mark*: it looks at
--- the rows from the mark on, also those that have been scrolled off. line()
--- and mark() move the mark.
---
--- The program gets HOME and XDG_STATE_HOME in a folder of its own, which is
--- also its current folder. Of the variables of this process it gets a few.
---
--- Neighbours: screen.lua is the emulator.

local aw = require "aiowire"
local busted = require "busted"
local folder = require "spec.support.folder"
local helper = require "spec.support.helper"
local lfs = require "lfs"
local process = require "spec.support.process"
local screen = require "spec.support.screen"

local M = {}

--- The prompts of the program.
M.PROMPT, M.MORE = "> ", ">> "

--- So many bytes of the output are in a message.
local TAIL <const> = 800

--- So many rows, at most, are looked at.
local ROWS <const> = 500

--- So many bytes of the output are kept, at least, and seen by expect_output().
local MOST <const> = 100000

--- Is there a libedit, with which the program edits lines?
M.has_libedit = false
for _, name in ipairs { "libedit.so.2", "libedit.so.0", "libedit.so" } do
  M.has_libedit = M.has_libedit or package.loadlib(name, "*") == true
end

local Terminal = {}
Terminal.__index = Terminal

-- Opening and closing. -------------------------------------------------------

-- Variables that the program gets if they are set: those of sanitizers, for
-- example.
local PASSED <const> = { "ASAN_OPTIONS", "LSAN_OPTIONS", "UBSAN_OPTIONS",
  "TSAN_OPTIONS", "PATH" }

local function environment(options, path)
  local env = { HOME = path, XDG_STATE_HOME = path .. "/state",
    TERM = options.term or "xterm", LANG = "C.UTF-8" }
  for _, name in ipairs(PASSED) do
    env[name] = os.getenv(name)
  end
  for name, value in pairs(options.env or {}) do
    env[name] = value or nil
  end
  return env
end

--- Open a terminal with a program in it. Close it with t:close(), or by
--- `<close>`. Options:
---
---   [1], [2], …  arguments of the program
---   command      another command: a list of words. "$aiowire" in a word stands
---                for the path of the program
---   rows, cols   the size; default 24, 80
---   term         TERM; default "xterm"
---   env          more variables; false removes one
---   files        name -> text of files in the current folder
---   folder       a folder of spec.support.folder, to be shared with others
---@param options table
function M.open(options)
  local place = options.folder or folder.new()
  for name, text in pairs(options.files or {}) do
    place:file(name, text)
  end
  local rows, cols = options.rows or 24, options.cols or 80
  local spawn = { pty = true, rows = rows, cols = cols, cwd = place.path,
    env = environment(options, place.path), grace = 0 }
  local command = options.command
    or { "$aiowire", table.unpack(options) }
  for i, word in ipairs(command) do
    spawn[i] = word:gsub("%$aiowire", { ["$aiowire"] = process.binary })
  end
  local child = aw.spawn(spawn)
  return setmetatable({ child = child, pid = child.pid, folder = place,
    own_folder = not options.folder, output = "", from = 1, marked = 1,
    path = lfs.symlinkattributes("/proc/" .. child.pid .. "/fd/0", "target"),
    screen = screen.new(rows, cols) }, Terminal)
end

-- In a build that counts what runs, let the program keep its counts, and end;
-- see spec/coverage/flush.c. The loop does not turn meanwhile, so the program
-- is a zombie then.
local KEEP_COUNTS <const> = process.binary:find("coverage", 1, true) and [[
kill -63 %d 2>/dev/null && for i in $(seq 100); do
  grep -q '^State:.[^XZ]' /proc/%d/status || break
  sleep 0.02
done]]

--- Kill the program, and remove its folder. Closing again is fine.
function Terminal:close()
  if KEEP_COUNTS and not self.closed then
    os.execute(KEEP_COUNTS:format(self.pid, self.pid))
  end
  self.closed = true
  self.child:kill "KILL"
  self.child:close()
  if self.own_folder then
    self.own_folder = false
    self.folder:__close()
  end
end

Terminal.__close = Terminal.close

--- As test(), for a prompt where lines are edited: pending without libedit.
function M.edited(options, f)
  local test = M.test(options, f)
  return function()
    if not M.has_libedit then
      helper.pending "libedit is not installed"
    end
    test()
  end
end

--- Returns a function for `it` that calls `f(t)` in a task, with a terminal
--- that is closed afterwards.
---@param options table of open()
---@param f fun(t)
---@return fun()
function M.test(options, f)
  return function()
    helper.run(function()
      local t <close> = M.open(options)
      f(t)
    end)
  end
end

-- Typing. --------------------------------------------------------------------

local keys = { enter = "\r", tab = "\t", escape = "\27", backspace = "\127",
  delete = "\27[3~", ["page-up"] = "\27[5~", ["page-down"] = "\27[6~" }

-- Keys that terminals send in two ways: as "\27[A", and as "\27OA" if the
-- program has asked for that.
local arrows = { up = "A", down = "B", right = "C", left = "D", home = "H",
  ["end"] = "F" }

--- Type a text.
---@param text string
function Terminal:send(text)
  self.child.stdin:write(text)
end

--- Press keys, one after the other, each by its name: "up", "tab", "ctrl-c",
--- "alt-b" and so on.
---@param ... string
function Terminal:key(...)
  for _, name in ipairs { ... } do
    local letter = arrows[name]
    local control, alt = name:match "^ctrl%-(.)$", name:match "^alt%-(.)$"
    self:send(letter
        and (self.screen.modes["?1"] and "\27O" or "\27[") .. letter
      or control and string.char(control:upper():byte() & 31)
      or alt and "\27" .. alt
      or keys[name]
      or error("no key '" .. name .. "'", 2))
  end
end

--- Type a line and press Enter. The mark moves behind the cursor's row.
---@param text string
function Terminal:line(text)
  self:mark(1)
  self:send(text .. "\r")
end

-- Reading. -------------------------------------------------------------------

--- Move the mark to the cursor's row, or to a row below it. What the program
--- has written so far is not seen by expect_output() any more.
---@param below integer? so many rows below; default 0
function Terminal:mark(below)
  self.marked = self.screen.top + 1 + self.screen.row + (below or 0)
  self.from = #self.output + 1
end

--- Read what the program has written; wait for it. Returns false at its end.
function Terminal:pump()
  local text = self.child.stdout:read_some()
  if not text then
    return false
  end
  local dropped = math.max(#self.output - MOST, 0)
  self.output = self.output:sub(dropped + 1) .. text
  self.from = math.max(self.from - dropped, 1)
  self.screen:feed(text)
  if self.screen.replies ~= "" then
    self:send(self.screen.replies)
    self.screen.replies = ""
  end
  return true
end

--- Returns a report on the screen and the end of the output.
---@return string
function Terminal:picture()
  return ("%s\nlast output: %q"):format(self.screen:picture(),
    self.output:sub(-TAIL))
end

--- Wait until `holds()` returns a value that is true, and return that value. A
--- failure blames the caller of the caller, or that of a level, as error()
--- does, so do not call it in a tail call.
function Terminal:await(what, holds, level)
  local found, ended
  aw.scope({ timeout = process.PATIENCE }, function()
    found = holds()
    while not found and not ended do
      ended = not self:pump()
      found = holds()
    end
  end)
  if not found then
    busted.fail(("%s expected, but %s\n%s"):format(what, ended
      and "the program has ended" or "it does not come", self:picture()),
      level or 3)
  end
  return found
end

--- Wait until the screen shows a text below the mark, or the program ends.
--- Returns whether the text is shown.
---@param text string plain, not a pattern
---@return boolean
function Terminal:shows_before_its_end(text)
  local ended
  self:await(("%q, or the end,"):format(text), function()
    ended = not self:text():find(text, 1, true) and not self:pump()
    return ended or self:text():find(text, 1, true)
  end)
  return not ended
end

--- Wait until `holds(t)` returns a value that is true, and return that value.
---@param what string a name for messages
---@param holds fun(t): any
function Terminal:wait_until(what, holds)
  local found = self:await(what, function()
    return holds(self)
  end)
  return found
end

--- The text of all rows from the mark on, without the rest of a line that
--- begins above the mark; of many rows the last ones.
---@return string
function Terminal:text()
  local lines = self.screen.lines
  local first = math.max(self.marked, #lines - ROWS)
  while lines[first] and lines[first - 1] and lines[first - 1].wrapped do
    first = first + 1
  end
  return self.screen:transcript(first)
end

--- Wait until a text is to be seen below the mark.
---@param text string plain, not a pattern
function Terminal:expect(text)
  self:await(("%q"):format(text), function()
    return self:text():find(text, 1, true)
  end)
end

--- Wait until a text below the mark matches. Returns the captures.
---@param pattern string of Lua
---@return string ...
function Terminal:match(pattern)
  local captures = self:await("a match of " .. pattern, function()
    local list = { self:text():match(pattern) }
    return list[1] and list
  end)
  return table.unpack(captures)
end

--- Wait until the program has written these bytes since the mark was moved.
---@param bytes string
function Terminal:expect_output(bytes)
  self:await(("the output %q"):format(bytes), function()
    return self.output:find(bytes, self.from, true)
  end)
end

--- The row with the cursor, up to the cursor.
---@return string
function Terminal:before_cursor()
  local s = self.screen
  local row = s:row_text(s.row + 1)
  local cut = utf8.offset(row, s.col + 1)
  local text = cut and row:sub(1, cut - 1) or row
  return text .. (" "):rep(s.col - utf8.len(text))
end

function Terminal:await_prompt(text)
  local found = self:await(("the cursor after %q"):format(text), function()
    return self.screen.top + 1 + self.screen.row >= self.marked
      and self:before_cursor() == text
  end, 4)
  return found
end

--- Wait until the cursor is after a prompt: the row with the cursor, up to the
--- cursor, is `text`. The row is at or below the mark.
---@param text string? default: the prompt "> "
function Terminal:prompt(text)
  self:await_prompt(text or M.PROMPT)
end

--- Press Ctrl-Z, and wait until the shell has the terminal again. The kernel
--- sends the signal first and then looks whether it must echo the key, so "^Z"
--- can follow the shell's prompt.
function Terminal:stop()
  self:key "ctrl-z"
  self:await("the prompt of the shell", function()
    local row = self:before_cursor()
    return self.screen.top + 1 + self.screen.row >= self.marked
      and (row == "$ " or row == "$ ^Z")
  end)
end

--- Wait for the prompt, enter a line, and wait for the next prompt. Returns
--- what is to be seen between the two.
---@param text string
---@param prompt string? the next prompt; default: "> "
---@return string lines each ends in "\n"
function Terminal:eval(text, prompt)
  prompt = prompt or M.PROMPT
  self:await_prompt(M.PROMPT)
  self:line(text)
  self:await_prompt(prompt)
  local lines = self:text()
  local last = #prompt:gsub(" +$", "") + 1
  return lines:sub(1, -last - 1)
end

-- The terminal and the program. ----------------------------------------------

--- Change the size of the terminal. The kernel sends SIGWINCH.
---@param rows integer
---@param cols integer
function Terminal:resize(rows, cols)
  aw.exec { "stty", "-F", self.path, "rows", rows, "cols", cols, check = true }
  self.screen:resize(rows, cols)
end

--- Close the terminal, as a closed window does: the kernel sends SIGHUP.
function Terminal:hangup()
  self.child.stdout:close()
  self.child.stdin:close()
end

--- Send a signal to the program.
---@param name string such as "TERM"
function Terminal:kill(name)
  self.child:kill(name)
end

--- Wait for the end of the program, and of its output, unless the terminal is
--- closed. Returns how it has ended, as Process:wait() does.
---@return aiowire.Ended
function Terminal:wait()
  local ended
  local closed = not pcall(self.child.stdout.getfd, self.child.stdout)
  aw.scope({ timeout = process.PATIENCE }, function()
    while not closed do
      closed = not self:pump()
    end
    ended = self.child:wait()
  end)
  if not ended then
    busted.fail("the program does not end\n" .. self:picture(), 2)
  end
  return ended
end

return M
