-- Every program in examples/ runs unchanged. docs_spec.lua has the programs of
-- the docs.

local certificates = require "spec.support.certificates"
local process = require "spec.support.process"
local sockets = require "spec.support.sockets"

local quoted = process.quoted

-- Does this program need sockets while libzmq is not installed, or TLS without
-- OpenSSL?
local function lacks_library(path)
  return path:find("zmq", 1, true) ~= nil and not sockets.installed
    or path:find "_https" and not certificates.installed()
    or path:find "tls" and not certificates.installed()
end

local function assert_ran(outcome)
  local said = outcome.out .. outcome.err
  assert.is_nil(outcome.signal, said)
  assert.are_not.equal(124, outcome.code, "it did not end: " .. said)
  assert.are.equal(0, outcome.code, said)
end

-- Under a stock lua5.4 a program must run as well, unless its main chunk
-- awaits.
local function assert_ran_or_awaits_in_main_chunk(outcome)
  if outcome.err:find("cannot await outside a task", 1, true) then
    assert.are.equal(1, outcome.code)
    return
  end
  assert_ran(outcome)
end

local examples = process.files("examples", "^examples/[^/]+%.lua$")

describe("the examples", function()
  it("are there [examples]", function()
    assert.is_true(#examples > 0)
  end)

  for _, path in ipairs(examples) do
    local full = quoted(process.root .. "/" .. path)

    it(path .. " runs in the program [examples]", function()
      if lacks_library(path) then
        pending "libzmq or OpenSSL is not installed"
        return
      end
      assert_ran(process.run("exec $aiowire " .. full .. " </dev/null"))
    end)

    it(path .. " runs under lua5.4 [examples]", function()
      if process.sanitized or lacks_library(path) then
        pending "needs a stock lua5.4, and its libraries"
        return
      end
      assert_ran_or_awaits_in_main_chunk(
        process.run("exec $lua " .. full .. " </dev/null")
      )
    end)
  end
end)
