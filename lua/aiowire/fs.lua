--- fs.lua: aw.fs, files
return {}
