local copas = require "copas"

copas()
