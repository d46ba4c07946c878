local cqueues = require "cqueues"

assert(cqueues.new():loop())
