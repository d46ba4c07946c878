#!/usr/bin/env aiowire
-- Small copies of pictures, made on all processors, with a progress line.
--
--   aiowire examples/31_thumbnails.lua SIZE FOLDER PICTURE.ppm...
--
-- writes FOLDER/PICTURE.ppm for each picture, at most SIZE pixels wide and
-- high. Pictures are binary PPM files, as ImageMagick and netpbm make
-- them: `convert holiday.jpg holiday.ppm`. A picture that is wrong is named at
-- the end. Ctrl-C stops all. Without arguments it makes pictures of its own.
local aw = require "aiowire"

--- The job: make a small copy of one picture. It runs in a worker, so it sees
--- nothing of this file. Returns the size of the copy.
local function shrink(from, to, most)
  local file <close> = assert(io.open(from, "rb"))
  local kind, width, height, maximum = file:read(2), file:read("n", "n", "n")
  if kind ~= "P6" or maximum ~= 255 then
    error(from .. ": no PPM picture with 8 bits", 0)
  end
  file:read(1)
  local pixels = file:read "a"
  if #pixels ~= width * height * 3 then
    error(from .. ": is cut short", 0)
  end
  local factor = math.max(1, (math.max(width, height) + most - 1) // most)
  local columns, lines = width // factor, height // factor

  --- The mean of a square of pixels.
  local function mean(column, line)
    local red, green, blue = 0, 0, 0
    for y = line * factor, line * factor + factor - 1 do
      local at = (y * width + column * factor) * 3 + 1
      for _ = 1, factor do
        local r, g, b = pixels:byte(at, at + 2)
        red, green, blue, at = red + r, green + g, blue + b, at + 3
      end
    end
    local count = factor * factor
    return string.char(red // count, green // count, blue // count)
  end

  local out = { ("P6\n%d %d\n255\n"):format(columns, lines) }
  for line = 0, lines - 1 do
    for column = 0, columns - 1 do
      out[#out + 1] = mean(column, line)
    end
  end
  local copy <close> = assert(io.open(to, "wb"))
  assert(copy:write(table.concat(out)))
  return columns, lines
end

--- Write where the work stands, over the last progress line.
local function report(done, count)
  io.stderr:write(("\r%d of %d pictures"):format(done, count),
    done == count and "\n" or "")
end

--- Make small copies of all pictures. Returns the errors by picture.
local function shrink_all(pictures, folder, most)
  local pool <close> = aw.pool(nil, shrink)
  local jobs, failed, done = {}, {}, 0
  for _, picture in ipairs(pictures) do
    jobs[picture] = pool:Call(picture,
      folder .. "/" .. picture:match "[^/]*$", most)
  end
  aw.each(jobs, function(picture, ok, err)
    done = done + 1
    failed[picture] = not ok and tostring(err) or nil
    report(done, #pictures)
  end)
  return failed
end

--- Make pictures to try it: circles of another colour each.
local function draw_some(folder, count)
  local pictures, size = {}, 96
  for i = 1, count do
    local out = { ("P6\n%d %d\n255\n"):format(size, size) }
    for y = 1, size do
      for x = 1, size do
        local far = (x - 48) ^ 2 + (y - 48) ^ 2 > (10 * i) ^ 2
        out[#out + 1] = far and "\255\255\255" or string.char(40 * i, 99, 200)
      end
    end
    pictures[i] = ("%s/picture%d.ppm"):format(folder, i)
    aw.fs.write(pictures[i], table.concat(out))
  end
  return pictures
end

local function try()
  local pipe <close> = io.popen "mktemp -d"
  local folder = pipe:read "l"
  local _ <close> = setmetatable({}, { __close = function()
    os.execute("rm -r " .. folder)
  end })
  aw.fs.mkdir(folder .. "/small")
  local failed = shrink_all(draw_some(folder, 4), folder .. "/small", 32)
  assert(not next(failed))
  for _, entry in ipairs(aw.fs.scandir(folder .. "/small")) do
    print(entry.name, aw.fs.stat(folder .. "/small/" .. entry.name).size)
  end
end

aw.run(function()
  if not arg[1] then
    return try()
  end
  local most, folder = math.tointeger(tonumber(arg[1])), arg[2]
  if not most or most < 1 or not arg[3] then
    io.stderr:write "usage: 31_thumbnails.lua SIZE FOLDER PICTURE.ppm...\n"
    os.exit(2)
  end
  aw.fs.mkdir(folder, { parents = true })
  local failed = shrink_all({ table.unpack(arg, 3) }, folder, most)
  for _, why in pairs(failed) do
    print(why)
  end
  os.exit(not next(failed))
end)
