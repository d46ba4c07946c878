--- Says what was measured, and where.
local shell = require "bench.run.shell"

local first_line = shell.first_line

local function processor()
  local text = shell.read "/proc/cpuinfo" or ""
  return text:match "model name%s*:%s*([^\n]*)" or first_line "uname -m"
end

--- Versions of peers, each by a command that prints one.
local VERSIONS <const> = {
  { "libuv", "pkg-config --modversion libuv" },
  { "libzmq", "pkg-config --modversion libzmq" },
  { "czmq", "pkg-config --modversion libczmq" },
  { "OpenSSL", "pkg-config --modversion libssl" },
  { "luv", [[dpkg-query -f '${Version}' -W lua-luv]] },
  { "cqueues", [[dpkg-query -f '${Version}' -W lua-cqueues]] },
  { "luaossl", [[dpkg-query -f '${Version}' -W lua-luaossl]] },
  { "copas", [[dpkg-query -f '${Version}' -W lua-copas]] },
  { "Python", "/usr/bin/python3 -V | cut -d' ' -f2" },
  { "uvloop", [[/usr/bin/python3 -c 'import uvloop
print(uvloop.__version__)']] },
  { "pyzmq", [[/usr/bin/python3 -c 'import zmq; print(zmq.__version__)']] },
  { "node", "node --version" },
}

local function versions(build)
  local list = { first_line(shell.quote(build .. "/aiowire") .. " -v") }
  for _, each in ipairs(VERSIONS) do
    local version = first_line(each[2])
    if version ~= "none" then
      list[#list + 1] = each[1] .. " " .. version
    end
  end
  return table.concat(list, ", ")
end

--- Return lines about the machine, the versions and the measurement.
return function(build, rounds)
  return {
    ("%s, %s processors, %s, %s"):format(processor(),
      first_line "getconf _NPROCESSORS_ONLN", first_line "uname -sr",
      first_line "getconf GNU_LIBC_VERSION"),
    versions(build),
    ("%d %s, %s"):format(rounds, rounds == 1 and "round" or "rounds",
      os.date "!%Y-%m-%d"),
  }
end
