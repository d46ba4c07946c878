-- Which names of a Lua text are globals, for check.lua: the grammar of Lua. The
-- scopes of locals are in reader.lua.
--
-- The text is one that `load` has accepted, so this reader trusts the grammar:
-- it skips what must stand somewhere without looking at it, and needs no
-- precedence of operators, since all operands of an expression are read alike.
-- It nests as deeply as the text does, which `load` has limited.
--
-- Invariant
--   An expression returns what is known of its value: a string, if it is one
--     literal; GLOBALS, if it is a name of the table of globals; else nil.
--
-- Lua 5.5: what `global` declares counts as defined.

local _, part = ...

local reader <const> = part "host.check.reader"

local GLOBALS <const> = reader.GLOBALS
local advance <const>, accept <const> = reader.advance, reader.accept
local peek <const>, take_name <const> = reader.peek, reader.take_name
local declare <const>, leave <const> = reader.declare, reader.leave
local is_globals <const> = reader.is_globals
local read <const>, write <const> = reader.read, reader.write

local unary <const> = { ["not"] = true, ["-"] = true, ["~"] = true,
  ["#"] = true }

local binary <const> = { ["and"] = true, ["or"] = true }
for operator in ("+ - * / // % ^ .. & | ~ << >> < > <= >= == ~="):gmatch "%S+"
do
  binary[operator] = true
end

local ends_block <const> = { ["end"] = true, ["else"] = true,
  ["elseif"] = true, ["until"] = true, ["end of text"] = true }

-- What follows the word `global` of Lua 5.5 in a declaration.
local after_global <const> = { name = true, ["function"] = true, ["*"] = true,
  ["<"] = true }

local block, body, expression

-- expressions -----------------------------------------------------------------

-- Returns what is known of the first value.
local function expressions(r)
  local known = expression(r)
  while accept(r, ",") do
    expression(r)
  end
  return known
end

local function constructor(r)
  advance(r)
  while not accept(r, "}") do
    if accept(r, "[") then
      expression(r)
      advance(r) -- "]"
      advance(r) -- "="
    elseif r.kind == "name" and peek(r) == "=" then
      advance(r)
      advance(r)
    end
    expression(r)
    if r.kind == "," or r.kind == ";" then
      advance(r)
    end
  end
end

-- The functions of Lua that use a table without its metamethods, or give it
-- some, and what a call with the table of globals means for its fields.
local function call_with_globals(r, callee)
  if callee == "setmetatable" then
    r.on.define_any()
  elseif (callee == "rawset" or callee == "rawget") and accept(r, ",") then
    local key = expression(r)
    if type(key) == "string" then
      r.on.define(key)
    elseif callee == "rawset" then
      r.on.define_any()
    end
  end
end

-- Read the arguments of a call of the function with the name `callee`, or nil.
local function arguments(r, callee)
  if r.kind == "{" then
    constructor(r)
  elseif not accept(r, "string") then
    advance(r) -- "("
    if r.kind ~= ")" then
      if expression(r) == GLOBALS then
        call_with_globals(r, callee)
      end
      while accept(r, ",") do
        expression(r)
      end
    end
    advance(r) -- ")"
  end
end

-- Read `[k]` after a value of which `known` is known. Returns true if it is a
-- field of the table of globals whose name is not known.
local function index(r, known)
  advance(r) -- "["
  local key = expression(r)
  advance(r) -- "]"
  if known == GLOBALS and type(key) == "string" then
    r.on.define(key)
  end
  return known == GLOBALS and type(key) ~= "string"
end

-- Read `.name` after a value of which `known` is known.
local function field(r, known)
  advance(r) -- "."
  local name = take_name(r)
  if known == GLOBALS then
    r.on.define(name)
  end
end

-- Read one of `.name`, `[k]`, `:name(…)`, `(…)` after a value. Returns true
-- as index() does.
local function suffix(r, known, callee)
  if r.kind == "." then
    field(r, known)
  elseif r.kind == "[" then
    return index(r, known)
  else
    if accept(r, ":") then
      advance(r) -- the name of the method
      callee = nil
    end
    arguments(r, callee)
  end
end

local begins_suffix <const> = { ["."] = true, ["["] = true, [":"] = true,
  ["("] = true, ["{"] = true, string = true }

-- Read a variable or a call. Returns what is known of it; and what kind of
-- variable it is: "name", with its name and line, which nobody has reported
-- yet; "any", for an unknown field of the table of globals; or nil.
local function suffixed(r)
  local known, name, at
  if r.kind == "name" then
    at = r.line
    name = take_name(r)
    known = is_globals(r, name) and GLOBALS or nil
    if not begins_suffix[r.kind] then
      return known, "name", name, at
    end
    read(r, name, at)
  else
    advance(r) -- "("
    known = expression(r)
    advance(r) -- ")"
  end
  local is_any
  while begins_suffix[r.kind] do
    is_any = suffix(r, known, name)
    known, name = nil, nil
  end
  return known, is_any and "any" or nil
end

-- Read an operand that is no variable and no call; its kind is the key.
local operands <const> = {
  ["{"] = constructor,
  ["function"] = function(r)
    advance(r)
    body(r, false)
  end,
  string = function(r)
    local literal = r.value
    advance(r)
    return literal
  end,
  number = advance, ["nil"] = advance, ["true"] = advance,
  ["false"] = advance, ["..."] = advance,
}

local function operand(r)
  local read_operand = operands[r.kind]
  if read_operand then
    return read_operand(r)
  end
  local known, variable, name, at = suffixed(r)
  if variable == "name" then
    read(r, name, at)
  end
  return known
end

function expression(r)
  local is_plain = true
  while unary[r.kind] do
    advance(r)
    is_plain = false
  end
  local known = operand(r)
  while binary[r.kind] do
    is_plain = false
    repeat
      advance(r)
    until not unary[r.kind]
    operand(r)
  end
  return is_plain and known or nil
end

-- functions and blocks --------------------------------------------------------

-- Read a block in a scope of its own, up to the word that ends it.
local function inner_block(r)
  local outer = r.scope
  block(r)
  leave(r, outer)
end

-- Lua 5.5 may name the further arguments: `...rest`.
local function parameters(r)
  advance(r) -- "("
  while not accept(r, ")") do
    if r.kind == "name" then
      declare(r, r.value)
    end
    advance(r)
  end
end

-- Read the parameters and the block of a function.
function body(r, is_method)
  local outer = r.scope
  if is_method then
    declare(r, "self")
  end
  parameters(r)
  block(r)
  advance(r) -- "end"
  leave(r, outer)
end

-- statements ------------------------------------------------------------------

local function attribute(r)
  if accept(r, "<") then
    advance(r) -- its name
    advance(r) -- ">"
  end
end

-- Read names with attributes. Lua 5.5 allows one before all names, too.
local function attributed_names(r)
  local names = {}
  attribute(r)
  repeat
    names[#names + 1] = take_name(r)
    attribute(r)
  until not accept(r, ",")
  return names
end

local function local_statement(r)
  advance(r)
  if accept(r, "function") then
    declare(r, take_name(r))
    return body(r, false)
  end
  local names = attributed_names(r)
  local known = accept(r, "=") and expressions(r)
  for i, name in ipairs(names) do
    declare(r, name)
    r.scope.is_globals = i == 1 and known == GLOBALS
  end
end

local function global_statement(r)
  advance(r)
  if accept(r, "function") then
    r.on.define(take_name(r))
    return body(r, false)
  end
  for _, name in ipairs(attributed_names(r)) do -- none for `*`
    r.on.define(name)
  end
  if accept(r, "=") then
    expressions(r)
  end
end

local function function_statement(r)
  advance(r)
  local at = r.line
  local name = take_name(r)
  local is_method = false
  if r.kind == "(" then
    write(r, name)
  else
    read(r, name, at)
    local known = is_globals(r, name) and GLOBALS or nil
    while r.kind == "." do
      field(r, known)
      known = nil
    end
    is_method = accept(r, ":")
    if is_method then
      advance(r)
    end
  end
  body(r, is_method)
end

-- Read the rest of an assignment whose first target has been read.
local function assignment(r, variable, name)
  local targets = { { variable, name } }
  while accept(r, ",") do
    local _, further, further_name = suffixed(r)
    targets[#targets + 1] = { further, further_name }
  end
  advance(r) -- "="
  local known = expressions(r)
  for i, target in ipairs(targets) do
    if target[1] == "name" then
      write(r, target[2], i == 1 and known or nil)
    elseif target[1] == "any" then
      r.on.define_any()
    end
  end
end

local function other_statement(r)
  if r.value == "global" and after_global[peek(r)] then
    return global_statement(r)
  end
  local _, variable, name = suffixed(r)
  if r.kind == "=" or r.kind == "," then
    assignment(r, variable, name)
  end
end

local function if_statement(r)
  repeat
    advance(r) -- "if", "elseif"
    expression(r)
    advance(r) -- "then"
    inner_block(r)
  until r.kind ~= "elseif"
  if accept(r, "else") then
    inner_block(r)
  end
  advance(r) -- "end"
end

local function for_statement(r)
  local outer = r.scope
  advance(r)
  local names = attributed_names(r)
  advance(r) -- "=", "in"
  expressions(r)
  advance(r) -- "do"
  for _, name in ipairs(names) do
    declare(r, name)
  end
  block(r)
  advance(r) -- "end"
  leave(r, outer)
end

local function while_statement(r)
  advance(r)
  expression(r)
  advance(r) -- "do"
  inner_block(r)
  advance(r) -- "end"
end

local function repeat_statement(r)
  local outer = r.scope
  advance(r)
  block(r)
  advance(r) -- "until"
  expression(r) -- sees the locals of the block
  leave(r, outer)
end

local function do_statement(r)
  advance(r)
  inner_block(r)
  advance(r) -- "end"
end

local function return_statement(r)
  advance(r)
  if not ends_block[r.kind] and r.kind ~= ";" then
    expressions(r)
  end
end

local function label(r)
  advance(r)
  advance(r) -- the name
  advance(r) -- "::"
end

local function goto_statement(r)
  advance(r)
  advance(r) -- the name
end

local statements <const> = {
  ["if"] = if_statement, ["for"] = for_statement,
  ["while"] = while_statement, ["repeat"] = repeat_statement,
  ["do"] = do_statement, ["function"] = function_statement,
  ["local"] = local_statement, ["return"] = return_statement,
  ["goto"] = goto_statement, ["::"] = label,
  ["break"] = advance, [";"] = advance,
}

-- Read a block in the current scope, up to the word that ends it.
function block(r)
  while not ends_block[r.kind] do
    (statements[r.kind] or other_statement)(r)
  end
end

--- Find the uses of globals in a text.
---
---   next_token  gives the tokens (see tokens.lua)
---   on          functions:
---     read(name, line, scope)  the text reads or calls the global there, where
---                              the locals of `scope` are visible
---     define(name)             the text assigns to the global or declares it,
---                              or names it as a field of _G or _ENV
---     define_any()             the text may define globals of any name: it
---                              assigns to `_G[k]` or to _ENV, or gives _G a
---                              metatable
return function(next_token, on)
  block(reader.new(next_token, on))
end
