--- udp.lua: aw.udp, datagrams
return {}
