--- tls.lua: aw.tls, streams and servers over TLS
local _, inner = ...

local connecting = inner.part "aiowire.connect"
local listening = inner.part "aiowire.listen"

return { connect = connecting.tls, listen = listening.tls }
