-- Servers on unix sockets: the file of the socket [X15].

local aw = require "aiowire"
local clients = require "spec.support.clients"
local helper = require "spec.support.helper"
local lfs = require "lfs"

local raises, run, sealed = helper.raises, helper.run, helper.sealed

local function in_folder(f)
  return sealed(function()
    clients.in_folder(f)
  end)
end

local function kind(path)
  return lfs.symlinkattributes(path, "mode")
end

local function write_file(path)
  local file <close> = assert(io.open(path, "w"))
  file:write "precious"
end

local function refused(code, path)
  local err = helper.caught(aw.unix.listen, path)
  assert.are.equal(code, err.code, tostring(err))
  assert.are.equal("listen", err.call)
  local shown = path:match("^[^%z]*"):sub(1, 40) -- a long one is cut
  assert.is_truthy(tostring(err):find(shown, 1, true), tostring(err))
end

describe("a server on a unix socket [X15]", function()
  it("takes connections, and is named after its path", in_folder(function(dir)
    local path = dir .. "/s"
    local server <close> = aw.unix.listen(path)
    assert.are.same({ path }, { server:name() })
    assert.are.equal(("server 'unix %s' (open)"):format(path),
      tostring(server))
    run(function()
      local group <close> = clients.group()
      local client = group.keep(clients.connect_path(path))
      local s <close> = server:accept()
      s:write "hello"
      assert.are.equal("hello", clients.answer(client))
    end)
  end))

  it("unlinks its file when it is closed", in_folder(function(dir)
    local server = aw.unix.listen(dir .. "/s")
    assert.are.equal("socket", kind(dir .. "/s"))
    server:close()
    assert.is_nil(kind(dir .. "/s"))
  end))

  it("unlinks its file when it is garbage", in_folder(function(dir)
    aw.unix.listen(dir .. "/s")
    collectgarbage()
    collectgarbage()
    assert.is_nil(kind(dir .. "/s"))
  end))

  it("leaves a file that somebody else has put there", in_folder(function(dir)
    local path = dir .. "/s"
    local server = aw.unix.listen(path)
    os.remove(path)
    write_file(path)
    server:close()
    assert.are.equal("file", kind(path))
  end))

  it("unlinks a relative path after a change of the folder",
    in_folder(function(dir)
      local before = lfs.currentdir()
      local _ <close> = helper.closer(function()
        lfs.chdir(before)
      end)
      lfs.chdir(dir)
      local server = aw.unix.listen "s"
      lfs.chdir "/"
      server:close()
      assert.is_nil(kind(dir .. "/s"))
    end))

  it("gives its file a mode", in_folder(function(dir)
    local server <close> = aw.unix.listen(dir .. "/s",
      { mode = tonumber("620", 8) })
    assert.are.equal("rw--w----", lfs.attributes(dir .. "/s", "permissions"))
    assert.is_truthy(server)
    raises("bad option 'mode'", aw.unix.listen, dir .. "/t",
      { mode = tonumber("1000", 8) })
    assert.is_nil(kind(dir .. "/t"))
  end))

  it("has a name in the abstract namespace", sealed(function()
    local name = "\0aiowire spec " .. tostring {}
    local server <close> = aw.unix.listen(name)
    assert.are.same({ name }, { server:name() })
    run(function()
      local group <close> = clients.group()
      group.keep(clients.connect_path(name))
      server:accept():close()
    end)
    local err = helper.caught(aw.unix.listen, name)
    assert.are.equal("EADDRINUSE", err.code)
  end))

  it("takes a socket that listens already, and leaves its file",
    in_folder(function(dir)
      local path = dir .. "/s"
      local fd = clients.listening(path)
      local server = aw.unix.listen { fd = fd }
      assert.are.same({ path }, { server:name() })
      server:close()
      assert.is_false(clients.is_open(fd))
      assert.are.equal("socket", kind(path))
      local group <close> = clients.group()
      raises("another family", aw.tcp.listen,
        { fd = group.keep(clients.listening(dir .. "/t")) })
    end))
end)

describe("a path for a unix server", function()
  it("may be that of a dead socket, which is replaced", in_folder(function(dir)
    local path = dir .. "/s"
    clients.close(clients.listening(path))
    assert.are.equal("socket", kind(path))
    local server <close> = aw.unix.listen(path)
    run(function()
      local group <close> = clients.group()
      group.keep(clients.connect_path(path))
      server:accept():close()
    end)
  end))

  it("may not be that of a live socket", in_folder(function(dir)
    local path = dir .. "/s"
    local server <close> = aw.unix.listen(path)
    refused("EADDRINUSE", path)
    run(function()
      local group <close> = clients.group()
      group.keep(clients.connect_path(path))
      server:accept():close() -- that of the refused attempt
    end)
    assert.are.equal("socket", kind(path))
  end))

  it("may not be that of a datagram socket", in_folder(function(dir)
    local path = dir .. "/s"
    local group <close> = clients.group()
    group.keep(clients.datagram(path))
    refused("EADDRINUSE", path)
    assert.are.equal("socket", kind(path))
  end))

  it("may not be that of another file", in_folder(function(dir)
    write_file(dir .. "/s")
    refused("EADDRINUSE", dir .. "/s")
    assert.are.equal("file", kind(dir .. "/s"))
    refused("EADDRINUSE", dir)
    assert.are.equal("directory", kind(dir))
  end))

  it("may not be a link, even to a dead socket", in_folder(function(dir)
    clients.close(clients.listening(dir .. "/s"))
    assert(lfs.link(dir .. "/s", dir .. "/link", true))
    refused("EADDRINUSE", dir .. "/link")
    assert.are.equal("link", kind(dir .. "/link"))
  end))

  it("must be possible", in_folder(function(dir)
    refused("ENOENT", dir .. "/none/s")
    refused("ENAMETOOLONG", dir .. "/" .. ("x"):rep(108))
    refused("EINVAL", "")
    refused("EINVAL", dir .. "/s\0t")
    refused("ENAMETOOLONG", "\0" .. ("x"):rep(108))
  end))

  it("must be permitted", in_folder(function(dir)
    local id <close> = io.popen "id -u"
    if id:read() == "0" then
      helper.pending "root may do anything"
      return
    end
    assert(os.execute("chmod 500 " .. dir))
    refused("EACCES", dir .. "/s")
    assert(os.execute("chmod 700 " .. dir))
  end))

  it("must be a string", sealed(function()
    raises("bad argument #1 to 'listen' (string expected, got number)",
      aw.unix.listen, 80)
    raises("bad argument #1 to 'listen'", aw.unix.listen)
    raises("unknown option 'nodelay'", aw.unix.listen, "x",
      { nodelay = true })
  end))
end)
