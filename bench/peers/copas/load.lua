local _ = require "copas"
