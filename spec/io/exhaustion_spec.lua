-- Running out of descriptors: each operation runs with each number of spare
-- descriptors, from none to 48 [UV2, UV14]. Each case runs in a program of its
-- own, which takes all descriptors.

local exhaustion = require "spec.support.exhaustion"

local operations = {
  { "aw.readable", [[aw.readable(hold[1])]] },
  { "aw.writable", [[aw.writable(hold[1])]] },
  { "a Poller", [[
    local p = aw.Poller {}
    p:register(hold[1], function() p:shutdown() end)
    aw.await(p)]] },
  { "aw.exec", [[assert(aw.exec("true").ok)]] },
  { "aw.exec with input", [[
    assert(aw.exec { "cat", stdin = "hello" }.out == "hello")]] },
  { "aw.spawn", [[
    local p <close> = aw.spawn { "cat" }
    p.stdin:write "hello"
    p.stdin:shutdown()
    assert(p.stdout:read "a" == "hello")
    assert(p:wait().ok)]] },
  { "aw.spawn with a terminal", [[
    local p <close> = aw.spawn { "cat", pty = true }
    p.stdin:write "hello\n"
    assert(p.stdout:read() == "hello\r")]] },
  { "aw.exec with files", [[
    assert(aw.exec { "true", stdout = "out", stderr = "err" }.ok)]] },
  { "aw.spawn from one to the other", [[
    local a <close> = aw.spawn { "cat", stdin = hold[1], stderr = "null" }
    local b <close> = aw.spawn { "cat", stdin = a.stdout, stderr = "null" }
    assert(b:wait().ok)]] },
  { "aw.fs.watch", [[
    local w <close> = aw.fs.watch "."
    local t <close> = aw.fs.watch(".", { recursive = true })
    os.rename("fifo", "fifo2")
    os.rename("fifo2", "fifo")
    assert(w:recv().what == "rename")
    assert(aw.await(aw.Recv(t)).what == "rename")]],
    codes = "{ EAGAIN = true }" },
  { "datagrams", [[
    local a <close> = aw.udp.bind("127.0.0.1", 0)
    local b <close> = aw.udp.connect(a:name())
    aw.scope(function(s)
      s:start(aw.Sleep(0.0005) >> aw.Send(b, "x"))
      assert(a:recv() == "x")
    end)]] },
  { "aw.pipeline", [[
    local r = aw.pipeline({ "cat" }, { "cat" }, { stdin = "hello" })
    assert(r.ok and r.out == "hello")]] },
  { "aw.fs.open", [[
    local zero <close> = aw.fs.open "/dev/zero"
    local null <close> = aw.fs.open("/dev/null", "w")
    assert(aw.copy(zero, null, 10) == 10)]] },
  { "whole files", [[
    aw.fs.write("whole", "text")
    aw.fs.append("whole", "text")
    aw.fs.copy("whole", "copy")
    aw.fs.write("whole", "text", { atomic = true })
    assert(aw.fs.read "whole" == "text" and aw.fs.read "copy" == "texttext")
    aw.fs.unlink "copy"]] },
  { "folders", [[
    aw.fs.mkdir("a/b", { parents = true })
    assert(aw.fs.scandir("a")[1].name == "b")
    assert(aw.fs.glob("a/**/*")[1] == "a/b")]] },
  { "aw.fs.tempfile", [[
    local stream, path = aw.fs.tempfile()
    stream:close()
    aw.fs.unlink(path)]] },
  { "aw.signal", [[
    local _, err = aw.pcall(aw.timeout, 0.002, aw.signal, "USR1")
    if not aw.is_timeout(err) then
      error(err, 0)
    end]] },
}

describe("running out of descriptors", function()
  for title, f in exhaustion.cases(operations) do
    it(title, f)
  end
end)
