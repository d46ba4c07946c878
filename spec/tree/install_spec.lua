-- What `./dev install` and `./dev uninstall` do to a prefix: cmake/install.sh
-- with files that no build has made. The prefix has a space in its name.

local process = require "spec.support.process"

local script <const> = process.quoted(
  io.popen("pwd"):read "l" .. "/cmake/install.sh")

-- Functions for the shell. `stage FILE…` makes files to install, with their
-- names as text; `list` shows what the prefix has.
local prelude <const> = [[
set -u
p="$PWD/my prefix"
stage() {
  rm -rf stage
  for file; do
    mkdir -p "stage$p/$(dirname "$file")"
    echo "$file" >"stage$p/$file"
  done
}
install() { sh ]] .. script .. [[ install "$PWD/stage" "$p"; }
uninstall() { sh ]] .. script .. [[ uninstall "$p"; }
list() { [ ! -d "$p" ] || (cd "$p" && find . | LC_ALL=C sort); }
]]

local function run(lines)
  return process.run(prelude .. lines)
end

describe("./dev install", function()
  it("copies files, and lists them in a manifest", function()
    local outcome = run [[
      stage bin/aiowire lib/lua/5.4/aiowire.so
      install
      cat "$p/bin/aiowire" "$p/share/aiowire/manifest"]]
    process.assert_outcome("bin/aiowire\n./\nbin/\nbin/aiowire\nlib/\nlib/lua/"
      .. "\nlib/lua/5.4/\nlib/lua/5.4/aiowire.so\nshare/\nshare/aiowire/\n"
      .. "share/aiowire/manifest\n", 0, outcome)
  end)

  it("removes the files that only the version before had", function()
    local outcome = run [[
      stage bin/aiowire lib/old/gone share/doc/kept
      install
      stage bin/aiowire bin/more share/doc/kept
      install
      list]]
    process.assert_outcome(".\n./bin\n./bin/aiowire\n./bin/more\n./share\n"
      .. "./share/aiowire\n./share/aiowire/manifest\n./share/doc\n"
      .. "./share/doc/kept\n", 0, outcome)
  end)

  it("leaves a file that is in use as it is, beside the new one", function()
    local outcome = run [[
      stage bin/aiowire
      install
      exec 3<"$p/bin/aiowire"
      echo new >"stage$p/bin/aiowire"
      install
      cat <&3
      cat "$p/bin/aiowire"]]
    process.assert_outcome("bin/aiowire\nnew\n", 0, outcome)
  end)

  it("keeps links and permissions", function()
    local outcome = run [[
      stage bin/aiowire lib/libx.so.1
      chmod 755 "stage$p/bin/aiowire"
      ln -s libx.so.1 "stage$p/lib/libx.so"
      install
      [ -x "$p/bin/aiowire" ] && [ ! -x "$p/lib/libx.so.1" ] &&
        readlink "$p/lib/libx.so"]]
    process.assert_outcome("libx.so.1\n", 0, outcome)
  end)

  it("names what a failed copy has left in the manifest", function()
    local outcome = run [[
      stage bin/aiowire lib/broken
      install
      stage bin/aiowire lib/broken zzz/new
      rm -rf "$p/lib/broken"
      mkdir -p "$p/lib/broken/full"
      install 2>/dev/null && echo "it succeeded"
      rm -rf "$p/lib/broken"
      uninstall
      list]]
    process.assert_outcome("", 0, outcome)
  end)
end)

describe("./dev install, when it has copied,", function()
  -- Returns the names of the variables that it says to set for a prefix, where
  -- there is no lua5.4.
  local function hints(prefix)
    local outcome = run(([[
      mkdir -p tools
      for tool in sh grep dirname cat; do
        ln -s "$(command -v $tool)" "tools/$tool"
      done
      stage bin/aiowire lib/lua/5.4/aiowire.so lib/pkgconfig/aiowire.pc
      install
      PATH="$PWD/tools" sh %s hints %s]]):format(script, prefix))
    assert.are.same({ "", 0 }, { outcome.err, outcome.code })
    local names = {}
    for name in outcome.out:gmatch "\nexport ([%w_]+)=" do
      names[#names + 1] = name
    end
    return names, outcome.out
  end

  it("says which variables to set", function()
    local names, text = hints '"$p"'
    assert.are.same({ "PATH", "LUA_CPATH_5_4", "PKG_CONFIG_PATH",
      "LD_LIBRARY_PATH" }, names)
    assert.matches("^installed in /.*/my prefix; to remove it: %./dev uninstall"
      .. ' "/.*/my prefix"\nto use it from there:\nexport PATH=', text)
  end)
end)

describe("./dev uninstall", function()
  it("leaves nothing of its own", function()
    local outcome = run [[
      stage bin/aiowire lib/lua/5.4/aiowire.so
      install
      stage bin/aiowire lib/lua/5.4/aiowire.so share/doc/new
      install
      rm -r stage
      uninstall
      list]]
    process.assert_outcome("", 0, outcome)
  end)

  it("leaves the files of others, and the folders that were there", function()
    local outcome = run [[
      mkdir -p "$p/lib/empty" "$p/bin"
      echo mine >"$p/bin/mine"
      stage bin/aiowire lib/empty/a lib/ours/b lib/ours/c
      install
      echo mine >"$p/lib/ours/mine"
      uninstall
      list]]
    process.assert_outcome(".\n./bin\n./bin/mine\n./lib\n./lib/empty\n"
      .. "./lib/ours\n./lib/ours/mine\n", 0, outcome)
  end)

  it("refuses without a manifest, and removes nothing", function()
    local outcome = run [[
      mkdir -p "$p/bin"
      echo mine >"$p/bin/aiowire"
      uninstall
      echo "$?"
      cat "$p/bin/aiowire"]]
    process.assert_outcome("1\nmine\n", 0, outcome)
    assert.matches("^dev: '%./dev install' has installed nothing in .*/my "
      .. "prefix: there is no .*/share/aiowire/manifest\n$", outcome.err)
  end)

  it("follows no line of the manifest out of the prefix", function()
    local outcome = run [[
      echo mine >outside
      stage bin/aiowire
      install
      printf '%s\n' ../outside "$PWD/outside" bin/../../outside \
        >>"$p/share/aiowire/manifest"
      uninstall
      cat outside
      list]]
    process.assert_outcome("mine\n", 0, outcome)
  end)
end)
