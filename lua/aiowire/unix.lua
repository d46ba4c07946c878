--- unix.lua: aw.unix, streams and servers over unix sockets
local _, inner = ...

local connecting = inner.part "aiowire.connect"
local listening = inner.part "aiowire.listen"

return { connect = connecting.unix, listen = listening.unix }
