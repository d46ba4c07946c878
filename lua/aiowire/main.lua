--- The root task of the program: run `f(...)`, then the wire it returns.
--- Returns true, or false, the error and its info.
local aw, inner = ...

return function(f, ...)
  local ev = aw.EventLoop { name = "main" }
  local arguments = table.pack(...)
  local function main()
    return f(table.unpack(arguments, 1, arguments.n))
  end
  inner.start_raw(ev, aw.Wire(main):named "main")
  local ok, err = pcall(ev.run, ev)
  local info = ev.failure
  ev:close()
  if ok then
    return true
  end
  return false, err, info
end
