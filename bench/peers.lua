--- What aiowire is compared with. A peer's program for a job is
--- `bench/peers/FOLDER/JOB.EXTENSION`.
---
--- Fields of a peer:
---   name       as in --peers=NAME, and in the results
---   title      what people call it
---   package    in Debian; named if the peer is missing
---   present    a command that succeeds where the peer is installed; nil for
---              what the build makes, which is missing if its program is
---   able       group -> { version =, present = }, where the group's jobs need
---              a later version than others
---   run        the words before a program; {build} and {bench} are replaced.
---              Without it, the program is {build}/bench/FOLDER/JOB
---   folder     of the programs, if not `name`
---   extension  of the programs
---   role       "ours"; "floor" for what no engine can beat; "part" for what
---              has no event loop; nil for a peer

-- Debian has copas for Lua 5.1 and 5.2 only, but it runs on 5.4.
local COPAS_PATH <const> = "LUA_PATH_5_4=;;/usr/share/lua/5.2/?.lua"

return {
  { name = "aiowire", title = "aiowire", role = "ours",
    run = { "{build}/aiowire" }, extension = "lua" },
  { name = "module", title = "aiowire in lua5.4", role = "ours",
    folder = "aiowire", package = "lua5.4",
    run = { "env", "LUA_CPATH_5_4={build}/?.so;;", "lua5.4" },
    extension = "lua", present = { "lua5.4", "-v" } },
  { name = "aiowire_c", title = "aiowire in C", role = "ours",
    extension = "c" },
  { name = "floor", title = "C", role = "floor", extension = "c" },
  { name = "coroutine", title = "bare coroutines", role = "part",
    package = "lua5.4", run = { "lua5.4" }, extension = "lua",
    present = { "lua5.4", "-v" } },
  { name = "luv", title = "luv, callbacks", package = "lua-luv",
    run = { "lua5.4" }, extension = "lua",
    present = { "lua5.4", "-l", "luv", "-e", "" } },
  { name = "luv_coroutine", title = "luv, coroutines", package = "lua-luv",
    run = { "lua5.4" }, extension = "lua",
    present = { "lua5.4", "-l", "luv", "-e", "" } },
  { name = "cqueues", title = "cqueues", package = "lua-cqueues",
    run = { "lua5.4" }, extension = "lua",
    present = { "lua5.4", "-l", "cqueues", "-e", "" } },
  { name = "copas", title = "copas", package = "lua-copas",
    run = { "env", COPAS_PATH, "lua5.4" }, extension = "lua",
    present = { "env", COPAS_PATH, "lua5.4", "-l", "copas", "-e", "" },
    able = { engine = { version = "4", present = { "env", COPAS_PATH,
      "lua5.4", "-l", "copas", "-e", "assert(copas.pause)" } } } },
  { name = "luasocket", title = "LuaSocket, blocking", role = "part",
    package = "lua-socket", run = { "lua5.4" }, extension = "lua",
    present = { "lua5.4", "-l", "socket", "-e", "" } },
  { name = "zloop", title = "CZMQ's zloop", package = "libczmq-dev",
    extension = "c" },
  { name = "asyncio", title = "asyncio", package = "python3",
    run = { "/usr/bin/python3" }, extension = "py",
    present = { "/usr/bin/python3", "-c", "import asyncio" } },
  { name = "threadpool", title = "Python's thread pool", package = "python3",
    run = { "/usr/bin/python3" }, extension = "py",
    present = { "/usr/bin/python3", "-c", "import concurrent.futures" } },
  { name = "uvloop", title = "asyncio on uvloop", package = "python3-uvloop",
    folder = "asyncio", extension = "py",
    run = { "/usr/bin/python3", "{bench}/peers/uvloop/run.py" },
    present = { "/usr/bin/python3", "-c", "import uvloop" } },
  { name = "node", title = "node", package = "nodejs",
    run = { "node" }, extension = "js", present = { "node", "--version" } },
}
