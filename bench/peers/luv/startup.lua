local uv = require "luv"

uv.run()
