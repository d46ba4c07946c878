--- Makes the files that programs read, once for each build: text, and
--- certificates.
local shell = require "bench.run.shell"

local M = {}

--- Text in lines of 0 to 100 bytes, a megabyte of it.
local MEGABYTE <const> = 1000000

local function megabyte()
  local lines, left, length = {}, MEGABYTE, 0
  while left > 101 do
    length = (length + 37) % 101
    lines[#lines + 1] = ("x"):rep(length) .. "\n"
    left = left - length - 1
  end
  lines[#lines + 1] = ("x"):rep(left - 1) .. "\n"
  return table.concat(lines)
end

local function exists(path)
  local file <close> = io.open(path)
  return file ~= nil
end

--- Write `size` bytes in lines to a file.
local function write_lines(path, size)
  local file <close> = assert(io.open(path, "w"))
  local text = megabyte()
  for _ = 1, size // MEGABYTE do
    assert(file:write(text))
  end
  assert(file:write(text:sub(MEGABYTE - size % MEGABYTE + 1)))
end

--- Write `count` files of `size` bytes, named 0, 1, …
local function write_files(folder, count, size)
  assert(os.execute("mkdir -p " .. shell.quote(folder)))
  for i = 0, count - 1 do
    shell.write(folder .. "/" .. i, ("x"):rep(size))
  end
end

--- The words that make a certificate for 127.0.0.1, signed by itself.
local OPENSSL <const> = { "openssl", "req", "-x509", "-nodes", "-newkey", "ec",
  "-pkeyopt", "ec_paramgen_curve:prime256v1", "-days", "3650",
  "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1" }

--- Write cert.pem and key.pem to a folder.
local function write_certificate(folder)
  assert(os.execute("mkdir -p " .. shell.quote(folder)))
  local words = table.move(OPENSSL, 1, #OPENSSL, 1, {})
  for _, option in ipairs { "-keyout", "key.pem", "-out", "cert.pem" } do
    words[#words + 1] = option:gsub("^%l", folder .. "/%0")
  end
  assert(shell.output(shell.join(words) .. " 2>&1"),
    "the program openssl makes no certificate (Debian: openssl)")
end

local function name_of(data)
  return data.certificate and "certificate"
    or data.count and ("files-%dx%d"):format(data.count, data.size)
    or ("lines-%d"):format(data.size)
end

--- Return the path of what a program reads, which is made if need be. `data` is
--- { size = BYTES } for a file of lines, { count =, size = } for a folder of
--- files, or { certificate = true } for a folder with cert.pem and key.pem.
function M.path(build, data)
  local name = name_of(data)
  local path = ("%s/bench/data/%s"):format(build, name)
  if not exists(path) then
    local making <const> = path .. ".new"
    assert(os.execute("mkdir -p " .. shell.quote(build .. "/bench/data")))
    if data.certificate then
      write_certificate(making)
    elseif data.count then
      write_files(making, data.count, data.size)
    else
      write_lines(making, data.size)
    end
    assert(os.rename(making, path))
  end
  return path
end

return M
