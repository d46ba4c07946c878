--- Random Lua programs that compile, for specs of what reads Lua: all kinds of
--- statements and expressions, with few names, so that locals and globals of
--- the same name meet.
---
--- A program is made as a list of tokens. In the layout "lines", each simple
--- statement and each head of a block is a line. In the layout "free", line
--- ends, comments and blanks of all kinds stand between the tokens, or nothing
--- where the tokens stay apart.

local new_random = require "spec.support.random"

local NAMES <const> = { "a", "b", "c", "d", "e", "self" }
local CONSTANTS <const> = { "k", "q" } -- never assigned after their declaration
local FIELDS <const> = { "a", "x", "y" }
local BINARY <const> = { "+", "-", "*", "/", "//", "%", "^", "..", "&", "|",
  "~", "<<", ">>", "<", ">", "<=", ">=", "==", "~=", "and", "or" }
local LITERALS <const> = { "nil", "true", "false", "1", "0x1p4", "3e-2", ".5",
  "7.", "0xA.8", "''", [["\"a\\"]], "'\\z  b'", "[[c]]", "[==[ d]] ]==]" }
local BLANKS <const> = { " ", "\n", "\t", "\r\n", "\n\r", "\r", "\v\f",
  " --a\n", " --[b\n", " --[[c\nd]]", " --[==[e]]\n]==]", "\n--\r\n" }
local DEEPEST <const> = 5

local Program = {}
Program.__index = Program

-- A "\n" among the tokens is the end of a line in the layout "lines".
function Program:put(...)
  for _, token in ipairs { ... } do
    self.tokens[#self.tokens + 1] = token
  end
end

-- Put `what()` one to `most` times, with a token between.
function Program:list(most, between, what)
  for i = 1, self.random:between(1, most) do
    if i > 1 then
      self:put(between)
    end
    what(self)
  end
end

function Program:name()
  self:put(self.random:pick(NAMES))
end

-- A name that declares a local; now and then _ENV.
function Program:new_name()
  self:put(self.random:chance(self.env_share) and "_ENV"
    or self.random:pick(NAMES))
end

-- Expressions ----------------------------------------------------------------

local expressions = {}

function Program:expression()
  if self.depth >= DEEPEST then
    return self:name()
  end
  self.depth = self.depth + 1
  expressions[self.random:weighted(self.kinds)](self)
  self.depth = self.depth - 1
end

function Program:expressions()
  self:list(3, ",", Program.expression)
end

Program.kinds = { { 30, "name" }, { 10, "literal" }, { 12, "binary" },
  { 8, "unary" }, { 12, "suffixed" }, { 6, "table" }, { 6, "lambda" },
  { 3, "parentheses" }, { 2, "environment" }, { 3, "arguments" } }

expressions.name = function(p)
  p:put(p.random:pick(p.random:chance(10) and CONSTANTS or NAMES))
end

function expressions.literal(p)
  p:put(p.random:pick(LITERALS))
end

function expressions.binary(p)
  p:expression()
  p:put(p.random:pick(BINARY))
  p:expression()
end

function expressions.unary(p)
  p:put(p.random:pick { "-", "not", "#", "~" })
  p:expression()
end

function expressions.parentheses(p)
  p:put "("
  p:expression()
  p:put ")"
end

function expressions.environment(p)
  p:put(p.env_share > 0 and "_ENV" or "_VERSION")
end

function expressions.arguments(p)
  p:put(p.varargs and "..." or "nil")
end

function expressions.table(p)
  p:put "{"
  for _ = 1, p.random:below(4) do
    local kind = p.random:below(3)
    if kind == 1 then
      p:put(p.random:pick(FIELDS), "=")
    elseif kind == 2 then
      p:put "["
      p:expression()
      p:put("]", "=")
    end
    p:expression()
    p:put(p.random:pick { ",", ";" })
  end
  p:put "}"
end

function expressions.lambda(p)
  p:put "function"
  p:body()
end

local suffixes = {
  function(p) p:put(".", p.random:pick(FIELDS)) end,
  function(p)
    p:put "["
    p:expression()
    p:put "]"
  end,
  function(p) p:call() end,
  function(p)
    p:put(":", p.random:pick(FIELDS))
    p:call()
  end,
}

-- A variable or a call, which ends with the suffix `last`, if that is given.
function Program:suffixed(last)
  self:name()
  for _ = 1, self.random:below(3) do
    self.random:pick(suffixes)(self)
  end
  if last then
    suffixes[last](self)
  end
end

function expressions.suffixed(p)
  p:suffixed(p.random:between(1, #suffixes))
end

-- The arguments of a call.
function Program:call()
  local kind = self.random:below(6)
  if kind == 0 then
    self:put "''"
  elseif kind == 1 then
    expressions.table(self)
  else
    self:put "("
    if kind > 2 then
      self:expressions()
    end
    self:put ")"
  end
end

-- Functions and blocks -------------------------------------------------------

-- The parameters, the block and the end of a function.
function Program:body()
  local varargs, in_loop = self.varargs, self.in_loop
  self.varargs, self.in_loop = self.random:chance(30), false
  self:put "("
  if self.random:chance(60) then
    self:list(3, ",", Program.new_name)
    self:put(self.varargs and "," or nil)
  end
  self:put(self.varargs and "..." or nil)
  self:put ")"
  self:block "end"
  self.varargs, self.in_loop = varargs, in_loop
end

local statements = {}

Program.statement_kinds = { { 20, "assign" }, { 15, "call" }, { 20, "declare" },
  { 6, "local_function" }, { 8, "global_function" }, { 8, "branch" },
  { 5, "numeric" }, { 5, "generic" }, { 5, "loop" }, { 6, "until_true" },
  { 4, "block" }, { 3, "jump" }, { 2, "constant" }, { 2, "empty" } }

function Program:statement()
  self.depth = self.depth + 1
  local kind = self.depth >= DEEPEST and "assign"
    or self.random:weighted(self.statement_kinds)
  statements[kind](self)
  self:put "\n"
  self.depth = self.depth - 1
end

-- Statements of a block, and the word `last`.
function Program:block(last)
  self:put "\n"
  for _ = 1, self.random:below(self.depth > 2 and 3 or 5) do
    self:statement()
  end
  if self.random:chance(15) then
    self:put "return"
    if self.random:chance(80) then
      self:expressions()
    end
    self:put(self.random:chance(30) and ";" or nil)
    self:put "\n"
  elseif self.in_loop and self.random:chance(20) then
    self:put("break", "\n")
  end
  self:put(last)
end

function Program:loop_block(last)
  local in_loop = self.in_loop
  self.in_loop = true
  self:block(last)
  self.in_loop = in_loop
end

function statements.assign(p)
  p:list(2, ",", function()
    if p.random:chance(60) then
      p:name()
    else
      p:suffixed(p.random:between(1, 2))
    end
  end)
  p:put "="
  p:expressions()
end

function statements.call(p)
  if p.random:chance(15) then
    p:put(";")
    expressions.parentheses(p)
    p:call()
  else
    p:suffixed(p.random:between(3, 4))
  end
end

function statements.declare(p)
  p:put "local"
  p:list(3, ",", Program.new_name)
  if p.random:chance(80) then
    p:put "="
    p:expressions()
  end
end

function statements.constant(p)
  p:put("local", p.random:pick(CONSTANTS), "<", p.random:pick { "const",
    "close" }, ">", "=")
  p:expression()
end

function statements.local_function(p)
  p:put("local", "function")
  p:name()
  p:body()
end

function statements.global_function(p)
  p:put "function"
  p:name()
  for _ = 1, p.random:below(3) do
    p:put(".", p.random:pick(FIELDS))
  end
  if p.random:chance(30) then
    p:put(":", p.random:pick(FIELDS))
  end
  p:body()
end

function statements.branch(p)
  p:put "if"
  p:expression()
  p:put "then"
  for _ = 1, p.random:below(3) do
    p:block "elseif"
    p:expression()
    p:put "then"
  end
  if p.random:chance(40) then
    p:block "else"
  end
  p:block "end"
end

function statements.numeric(p)
  p:put "for"
  p:new_name()
  p:put "="
  p:expression()
  p:put ","
  p:expression()
  p:put "do"
  p:loop_block "end"
end

function statements.generic(p)
  p:put "for"
  p:list(3, ",", Program.new_name)
  p:put "in"
  p:expressions()
  p:put "do"
  p:loop_block "end"
end

function statements.loop(p)
  p:put "while"
  p:expression()
  p:put "do"
  p:loop_block "end"
end

function statements.until_true(p)
  p:put "repeat"
  p:loop_block "until"
  p:expression()
end

function statements.block(p)
  p:put "do"
  p:block "end"
end

function statements.jump(p)
  p.labels = p.labels + 1
  local label = "l" .. p.labels
  p:put("goto", label, "::", label, "::")
end

function statements.empty(p)
  p:put ";"
end

-- Layout ---------------------------------------------------------------------

local function in_lines(tokens)
  return (table.concat(tokens, " "):gsub("\n ", "\n"))
end

-- Tokens that need nothing before or behind them.
local apart = { ["("] = true, [")"] = true, ["{"] = true, ["}"] = true,
  [","] = true, [";"] = true, ["]"] = true, ["#"] = true }

local function freely(tokens, random)
  local parts = {}
  for i, token in ipairs(tokens) do
    parts[#parts + 1] = token ~= "\n" and token or nil
    local joins = apart[token] or apart[tokens[i + 1]]
    if not joins or random:chance(30) then
      parts[#parts + 1] = random:chance(60) and " " or random:pick(BLANKS)
    end
  end
  return table.concat(parts)
end

--- Returns a program.
---@param seed integer
---@param layout "lines"|"free"
---@param env_share integer of 100 declarations, so many are those of an _ENV
---@return string
return function(seed, layout, env_share)
  local random = new_random(seed)
  local program = setmetatable({ random = random, tokens = {}, depth = 0,
    labels = 0, varargs = true, env_share = env_share }, Program)
  for _ = 1, random:between(2, 10) do
    program:statement()
  end
  return layout == "lines" and in_lines(program.tokens)
    or freely(program.tokens, random)
end
