--- top.lua: `aiowire --top`, the tasks of another program [D45-D49]
---
--- This is a program of aiowire itself. On a terminal, four tasks send events
--- to the main one, which alone changes the view and writes:
---
---   program ─► read_answers ─┐
---   keys ────► read_keys ────┼─► channel ─► main ─► View ─► Screen ─► terminal
---   time ────► tick ─────────┤                └───► `tasks`, one at a time
---   size, fg ► watch_window ─┘
---
--- Whatever ends the main task closes the screen first: the terminal gets its
--- modes back. Elsewhere than on a terminal, one table is printed.
---
--- Neighbours: top.c has the terminal, as the table `term`:
---
---   term.enter()        take the terminal; returns the descriptors of the
---                       terminal, and of news of size and stops
---   term.leave()        give it back; may be called again
---   term.resume()       empty the news; true: draw the whole screen
---   term.read()         bytes of keys; "": none; nil: the terminal is gone
---   term.write(text, from)   the number of bytes written; nil: it is gone
---   term.size()         rows and columns
---   term.fail(text), term.note(text)   to standard error
---   term.interactive, term.ascii, term.codes (style -> SGR)
local aw, part = ...

local find <const> = part "host.top.find"
local keys <const> = part "host.top.keys"
local protocol <const> = part "host.top.protocol"
local screen <const> = part "host.top.screen"
local texts <const> = part "host.top.texts"
local view <const> = part "host.top.view"

local STATUS_ERROR <const> = 1

--- What comes more seconds than these after an Escape is another key.
local ESCAPE_TIME <const> = 0.1

local M = {}

-- Without a terminal ---------------------------------------------------------

local function fail(term, text)
  term.fail("aiowire: " .. texts.clean(text, term.ascii))
  return STATUS_ERROR
end

-- Print a text to standard output. Returns the status.
local function print_text(term, text)
  local ok, err = aw.pcall(aw.stdout.write, aw.stdout, text)
  return ok and 0 or fail(term, tostring(err))
end

-- Ask for the tasks, and wait for the answer.
local function snapshot_of(connection)
  if not connection:ask "tasks" then
    return nil, "it has closed the connection"
  end
  local event = connection:next(find.PATIENCE)
  if event.kind ~= "answer" then
    return nil, event.why or "it has closed the connection"
  end
  return protocol.snapshot(event.records)
end

local function print_once(term, connection)
  local snapshot, why = snapshot_of(connection)
  if not snapshot then
    return fail(term, ("cannot inspect process %s: %s"):format(
      connection.hello.pid, why))
  end
  local shown = view.new(connection.hello, term.ascii)
  shown:take(snapshot)
  return print_text(term, screen.text(shown:all_lines(), term.codes))
end

local function print_list(term)
  local programs = find.all()
  if #programs == 0 then
    return fail(term, "no program can be inspected; to make one so, "
      .. find.ADVICE)
  end
  local lines = { ("%8s  %-12s  program"):format("pid", "version") }
  for i, program in ipairs(programs) do
    lines[i + 1] = ("%8s  %-12s  %s"):format(program.pid,
      texts.clean(program.version or "-", term.ascii),
      program.name and texts.shorten(texts.clean(program.name, term.ascii), 56,
        term.ascii) or ("(%s)"):format(program.why))
  end
  return print_text(term, table.concat(lines, "\n") .. "\n")
end

-- The screen -----------------------------------------------------------------

---@class host.Top
---@field term table
---@field pid string
---@field connection host.TopConnection
---@field view host.TopView
---@field screen host.TopScreen
---@field events aiowire.Channel
---@field fd integer of the terminal
---@field asked? number when the request was sent that is still unanswered
---@field fresh boolean the connection has not answered yet
---@field ticker aiowire.Task
local Top = {}
Top.__index = Top

local function read_answers(self, connection)
  repeat
    local event = connection:next()
    event.connection = connection
    self.events:send(event)
  until event.kind == "closed" or event.kind == "broken"
end

-- Wait for more of a key. False: nothing has come soon.
local function more_comes(self)
  local comes = false
  aw.scope({ timeout = ESCAPE_TIME }, function()
    aw.readable(self.fd)
    comes = true
  end)
  return comes
end

local function read_keys(self)
  local input = keys.new()
  while true do
    local list
    if input:is_waiting() and not more_comes(self) then
      list = input:flush()
    else
      aw.readable(self.fd)
      local bytes = self.term.read()
      if not bytes then
        break
      end
      list = input:feed(bytes)
    end
    for _, key in ipairs(list) do
      self.events:send { kind = "key", key = key }
    end
  end
  self.events:send { kind = "gone" }
end

local function tick(self)
  while true do
    aw.sleep(self.view:interval())
    self.events:send { kind = "tick" }
  end
end

local function watch_window(self, news)
  while true do
    aw.readable(news)
    self.events:send { kind = "window" }
  end
end

-- Write to the terminal, however slow it is. False: it is gone.
local function write(self, text)
  local from = 0
  while from < #text do
    local count = self.term.write(text, from)
    if not count then
      return false
    elseif count == 0 then
      aw.writable(self.fd)
    end
    from = from + count
  end
  return true
end

local function draw(self)
  return write(self, self.screen:paint(self.view:lines(self.term.size())))
end

local function ask(self)
  if not self.asked then
    self.asked = aw.now()
    self.connection:ask "tasks" -- if it fails, the reader sees the end
  end
end

local function begin_reading(self, scope, connection)
  self.connection, self.asked, self.fresh = connection, nil, true
  scope:start(aw.Call(read_answers, self, connection))
  ask(self)
end

local function begin_ticking(self, scope)
  if self.ticker then
    self.ticker:cancel()
  end
  self.ticker = scope:start(aw.Call(tick, self))
end

-- What events do. A function returns how top ends, if it does: an exit status
-- and a text.

local handlers = {}

function handlers.answer(self, event)
  local snapshot, why = protocol.snapshot(event.records)
  self.asked, self.fresh, self.view.note = nil, false, nil
  if not snapshot then
    return STATUS_ERROR, why
  end
  if not self.view.paused then
    self.view:take(snapshot)
  end
end

function handlers.broken(_, event)
  return STATUS_ERROR, event.why
end

-- The program has ended; or it has given up this connection, as after a long
-- stop of this process.
function handlers.closed(self, _, scope)
  self.connection:close()
  local connection, why, absent = find.open(self.pid)
  if connection and not self.fresh then
    begin_reading(self, scope, connection)
    return
  elseif connection then
    connection:close()
    why = "it closes each connection"
  end
  if find.has_ended(self.pid) then
    return 0, ("process %s has ended"):format(self.pid)
  elseif absent then
    return 0, ("process %s can no longer be inspected"):format(self.pid)
  end
  return STATUS_ERROR, why
end

function handlers.tick(self)
  if self.asked and not self.view.paused then
    self.view.note = ("no answer for %.1f s"):format(aw.now() - self.asked)
  elseif not self.view.paused then
    ask(self)
  end
end

function handlers.key(self, event, scope)
  local action = self.view:key(event.key)
  if action == "quit" then
    return 0
  elseif action == "draw" then
    self.screen:forget()
  elseif action == "pace" then
    begin_ticking(self, scope)
  end
end

-- The terminal is gone. A SIGHUP comes with that, unless it is ignored.
function handlers.gone()
  aw.sleep(1)
  return STATUS_ERROR
end

function handlers.window(self)
  if self.term.resume() then
    self.screen:forget()
  end
end

local function is_stale(self, event)
  return event.connection and event.connection ~= self.connection
end

-- Handle events until one ends top. Those that are there already come before
-- the next drawing.
local function handle_events(self, scope)
  local event = nil
  while true do
    if not event then
      event = draw(self) and self.events:recv() or { kind = "gone" }
    end
    if not is_stale(self, event) then
      local status, text = handlers[event.kind](self, event, scope)
      if status then
        return status, text
      end
    end
    event = self.events:try_recv()
  end
end

-- Show the screen until the user or the program ends it. Returns the status, a
-- text and the view.
local function run_screen(term, connection)
  local self = setmetatable({ term = term, pid = connection.hello.pid,
    view = view.new(connection.hello, term.ascii),
    screen = screen.new(term.codes), events = aw.channel() }, Top)
  local status, text
  self.connection = connection
  local _ <close> = setmetatable({}, { __close = function()
    term.leave()
    self.connection:close()
  end })
  local news
  self.fd, news = term.enter()
  aw.scope(function(scope)
    begin_reading(self, scope, connection)
    scope:start(aw.Call(read_keys, self))
    scope:start(aw.Call(watch_window, self, news))
    begin_ticking(self, scope)
    status, text = handle_events(self, scope)
    scope:cancel()
  end)
  return status, text, self.view
end

-- The program has ended: leave its last table on the normal screen.
local function print_last(term, shown)
  if shown.snapshot then
    local rows, columns = term.size()
    local lines = shown:all_lines(columns)
    for i = #lines, math.max(rows - 1, 1), -1 do -- room for two lines more
      lines[i] = nil
    end
    aw.stdout:write(screen.text(lines, term.codes))
  end
end

local function show(term, connection)
  local status, text, shown = run_screen(term, connection)
  if status == 0 and text then
    print_last(term, shown)
    term.note("aiowire: " .. text)
  elseif text then
    fail(term, ("cannot inspect process %s: %s"):format(connection.hello.pid,
      text))
  end
  return status
end

--- Run `aiowire --top`.
---@param term table see the head of this file
---@param pid? string digits; nil: list the programs that can be inspected
function M.run(term, pid)
  local status
  if not pid then
    status = print_list(term)
  else
    local connection, why = find.open(pid)
    if not connection then
      status = fail(term, why)
    elseif term.interactive then
      status = show(term, connection)
    else
      status = print_once(term, connection)
      connection:close()
    end
  end
  if status ~= 0 then
    os.exit(status)
  end
end

return M
