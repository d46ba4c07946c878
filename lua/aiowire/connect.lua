--- connect.lua: aw.tcp.connect, aw.unix.connect
return {}
