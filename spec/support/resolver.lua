--- Scripts that run with a resolver which hangs at will: see resolver.c.

local preloaded = require "spec.support.preloaded"

local M = {}

-- `hanging(count)` waits until so many look-ups hang.
M.run = preloaded.runner("resolver", "", "%s")
M.prints = preloaded.printer(M.run)

return M
