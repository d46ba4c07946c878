--- The root task of the program: run `f(...)`, then the wire it returns.
--- Returns true, or false, the error and its info.
local aw, inner = ...

return function(f, ...)
  local ev = aw.EventLoop { name = "main" }
  local arguments = table.pack(...)
  local function main()
    local next = f(table.unpack(arguments, 1, arguments.n))
    if next ~= nil and not inner.is_wire(next) then
      error(("the main chunk must return nothing or a wire, got %s (%s)")
        :format(type(next), tostring(next)), 0)
    end
    return next
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
