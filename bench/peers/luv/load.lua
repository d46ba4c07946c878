local _ = require "luv"
