-- Looks at Lua texts without running them, for --check: syntax errors, and
-- globals that are read but defined nowhere.
--
-- A text is compiled first. Only texts that `load` accepts are looked at for
-- names, so that the reader (tokens.lua, names.lua) can trust the
-- grammar. If a text has a syntax error, what it defines is not known, and no
-- name is warned of.
--
-- A global is defined if the program's state has it before any text runs, if
-- an option -l defines it, or if one of the texts assigns to it, anywhere. What
-- modules define that the texts require is out of reach.
--
-- check.c calls this file, in a state where nothing of the user has run.

local _, part = ...

local find_names <const> = part "host.check.names"
local tokens_of <const> = part "host.check.tokens"

-- Nearest names are looked for so often at most: a generated text with ten
-- thousand unknown names must not take minutes.
local MOST_HINTS <const> = 100

-- reading ---------------------------------------------------------------------

-- Return the text of an open file, or nil and the reason.
local function read_all(file)
  local text, reason = file:read "a"
  if file ~= io.stdin then
    file:close()
  end
  return text, reason
end

-- Return the text of a file, or of standard input, or nil and a message.
local function content_of(name)
  local file = io.stdin
  if name then
    local opened, message = io.open(name, "rb")
    if not opened then
      return nil, "cannot open " .. message
    end
    file = opened
  end
  local text, reason = read_all(file)
  return text, ("cannot read %s: %s"):format(name or "stdin", reason)
end

-- Leave out what Lua skips at the begin of a file: a byte order mark, and a
-- first line that begins with "#".
local function without_head(text)
  return (text:gsub("^\xEF\xBB\xBF", ""):gsub("^#[^\n]*\n?", "\n"))
end

-- Lua cuts long names of files in messages. Put the whole name there, so that
-- an editor finds the file, and keep the message in one line.
local function as_line(message, chunk_name, name)
  local short = debug.getinfo(load("", chunk_name, "t"), "S").short_src
  if message:sub(1, #short) == short then
    message = name .. message:sub(#short + 1)
  end
  return (message:gsub("\n", "\\n"))
end

-- Compile a source: { statement = text }, { file = name }, or {}, which is
-- standard input. Returns the text and a name for messages, or nil and a line
-- that tells what is wrong.
local function compile(source)
  local text, name = source.statement, "(command line)"
  if not text then
    local content, reason = content_of(source.file)
    if not content then
      return nil, "aiowire: " .. reason
    end
    text, name = without_head(content), source.file or "stdin"
  end
  local chunk_name = (source.file and "@" or "=") .. name
  local chunk, message = load(text, chunk_name, "t")
  if chunk then
    return text, name
  elseif text:sub(1, 1) == "\27" then -- bytecode has no lines
    return nil, ("aiowire: %s: %s"):format(name, message)
  end
  return nil, as_line(message, chunk_name, name)
end

-- names -----------------------------------------------------------------------

-- Add to `uses` each name that a text reads and that is not in `known`, once
-- for each line, and put what it defines into `known`. Returns true if the text
-- may define globals of any name.
local function collect(text, name, known, uses)
  local defines_any, seen = false, {}
  find_names(tokens_of(text), {
    read = function(global, line, scope)
      local key = not known[global] and global .. ":" .. line
      if key and not seen[key] then
        seen[key] = true
        uses[#uses + 1] = { global = global, text = name, line = line,
          scope = scope }
      end
    end,
    define = function(global)
      known[global] = true
    end,
    define_any = function()
      defines_any = true
    end,
  })
  return defines_any
end

local function sorted_names(set)
  local list = {}
  for name in pairs(set) do
    if type(name) == "string" and name:find "^[%a_][%w_]*$" then
      list[#list + 1] = name
    end
  end
  table.sort(list)
  return list
end

-- Could somebody who meant `other` have written `name`? Short names are near to
-- many others, so they must begin alike.
local function is_comparable(name, other)
  return #name > 3
    or #name > 1 and math.abs(#name - #other) <= 1
      and name:sub(1, 1):lower() == other:sub(1, 1):lower()
end

-- Return what the user may have meant: a local that is visible there, a global
-- that is defined, or a constant.
local function meant(use, globals, nearest)
  local candidates = {}
  local function add(name)
    if is_comparable(use.global, name) then
      candidates[#candidates + 1] = name
    end
  end
  local declaration = use.scope
  while declaration do
    add(declaration.name)
    declaration = declaration.outer
  end
  for _, name in ipairs(globals) do
    add(name)
  end
  for _, name in ipairs { "nil", "true", "false" } do
    add(name)
  end
  return nearest(use.global, candidates)
end

-- Add a warning to `lines` for each use of a name that is not in `known`.
local function warn(lines, uses, known, nearest)
  local globals, hints = sorted_names(known), 0
  for _, use in ipairs(uses) do
    if not known[use.global] then
      local hint
      if use.global == "aw" then
        hint = ' (needs `local aw = require "aiowire"`)'
      elseif hints < MOST_HINTS then
        hints = hints + 1
        local name = meant(use, globals, nearest)
        hint = name and (" (did you mean '%s'?)"):format(name)
      end
      lines[#lines + 1] = ("%s:%d: undefined global '%s'%s"):format(use.text,
        use.line, use.global, hint or "")
    end
  end
end

--- Check texts. Returns a list of findings, one line each, and true if all
--- texts can be compiled.
---@param sources { statement: string?, file: string? }[]
---@param defined string[] names that are defined besides those of the state
---@param nearest fun(name: string, list: string[]): string?
return function(sources, defined, nearest)
  local lines, texts = {}, {}
  for _, source in ipairs(sources) do
    local text, name_or_line = compile(source)
    if text then
      texts[#texts + 1] = { text = text, name = name_or_line }
    else
      lines[#lines + 1] = name_or_line
    end
  end
  if #lines > 0 then
    return lines, false
  end
  local known, uses, defines_any = {}, {}, false
  for name in pairs(_G) do
    known[name] = true
  end
  for _, name in ipairs(defined) do
    known[name] = true
  end
  for _, text in ipairs(texts) do
    defines_any = collect(text.text, text.name, known, uses) or defines_any
  end
  if not defines_any then
    warn(lines, uses, known, nearest)
  end
  return lines, true
end
