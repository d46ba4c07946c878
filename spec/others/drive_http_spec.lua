local aw = require "aiowire"
local helper = require "spec.support.helper"
local rocks = require "spec.support.rocks"

local cqueues = rocks.find "cqueues"
local server_of = cqueues and rocks.find "http.server"
local headers = server_of and rocks.find "http.headers"
local request = server_of and rocks.find "http.request"
local others = require "aiowire.cqueues"

local it = rocks.facts(it, request, "lua-http")

--- Returns a server of lua-http in a controller, and the address of its root.
--- `answer(path, stream)` returns the body of the response.
local function serve(answer)
  local controller = cqueues.new()
  local server = assert(server_of.listen {
    host = "127.0.0.1", port = 0, tls = false, cq = controller,
    onstream = function(_, stream)
      local path = assert(stream:get_headers()):get ":path"
      local body = answer(path, stream)
      local head = headers.new()
      head:append(":status", "200")
      assert(stream:write_headers(head, false))
      assert(stream:write_chunk(body, true))
    end,
    onerror = function(_, _, _, err)
      error(err, 0)
    end,
  })
  assert(server:listen())
  local _, _, port = server:localname()
  return controller, server, "http://127.0.0.1:" .. port
end

--- Returns the body of a response, fetched by lua-http in a task.
local function fetch(address)
  local controller = cqueues.new()
  local body
  controller:wrap(function()
    local _, stream = assert(request.new_from_uri(address):go(60))
    body = assert(stream:get_body_as_string(60))
    stream:shutdown()
  end)
  aw.run(others.Drive(controller))
  controller:close()
  return body
end

--- Returns a function for `it` that calls `f(root)` beside a server.
local function beside(answer, f)
  return helper.sealed(function()
    local controller, server, root = serve(answer)
    aw.run(others.Drive(controller) | aw.Call(f, root))
    server:close()
    controller:close()
  end)
end

if request then -- cqueues keeps a controller of its first name look-up
  local controller, server, root = serve(tostring)
  aw.run(others.Drive(controller) | aw.Call(fetch, root))
  server:close()
  controller:close()
end

describe("lua-http", function()
  it("serves and fetches in tasks [X36]", beside(function(path)
    return "you want " .. path
  end, function(root)
    assert.equal("you want /a", fetch(root .. "/a"))
    assert.equal("you want /b", fetch(root .. "/b"))
  end))

  it("serves a client of another library", beside(function(path)
    return path:rep(1000)
  end, function(root)
    local stream <close> = aw.tcp.connect("127.0.0.1",
      tonumber(root:match "%d+$"))
    stream:write "GET /x HTTP/1.0\r\n\r\n"
    assert.equal(("/x"):rep(1000), stream:read "a":match "\r\n\r\n(.*)$")
  end))

  it("fetches several addresses at the same time", beside(function(path)
    cqueues.sleep(0.001)
    return path
  end, function(root)
    local wires = {}
    for i = 1, 10 do
      wires[i] = aw.Call(fetch, root .. "/" .. i)
    end
    for i, body in ipairs { aw.all(wires) } do
      assert.equal("/" .. i, body)
    end
  end))

  it("awaits a program to answer [X37]", beside(function(path)
    return others.await(aw.exec, "echo", path).out
  end, function(root)
    assert.equal("/program\n", fetch(root .. "/program"))
  end))

  it("leaves nothing behind when its server is cancelled [X34]",
    helper.sealed(function()
      local controller, server, root = serve(function()
        cqueues.sleep(100)
      end)
      aw.run(others.Drive(controller) | aw.Call(function()
        assert.is_nil(aw.await(aw.Call(fetch, root):timeout(0.05)
          // aw.Value()))
      end))
      server:close()
      controller:close()
      collectgarbage()
      collectgarbage()
    end))
end)
