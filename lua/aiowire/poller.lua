--- poller.lua: aw.Poller({[src] = w, ...}, opts) calls back when sources are
--- ready
---
--- A Poller is a registry of sources that runs as a wire [V5]. A run has a
--- scope, with one child task for each source: a Forever of a wire that waits
--- for the source, and then goes on with the callback (readiness.c). The
--- Poller's own task starts these children and waits at its gate. register,
--- shutdown and a failure open the gate, so any code may register a source, and
--- only one task starts children.
---
--- `run` is one run of a Poller. shutdown and unregister end the waits of that
--- run. Its callbacks under way finish in it, even if the Poller has been
--- started again.
local aw, inner = ...

local READABLE <const>, WRITABLE <const> = 1, 2

local EVENTS <const> = {
  r = READABLE, w = WRITABLE, rw = READABLE | WRITABLE,
  [1] = READABLE, [2] = WRITABLE, [3] = READABLE | WRITABLE,
}
local TITLES <const> = { "Readable(%s)", "Writable(%s)", "Ready(%s)" }
local OPTIONS <const> = { "flags", "on_error", "interval" }

local Poller = {}

-- [Poller] = { sources = { [src] = entry }, count, made, flags, on_error, run }
local state_of = setmetatable({}, { __mode = "k" })

function inner.is_poller(v)
  return state_of[v] ~= nil
end

local function state(poller)
  local found = state_of[poller]
  if not found then
    inner.bad_type(1, "Poller", poller)
  end
  return found
end

local function shown_flags(flags)
  return type(flags) == "string" and inner.shown(flags)
    or flags == nil and "no value" or inner.type_name(flags)
end

local function check_flags(flags, arg)
  local events = EVENTS[flags]
  if not events then
    inner.bad_argument(arg, "flags must be 'r', 'w' or 'rw', got "
      .. shown_flags(flags))
  end
  return events
end

--- Make the entry of a source from the arguments of `register`.
local function new_entry(src, w, flags)
  local fd, name, why, _
  if src ~= nil then
    fd, _, name, why = inner.look(src)
  end
  if not fd then
    inner.bad_type(2, "source", src)
  elseif why then
    inner.bad_argument(2, why)
  end
  if w == nil or not inner.is_wire(w) then
    inner.bad_type(3, "wire", w)
  end
  return { src = src, w = w, fd = fd, name = name, where = inner.where(),
    events = check_flags(flags, 4) }
end

-- Running -------------------------------------------------------------------

--- Return the results of an object's callback. First look at the object again,
--- since its buffer may hold the next request.
local function renewed(watched, src, ...)
  inner.renew(watched, src)
  return ...
end

--- Return the callback of an entry. The callback of an object also looks at the
--- object again, after its own work.
local function callback_of(run, entry)
  local _, is_object = inner.look(entry.src)
  if not is_object then
    return entry.w
  end
  return function(ev)
    return renewed(run.watched[entry], entry.src, entry.w(ev))
  end
end

local function unwatch(run, entry)
  local watched = run.watched[entry]
  run.watched[entry] = nil
  if watched then
    inner.unwatch(watched)
  end
end

--- Return the handler of an entry's task, if the Poller has on_error. The
--- source stays registered, unless it cannot be waited for.
local function handler_of(self, run, entry)
  if not self.on_error then
    return nil
  end
  return function(ev, err, info)
    local watched = run.watched[entry]
    if watched and inner.broken(watched) then
      Poller.unregister(run.poller, entry.src)
    elseif watched then
      unwatch(run, entry) -- on_error may unregister and close the source
      run.new[#run.new + 1] = entry
      inner.open(run.gate)
    end
    return self.on_error(ev, err, info)
  end
end

local function start_new(self, run, scope)
  local new = run.new
  run.new = {}
  for _, entry in ipairs(new) do
    if self.sources[entry.src] == entry then
      local watched, wire = inner.watch(entry.src, entry.events,
        callback_of(run, entry))
      run.watched[entry] = watched
      inner.start(scope, wire, handler_of(self, run, entry),
        TITLES[entry.events]:format(entry.name), entry.where)
    end
  end
end

local function stop(self, run)
  if self.run == run then
    self.run = nil
  end
  run.over = true
  for entry in pairs(run.watched) do
    unwatch(run, entry)
  end
  inner.open(run.gate)
end

--- Return all entries in the order of their registration.
local function all_entries(self)
  local list = {}
  for _, entry in pairs(self.sources) do
    list[#list + 1] = entry
  end
  table.sort(list, function(a, b)
    return a.number < b.number
  end)
  return list
end

local function run_poller(poller)
  local self = state_of[poller]
  if self.run then
    error("this Poller is running already", 0)
  end
  local run = { poller = poller, gate = inner.gate(), watched = {},
    new = all_entries(self) }
  self.run = run
  local _ <close> = setmetatable({}, {
    __close = function()
      stop(self, run)
    end,
  })
  aw.scope(function(scope)
    start_new(self, run, scope)
    while not run.over do
      inner.pass(run.gate)
      if not run.over then
        start_new(self, run, scope)
      end
    end
  end)
end

-- The registry --------------------------------------------------------------

local function add(self, entry)
  self.made = self.made + 1
  entry.number = self.made
  self.sources[entry.src] = entry
  self.count = self.count + 1
  if self.run then
    table.insert(self.run.new, entry)
    inner.open(self.run.gate)
  end
end

--- Register a source; a running Poller waits for it from now on.
Poller.register = inner.method("register", function(self, src, w, flags)
  local this = state(self)
  if flags == nil then
    flags = this.flags
  end
  local entry = new_entry(src, w, flags)
  if this.sources[src] then
    inner.raise("this source is registered already: " .. tostring(src))
  end
  add(this, entry)
end)

--- Stop waiting for a source. Its callback under way finishes.
Poller.unregister = inner.method("unregister", function(self, src)
  local this = state(self)
  local entry = src ~= nil and this.sources[src]
  if not entry then
    inner.raise("this source is not registered: " .. tostring(src))
  end
  this.sources[src] = nil
  this.count = this.count - 1
  if this.run then
    unwatch(this.run, entry)
  end
end)

--- End the run, if there is one. Callbacks under way finish.
Poller.shutdown = inner.method("shutdown", function(self)
  local this = state(self)
  if this.run then
    stop(this, this.run)
  end
end)

local meta = { __index = Poller, __name = "Poller", __metatable = false }

meta.__call = run_poller

function meta:__tostring()
  local this = state_of[self]
  return ("Poller (%d sources%s)"):format(this.count,
    this.run and ", running" or "")
end

function meta.__newindex(_, key)
  inner.raise(("a Poller's fields are read only (cannot set '%s')"):format(
    inner.shown(key)))
end

local function as_wire(value)
  return state_of[value] and aw.Wire(value) or value
end

function meta.__shr(a, b)
  return as_wire(a) >> as_wire(b)
end

function meta.__mul(a, b)
  return as_wire(a) * as_wire(b)
end

function meta.__band(a, b)
  return as_wire(a) & as_wire(b)
end

function meta.__bor(a, b)
  return as_wire(a) | as_wire(b)
end

function meta.__idiv(a, b)
  return as_wire(a) // as_wire(b)
end

function meta.__div(a, b)
  return as_wire(a) / b
end

-- Making a Poller -----------------------------------------------------------

local function by_descriptor(a, b)
  return a.fd < b.fd or (a.fd == b.fd and type(a.src) < type(b.src))
end

--- Return the entries of a table of sources, in the order of descriptors [O6].
local function entries_of(sources, flags)
  local list, where = {}, inner.where()
  for src, w in pairs(sources) do
    local fd, _, name, why = inner.look(src)
    if why then
      inner.bad_argument(1, why)
    elseif not fd then
      inner.bad_argument(1, ("source expected as key, got %s (%s)"):format(
        inner.type_name(src), inner.shown(src)))
    end
    if not inner.is_wire(w) then
      inner.bad_argument(1, ("wire expected for source %s, got %s"):format(
        inner.shown(src), inner.type_name(w)))
    end
    list[#list + 1] = { src = src, w = w, fd = fd, name = name,
      events = flags, where = where }
  end
  table.sort(list, by_descriptor)
  return list
end

local function check_options(opts)
  inner.check_options(2, opts, OPTIONS)
  local on_error = opts.on_error
  if on_error ~= nil and type(on_error) ~= "function" then
    inner.bad_option("on_error", "function", on_error)
  elseif on_error == aw.keep then
    inner.raise("bad option 'on_error' (aw.keep is for start(): no task is "
      .. "left to keep the failure)")
  end
  local events = EVENTS[opts.flags == nil and "r" or opts.flags]
  if not events then
    inner.raise(("bad option 'flags' ('r', 'w' or 'rw' expected, got %s)")
      :format(shown_flags(opts.flags)))
  end
  return events
end

return function(sources, opts)
  sources, opts = sources or {}, opts or {}
  if type(sources) ~= "table" then
    inner.bad_type(1, "table", sources)
  end
  local events = check_options(opts)
  local flags = opts.flags == nil and "r" or opts.flags
  local self = { sources = {}, count = 0, made = 0, flags = flags,
    on_error = opts.on_error }
  for _, entry in ipairs(entries_of(sources, events)) do
    add(self, entry)
  end
  local poller = setmetatable({}, meta)
  state_of[poller] = self
  return poller
end
