--- tcp.lua: aw.tcp, streams and servers over TCP
local _, inner = ...

local connecting = inner.part "aiowire.connect"
local listening = inner.part "aiowire.listen"

return { connect = connecting.tcp, listen = listening.tcp }
