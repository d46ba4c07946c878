-- What language servers read: .luarc.json for this tree, and the addon in
-- cmake/lls for users.

local process = require "spec.support.process"

describe("the addon for a language server", function()
  local config = process.read "cmake/lls/config.json"

  -- A server puts a pattern in front of and behind each word.
  it("is offered to programs that require the module [docs]", function()
    local word = assert(config:match '"words": %["(.-)"%],\n')
    word = "([%w_]?)" .. word:gsub("\\(.)", "%1") .. "([%w_]?)"
    for _, line in ipairs { 'local aw = require "aiowire"',
      "require('aiowire')", 'require("aiowire.zmq").socket' } do
      assert.is_truthy(line:find(word), line)
    end
    for _, line in ipairs { 'require "aiowired"', 'print "aiowire"',
      'require "x.aiowire"' } do
      assert.is_nil(line:find(word), line)
    end
  end)

  it("knows both modules by their names [docs]", function()
    assert.is_truthy(process.read("lua/aiowire/meta.lua")
      :find "^%-%-%-@meta aiowire\n")
    assert.is_truthy(process.read("cmake/lls/zmq.lua")
      :find "^%-%-%-@meta aiowire%.zmq\n")
  end)
end)

describe(".luarc.json", function()
  it("names files and folders of the tree [docs]", function()
    local text = process.read ".luarc.json"
    local library = text:match '"workspace%.library": %[(.-)%]'
    local count = 0
    for path in library:gmatch '"(.-)"' do
      count = count + 1
      -- ${3rd} is a folder of the server.
      assert.is_true(path:find "^%${" ~= nil or process.read(path) ~= "", path)
    end
    assert.is_true(count > 0)
  end)
end)
