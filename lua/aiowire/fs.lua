--- fs.lua: aw.fs, files
local _, inner = ...

return { open = inner.fs_open }
