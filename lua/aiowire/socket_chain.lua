--- socket_chain.lua: LuaSocket's try and protect, and its sources and sinks
---
--- protect(f) returns nil and the value of a failed try() in f. It catches no
--- other error, and so no Cancelled. Sources and sinks are those of ltn12.
local _, inner = ...

-- ---- try and protect ----

--- The errors of try(); keys only.
local is_thrown = setmetatable({}, { __mode = "k" })

local function try_with(finalizer, ok, ...)
  if ok then
    return ok, ...
  end
  if finalizer then
    finalizer()
  end
  local thrown = { (...) }
  is_thrown[thrown] = true
  error(thrown, 0)
end

local function newtry(finalizer)
  return function(ok, ...)
    return try_with(finalizer, ok, ...)
  end
end

local function ended(ok, err, ...)
  if ok then
    return err, ...
  elseif type(err) == "table" and is_thrown[err] then
    return nil, err[1]
  end
  error(err, 0)
end

local function protect(f)
  return function(...)
    return ended(pcall(f, ...))
  end
end

-- ---- sources and sinks ----

--- Make a function object that select() takes in the place of its socket.
local function object(s, call)
  return setmetatable({
    getfd = function() return s:getfd() end,
    dirty = function() return s:dirty() end,
  }, { __call = function(_, ...) return call(...) end })
end

local sinkt = {
  ["close-when-done"] = function(s)
    return object(s, function(chunk)
      if chunk then
        return s:send(chunk)
      end
      s:close()
      return 1
    end)
  end,
  ["keep-open"] = function(s)
    return object(s, function(chunk)
      if chunk then
        return s:send(chunk)
      end
      return 1
    end)
  end,
}
sinkt.default = sinkt["keep-open"]

local function sources(M)
  local sourcet = {}
  sourcet["by-length"] = function(s, length)
    return object(s, function()
      if length <= 0 then
        return nil
      end
      local chunk, err = s:receive(math.min(M.BLOCKSIZE, length))
      if err then
        return nil, err
      end
      length = length - #chunk
      return chunk
    end)
  end
  sourcet["until-closed"] = function(s)
    local done = false
    return object(s, function()
      if done then
        return nil
      end
      local chunk, err, partial = s:receive(M.BLOCKSIZE)
      if err == "closed" then
        s:close()
        done = true
        return partial
      end
      return chunk, err
    end)
  end
  sourcet.default = sourcet["until-closed"]
  return sourcet
end

--- Return a function that calls the function of that name in a table.
local function choose(table)
  return function(name, a, b)
    if type(name) ~= "string" then
      name, a, b = "default", name, a
    end
    local f = table[name]
    if not f then
      inner.raise(("unknown key (%s)"):format(name))
    end
    return f(a, b)
  end
end

return function(M)
  local sourcet = sources(M)
  return {
    newtry = newtry, protect = protect, try = newtry(), choose = choose,
    sourcet = sourcet, sinkt = sinkt, source = choose(sourcet),
    sink = choose(sinkt),
  }
end
