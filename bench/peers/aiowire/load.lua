local _ = require "aiowire"
