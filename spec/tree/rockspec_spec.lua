-- The rockspec: what `luarocks make` would hand to CMake. It is not built
-- here, because that takes a minute.

local process = require "spec.support.process"

local PATH <const> = "aiowire-scm-1.rockspec"
local rock <const> = {}
assert(loadfile(PATH, "t", rock))()

-- Returns a set of the options in the build, and of what it reads besides.
local function options()
  local set = {}
  for _, path in ipairs { "CMakeLists.txt", "cmake/lua.cmake" } do
    for name in process.read(path):gmatch "%f[%w_][%u][%u_]+%f[^%w_]" do
      set[name] = true
    end
  end
  return set
end

describe("the rockspec", function()
  it("is that of this library, for Lua 5.4, and downloads nothing", function()
    assert.are.same({ "aiowire", "scm-1", ".", "MIT", "lua ~> 5.4" },
      { rock.package, rock.version, rock.source.url, rock.description.license,
        table.concat(rock.dependencies, " ") })
  end)

  it("sets options that the build has", function()
    local known, unknown = options(), {}
    for name in pairs(rock.build.variables) do
      unknown[#unknown + 1] = not known[name] and not name:find "^CMAKE_"
        and name or nil
    end
    assert.are.same({}, unknown)
  end)

  it("hands on the headers, prefix and libraries of LuaRocks", function()
    local variables = rock.build.variables
    assert.are.same({ "$(LUA_INCDIR)", "$(PREFIX)", "$(LIBDIR)",
        "$(UV_DIR);$(OPENSSL_DIR)" },
      { variables.LUA_INCDIR, variables.CMAKE_INSTALL_PREFIX,
        variables.AIOWIRE_LUA_CDIR, variables.CMAKE_PREFIX_PATH })
  end)

  it("copies the guides and the examples", function()
    local folders = rock.build.copy_directories
    assert.are.same({ "docs", "examples" }, folders)
    for _, folder in ipairs(folders) do
      local path = process.root .. "/" .. folder
      assert.are.equal(0,
        process.run("test -d " .. process.quoted(path)).code, path)
    end
  end)

  it("is one that luarocks takes", function()
    if not process.run("command -v luarocks").out:find "%S" then
      pending "luarocks is not installed"
      return
    end
    local outcome = process.run(("luarocks --lua-version 5.4 lint %s")
      :format(process.quoted(process.root .. "/" .. PATH)))
    assert.are.equal(0, outcome.code, outcome.out .. outcome.err)
  end)
end)
