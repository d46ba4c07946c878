local aw = require "aiowire"

aw.run(function() end)
