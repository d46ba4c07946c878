--- dns.lua: aw.dns, names of hosts
return {}
