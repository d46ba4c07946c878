--- pipeline.lua: aw.pipeline, programs that feed each other
return { pipeline = function() end }
