local _ = require "cqueues"
