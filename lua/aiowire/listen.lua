--- listen.lua: aw.tcp.listen, aw.unix.listen
return {}
