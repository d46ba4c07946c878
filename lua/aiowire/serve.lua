--- serve.lua: aw.Serve, a task for each connection
return { Serve = function() end }
