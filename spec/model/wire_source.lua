--- Turns descriptions of random programs into Lua source. The library and the
--- model run the same text, and a person can read and try it.

local M = {}

-- Source ----------------------------------------------------------------------

local text = {}

local function render_node(node)
  return text[node.kind](node)
end

local function joined(list, separator)
  local parts = {}
  for i, node in ipairs(list) do
    parts[i] = render_node(node)
  end
  return table.concat(parts, separator)
end

local function infix(operator)
  return function(node)
    return "(" .. joined(node, " " .. operator .. " ") .. ")"
  end
end

text.seq, text.all = infix ">>", infix "&"
text.race, text.fall = infix "|", infix "//"

text["repeat"] = function(node)
  return ("(%s * %d)"):format(render_node(node[1]), node.times)
end

function text.sleep(node)
  return ("Sleep(%d)"):format(node.seconds)
end

function text.value(node)
  return ("Value(%d)"):format(node.id)
end

function text.never()
  return "Never"
end

function text.send(node)
  return ("Send(ch%d, %d)"):format(node.channel, node.id)
end

function text.done(node)
  return ("done(%d)"):format(node.task)
end

function text.recv(node)
  return ("Recv(ch%d)"):format(node.channel)
end

--- Returns a function that renders a node: each `$name` in `format` becomes the
--- field `name` of the node.
local function noted(format)
  return function(node)
    return (format:gsub("%$(%w+)", function(field)
      return tostring(node[field])
    end))
  end
end

text.nap = noted 'sleep($seconds) note "$id slept"'
text.put = noted 'ch$channel:send($id) note "$id sent"'
text.take = noted 'note("$id got", ch$channel:recv())'

text.close = noted 'ch$channel:close() note "$id closed"'

text["do"] = function(node)
  return ('note("%d has", await(%s))'):format(node.id, render_node(node[1]))
end

function text.block(node)
  return ('function() note "%d" %s end'):format(node.id, joined(node, " "))
end

function text.guard(node)
  return ('guarded(%d, %s, %s, %q, %s)'):format(node.id,
    render_node(node.try), render_node(node.clean_up), node.after, node.grace)
end

function text.shield(node)
  return ('shield(%s, %s)'):format(render_node(node.try), node.grace)
end

function text.within(node)
  return ('timeout(%d, %s)'):format(node.seconds, render_node(node.try))
end

function text.scope(node)
  return ('scoped(%d, %s, %s, %s, %s)'):format(node.id, node.within,
    node.handled, "{ " .. joined(node, ", ") .. " }", render_node(node.try))
end

local endings = {
  none = function()
    return ""
  end,
  value = function(node)
    return node.kind == "body" and ("return Value(%d)"):format(node.id)
      or ("return %d"):format(node.id)
  end,
  pass = function()
    return "return ..."
  end,
  fail = function(node)
    return ('fail "e%d"'):format(node.id)
  end,
  ["fail first"] = function(node)
    return ('if again(%d) <= %d then fail "e%d" end return Value(%d)'):format(
      node.id, node.failures, node.id, node.id)
  end,
  next = function(node)
    return "return " .. render_node(node.next)
  end,
}

function text.body(node)
  return ('Wire(function() note "%d" %s %s end)'):format(node.id,
    joined(node, " "), endings[node.ending](node))
end

function text.fn(node)
  return ('function(%s) note("%d with", %s) %s %s end'):format(
    node.takes or "...", node.id, node.takes or "...", joined(node, " "),
    endings[node.ending](node))
end

--- Returns a function that renders `w:name(fn, grace)`.
local function method(name)
  return function(node)
    local arguments = { node.fn and render_node(node.fn),
      node.grace and tostring(node.grace) }
    if not node.fn then
      arguments = { arguments[2] }
    end
    return ("(%s):%s(%s)"):format(render_node(node[1]), name,
      table.concat(arguments, ", "))
  end
end

text.map, text.bind, text.catch = method "map", method "bind", method "catch"
text.finally, text.shielded = method "finally", method "shielded"
text.whole = method "whole"

function text.named(node)
  return ('(%s):named "w%d"'):format(render_node(node[1]), node.id)
end

function text.supervise(node)
  return ('(%s):supervise(function(_, err) note("%d takes", err) end)'):format(
    render_node(node[1]), node.fn.id)
end

function text.timeout(node)
  return ("(%s):timeout(%d%s)"):format(render_node(node[1]), node.seconds,
    node.grace and (", { grace = %d }"):format(node.grace) or "")
end

function text.forever(node)
  return ("Forever(%s):timeout(%d)"):format(render_node(node[1]),
    node.seconds)
end

function text.every(node)
  return ("Every(%d, %s, { missed = %q }):timeout(%d)"):format(node.period,
    render_node(node[1]), node.missed, node.seconds)
end

function text.retry(node)
  local parts = {}
  for _, name in ipairs { "times", "delay", "factor", "max", "within" } do
    if node[name] then
      parts[#parts + 1] = ("%s = %d"):format(name, node[name])
    end
  end
  if node.when then
    parts[#parts + 1] = ('when = function(err, n) note("%d asked", err, n) '
      .. "return n < %d end"):format(node.id, node.when)
  end
  return ("(%s):retry { %s }"):format(render_node(node[1]),
    table.concat(parts, ", "))
end

local function table_form(node)
  local parts = {}
  for i, operand in ipairs(node) do
    parts[i] = (node.keyed and string.char(96 + i) .. " = " or "")
      .. render_node(operand)
  end
  if node.limit then
    parts[#parts + 1] = "limit = " .. node.limit
  end
  return ("%s { %s }"):format(node.kind, table.concat(parts, ", "))
end

text.All, text.Any, text.Race = table_form, table_form, table_form

--- Returns the program as Lua. `surroundings` of compare_wires.lua defines the
--- functions that it calls besides the library.
function M.render(program)
  local lines = {}
  for i, size in ipairs(program.channels) do
    lines[#lines + 1] = ("local ch%d = channel(%d)"):format(i, size)
  end
  for i, wire in ipairs(program.tasks) do
    lines[#lines + 1] = ("start(%d, function() return %s end)"):format(
      program.starts[i] or 0, render_node(wire))
  end
  for _, cancel in ipairs(program.cancels) do
    lines[#lines + 1] = ("cancel(%d, %d)"):format(cancel.task, cancel.at)
  end
  return table.concat(lines, "\n") .. "\n"
end

return M
