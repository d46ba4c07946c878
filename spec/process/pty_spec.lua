-- spawn { pty = true }: a child with a terminal of its own.

local aw = require "aiowire"
local helper = require "spec.support.helper"
local process = require "spec.support.process"

local caught, run = helper.caught, helper.run

--- Returns the whole output of a program on a terminal.
local function output(options)
  options.pty = true
  return aw.exec(options).out
end

describe("a child with a terminal", function()
  it("has it as standard input, output and error", function()
    run(function()
      assert.are.equal("a terminal\r\n", output { "sh", "-c",
        "[ -t 0 ] && [ -t 1 ] && [ -t 2 ] && echo a terminal" })
      local p <close> = aw.spawn { "true", pty = true }
      assert.is_truthy(p.stdin and p.stdout)
      assert.is_nil(p.stderr)
      p:wait()
    end)
  end)

  it("leads a session that this terminal controls", function()
    run(function()
      assert.is_truthy(output { "sh", "-c", "tty; echo here >/dev/tty" }
        :find "^/dev/pts/%d+\r\nhere\r\n$")
      local pid, session, group, foreground = output { "sh", "-c",
        "read a b c d e f g h i </proc/$$/stat; echo $a $f $e $h" }
        :match "^(%d+) (%d+) (%d+) (%d+)"
      assert.are.same({ pid, pid, pid }, { session, group, foreground })
    end)
  end)

  it("has a size, 24 by 80 by default", function()
    run(function()
      assert.are.equal("24 80\r\n", output { "stty", "size" })
      assert.are.equal("50 132\r\n", output { "stty", "size", rows = 50,
        cols = 132 })
    end)
  end)

  it("reads typed text, which the terminal echoes", function()
    run(function()
      local p <close> = aw.spawn { "sh", "-c",
        "read line; echo got $line", pty = true }
      p.stdin:write "some text\n"
      assert.are.equal("some text\r\ngot some text\r\n", p.stdout:read "a")
      assert.are.same({ ok = true, code = 0 }, p:wait())
    end)
  end)

  it("is sent INT by a typed Ctrl-C", function()
    run(function()
      local p <close> = aw.spawn { "sh", "-c",
        "trap 'echo caught; exit 4' INT; echo ready; read line",
        pty = true }
      assert.are.equal("ready\r", p.stdout:read())
      p.stdin:write "\3"
      assert.are.equal("^Ccaught\r\n", p.stdout:read "a")
      assert.are.equal(4, p:wait().code)
      local cat <close> = aw.spawn { "cat", pty = true }
      cat.stdin:write "\3"
      assert.are.equal(2, cat:wait().signal)
    end)
  end)

  it("may have other files for some of the three", function()
    run(function()
      local p <close> = aw.spawn { "sh", "-c",
        "[ -t 0 ] && [ -t 1 ] && [ ! -t 2 ] && echo out; echo err >&2",
        pty = true, stderr = "pipe" }
      assert.are.equal("out\r\n", p.stdout:read "a")
      assert.are.equal("err\n", p.stderr:read "a")
      local q <close> = aw.spawn { "sh", "-c", "tty >&2; cat",
        pty = true, stdin = "null", stdout = "null" }
      assert.is_nil(q.stdin)
      assert.is_nil(q.stdout)
      assert.are.equal("not a tty\r\n", q.stderr:read "a")
      local r <close> = aw.spawn { "sh", "-c",
        "echo x >/dev/tty; read line; echo $line >&3", pty = true,
        stdout = "null", stderr = "pipe" }
      r.stdin:write "typed\n"
      r.stderr:read "a"
      assert.is_false(r:wait().ok) -- descriptor 3 is not open
    end)
  end)

  it("does not get the terminal of its parent by inheritance", function()
    local outcome = process.run("echo in | $aiowire s.lua", { ["s.lua"] = [[
      local aw = require "aiowire"
      print(aw.exec { "sh", "-c", "cat; [ -t 1 ] && echo tty", pty = true,
        stdin = "inherit" }.out)
    ]] })
    assert.are.equal("in\r\ntty\r\n\n", outcome.out, outcome.err)
  end)

  it("gets a hang-up when the process is closed", function()
    run(function()
      local p = aw.spawn { "sh", "-c", "trap '' TERM; echo; exec sleep 60",
        pty = true, grace = 60 }
      p.stdout:read()
      p:close()
      local hangup <const> = 1
      assert.are.equal(hangup, p:wait().signal)
    end)
  end)

  it("passes no descriptor of it to other children", function()
    run(function()
      local p <close> = aw.spawn { "cat", pty = true }
      assert.is_truthy(p)
      assert.are.equal("", aw.exec("sh", "-c",
        "ls -l /proc/self/fd | grep -E 'ptmx|pts/'").out)
    end)
  end)
end)

describe("the output of a terminal", function()
  it("ends when the last program that has it closes it", function()
    run(function()
      local p <close> = aw.spawn { "sh", "-c", "echo one; echo two",
        pty = true }
      assert.are.equal("one\r", p.stdout:read())
      assert.are.equal("two\r\n", p.stdout:read "a")
      assert.is_nil(p.stdout:read())
      assert.is_nil(p.stdout:read_some())
    end)
  end)

  it("is complete even if the program has ended", function()
    run(function()
      for _ = 1, 20 do
        local p <close> = aw.spawn { "sh", "-c", "printf '%s' \"$1\"", "-",
          ("x"):rep(3000), pty = true }
        p:wait()
        assert.are.equal(3000, #p.stdout:read "a")
      end
    end)
  end)

  it("may be large", function()
    run(function()
      local text = output { "seq", "100000" }:gsub("\r", "")
      assert.are.equal(588895, #text)
    end)
  end)
end)

describe("the input of a terminal", function()
  it("ends for a program that reads lines at shutdown, or close", function()
    run(function()
      for _, finish in ipairs { "shutdown", "close" } do
        for _, text in ipairs { "line\n", "half a line", "" } do
          local p <close> = aw.spawn { "sh", "-c",
            "stty -echo; echo; cat; echo .", pty = true }
          p.stdout:read()
          p.stdin:write(text)
          p.stdin[finish](p.stdin)
          assert.are.equal(text:gsub("\n", "\r\n") .. ".\r\n",
            p.stdout:read "a")
        end
      end
    end)
  end)

  it("is the text given to aw.exec, or else ends", function()
    run(function()
      assert.are.equal("x\r\nx\r\n", output { "cat", stdin = "x\n" })
      assert.are.equal("", output { "cat" })
      local text = ("0123456789\n"):rep(20000)
      local r = aw.exec { "sh", "-c", "stty -echo; echo; cat", stdin = text,
        pty = true }
      local lines = select(2, r.out:gsub("0123456789\r\n", ""))
      assert.is_true(lines >= 20000)
    end)
  end)

  it("is refused after the end of the child", function()
    run(function()
      local p <close> = aw.spawn { "true", pty = true }
      p:wait()
      p.stdin:write("x"):shutdown()
      assert.are.equal("stream 'stdin of true' (shut down)",
        tostring(p.stdin))
    end)
  end)

  it("cannot be given to another child", function()
    run(function()
      local p <close> = aw.spawn { "cat", pty = true }
      local _, err = pcall(function()
        aw.spawn { "cat", stdin = p.stdout }
      end)
      local line = debug.getinfo(1, "l").currentline - 2
      assert.are.equal(("spec/process/pty_spec.lua:%d: bad option 'stdin' "
        .. "(stream 'stdout of cat' is a terminal's, and stays here)")
        :format(line), err)
    end)
  end)
end)

describe("a child with a terminal that cannot be started", function()
  it("is refused at the caller's line [API]", function()
    local function refused(expected, options)
      options[1] = "cat"
      if options.pty == nil then
        options.pty = true
      end
      local _, err = pcall(function()
        aw.spawn(options)
      end)
      local line = debug.getinfo(1, "l").currentline - 2
      assert.are.equal(("spec/process/pty_spec.lua:%d: bad option %s")
        :format(line, expected), err)
    end
    refused("'rows' (integer from 1 to 65535 expected)", { rows = 0 })
    refused("'cols' (integer from 1 to 65535 expected)", { cols = 65536 })
    refused("'cols' (integer from 1 to 65535 expected)", { cols = "x" })
    refused("'pty' (stdin, stdout and stderr all lead elsewhere)",
      { stdin = "null", stdout = "null", stderr = "stdout" })
    refused("'detach' (a terminal ends with its other side: not together "
      .. "with 'pty')", { detach = true })
    refused("'pty' (boolean expected, got string)", { pty = "yes" })
    refused("'rows' (without 'pty')", { rows = 24, pty = false })
  end)

  it("leaves nothing open when the program cannot be started", function()
    process.needs_failed_starts()
    run(function()
      local err = caught(aw.spawn, { "no-such-command", pty = true })
      assert.are.same({ "ENOENT", "spawn" }, { err.code, err.call })
    end)
  end)
end)
