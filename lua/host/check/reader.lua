-- A reader of a Lua text, for names.lua: its place among the tokens, and the
-- names that are visible there.
--
-- A name without a declaration is the field of that name in _ENV. It is a
-- global unless a local `_ENV` is visible.
--
-- Fields of a reader, `r`:
--   next_token                      gives the tokens
--   kind, value, line               the current token
--   ahead, ahead_value, ahead_line  the next token, if peek() has read it
--   visible, scope                  see the invariants
--   aliases                         names of globals that were given _G or _ENV
--   on                              what to call for findings; see names.lua
--
-- Invariants
--   visible[name] is the innermost declaration of `name`, or nil.
--   scope is the newest visible declaration; by `outer`, all visible ones.
--     Declarations never change their `outer`, so whoever keeps a scope can
--     list later what was visible.

local M = {}

--- What is known of a value that is the table of globals.
M.GLOBALS = {}

-- tokens ----------------------------------------------------------------------

function M.advance(r)
  if r.ahead then
    r.kind, r.value, r.line = r.ahead, r.ahead_value, r.ahead_line
    r.ahead = nil
  else
    r.kind, r.value, r.line = r.next_token()
  end
end

function M.peek(r)
  if not r.ahead then
    r.ahead, r.ahead_value, r.ahead_line = r.next_token()
  end
  return r.ahead
end

-- Go past the current token if it is `wanted`, and tell so.
function M.accept(r, wanted)
  if r.kind == wanted then
    M.advance(r)
    return true
  end
  return false
end

function M.take_name(r)
  local name = r.value
  M.advance(r)
  return name
end

-- names -----------------------------------------------------------------------

function M.declare(r, name)
  r.scope = { name = name, outer = r.scope, hidden = r.visible[name] }
  r.visible[name] = r.scope
end

function M.leave(r, outer)
  while r.scope ~= outer do
    r.visible[r.scope.name] = r.scope.hidden
    r.scope = r.scope.outer
  end
end

-- Any variable of the name _G counts as the table of globals.
function M.is_globals(r, name)
  local declaration = r.visible[name]
  if name == "_G" then
    return true
  elseif declaration then
    return declaration.is_globals
  end
  return name == "_ENV" or r.aliases[name]
end

function M.read(r, name, at)
  if not r.visible[name] and name ~= "_ENV" and not r.visible._ENV then
    r.on.read(name, at, r.scope)
  end
end

-- Assign to a name something of which `known` is known.
function M.write(r, name, known)
  local declaration, env = r.visible[name], r.visible._ENV
  if declaration then
    declaration.is_globals = declaration.is_globals or known == M.GLOBALS
  elseif name == "_ENV" then
    r.on.define_any()
  elseif not env or env.is_globals then
    r.on.define(name)
    r.aliases[name] = r.aliases[name] or known == M.GLOBALS
  end
end

--- Return a reader at the first token of a text.
function M.new(next_token, on)
  local r = { next_token = next_token, on = on, visible = {}, aliases = {} }
  M.advance(r)
  return r
end

return M
