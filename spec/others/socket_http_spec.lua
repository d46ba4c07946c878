-- LuaSocket's modules of protocols run unchanged on aw.socket, with servers
-- that are written with aiowire [X40, X42].

local aw = require "aiowire"
local helper = require "spec.support.helper"
local rocks = require "spec.support.rocks"

local http = rocks.find "socket.http"
local smtp = rocks.find "socket.smtp"
local ltn12 = rocks.find "ltn12"

local run = helper.run
local it = rocks.facts(it, http, "lua-socket")

--- As `it`, for what needs LuaSocket's modules in Lua.
local function with_modules(what, f)
  it(what, function()
    run(f)
  end)
end

--- Start a server whose tasks run `body(stream)`. Returns its address.
local function serve(ev, body)
  local server = aw.tcp.listen("127.0.0.1", 0)
  local task = ev:start(aw.Serve(server, function(_, stream)
    body(stream)
  end), nil, { background = true })
  local host, port = server:name()
  return ("http://%s:%d/"):format(host, port), host, port, function()
    server:close()
    task:cancel_wait()
  end
end

--- Read a request of HTTP. Returns its first line and its headers.
local function read_request(stream)
  local first, headers = stream:read "l", {}
  for line in stream:lines() do
    local name, value = line:match "^([^:]+):%s*(.-)\r?$"
    if not name then
      break
    end
    headers[name:lower()] = value
  end
  return first and first:gsub("\r$", ""), headers
end

local function answer(stream, body, extra)
  stream:write("HTTP/1.1 200 OK\r\nContent-Length: ", #body, "\r\n",
    extra or "", "Connection: close\r\n\r\n", body)
end

describe("socket.http on aw.socket", function()
  with_modules("fetches to a sink, or drops what comes [X40]",
    function(ev)
      local url, _, _, close = serve(ev, function(stream)
        answer(stream, (read_request(stream)))
      end)
      local body, code = http.request { url = url .. "path",
        create = aw.socket.tcp }
      assert.are.equal(1, body)
      assert.are.equal(200, code)
      local parts = {}
      local _, status, headers = http.request { url = url .. "path?q=1",
        create = aw.socket.tcp, sink = ltn12.sink.table(parts) }
      assert.are.equal(200, status)
      assert.are.equal("22", headers["content-length"])
      assert.are.equal("GET /path?q=1 HTTP/1.1", table.concat(parts))
      close()
    end)

  with_modules("posts from a source, and reads chunks", function(ev)
    local url, _, _, close = serve(ev, function(stream)
      local _, headers = read_request(stream)
      local body = stream:read(tonumber(headers["content-length"]))
      stream:write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n",
        "Connection: close\r\n\r\n")
      for word in body:gmatch "%S+" do
        stream:write(("%x\r\n%s\r\n"):format(#word, word))
      end
      stream:write "0\r\n\r\n"
    end)
    local parts, text = {}, "some words to send"
    local ok = http.request { url = url, method = "POST",
      create = aw.socket.tcp, source = ltn12.source.string(text),
      headers = { ["content-length"] = #text },
      sink = ltn12.sink.table(parts) }
    assert.are.equal(1, ok)
    assert.are.equal("somewordstosend", table.concat(parts))
    close()
  end)

  with_modules("serves 50 requests at the same time [X42]", function(ev)
    local waiting, gate = 0, aw.event()
    local url, _, _, close = serve(ev, function(stream)
      read_request(stream)
      waiting = waiting + 1
      if waiting == 50 then -- the last one lets all go on
        gate:set()
      end
      gate:wait()
      answer(stream, "done")
    end)
    local fetches, done = {}, 0
    for i = 1, 50 do
      fetches[i] = function()
        local ok, code = http.request { url = url, create = aw.socket.tcp }
        assert(ok == 1 and code == 200)
        done = done + 1
      end
    end
    aw.timeout(60, aw.all, fetches)
    assert.are.equal(50, done)
    close()
  end)

  with_modules("returns LuaSocket's errors", function(ev)
    assert.are.same({ nil, "connection refused" }, { http.request {
      url = "http://127.0.0.1:1/", create = aw.socket.tcp } })
    local url, _, _, close = serve(ev, function(stream)
      read_request(stream)
    end)
    assert.are.same({ nil, "closed" }, { http.request { url = url,
      create = aw.socket.tcp } })
    close()
  end)

  with_modules("follows redirects if `socket` is ours [X48]", function(ev)
    local loaded = package.loaded
    local socket, own_http = loaded.socket, loaded["socket.http"]
    loaded.socket, loaded["socket.http"] = aw.socket, nil
    local ours = rocks.find "socket.http"
    loaded.socket, loaded["socket.http"] = socket, own_http
    local url, _, _, close = serve(ev, function(stream)
      local number = tonumber(read_request(stream):match "^GET /(%d+)")
      if number == 0 then
        answer(stream, "the end")
      else
        stream:write("HTTP/1.1 302 Found\r\nLocation: /", number - 1,
          "\r\nConnection: close\r\n\r\n")
      end
    end)
    assert.are.equal("the end", (ours.request(url .. "3")))
    close()
  end)

  with_modules("is cut by a time-out, and leaves no descriptor [X47]",
    function(ev)
      local url, _, _, close = serve(ev, function(stream)
        read_request(stream)
        stream:read "a" -- until the client has gone
      end)
      local made
      local function create()
        made = aw.socket.tcp()
        return made
      end
      helper.raises("timeout", aw.timeout, 0.1, http.request, { url = url,
        create = create })
      assert.are.equal(-1, made:getfd())
      close()
    end)
end)

describe("socket.smtp on aw.socket", function()
  with_modules("sends a mail", function(ev)
    local lines = {}
    local _, host, port, close = serve(ev, function(stream)
      stream:write "220 ready\r\n"
      local in_data = false
      for line in stream:lines() do
        line = line:gsub("\r$", "")
        lines[#lines + 1] = line
        if in_data then
          in_data = line ~= "."
          stream:write(in_data and "" or "250 taken\r\n")
        elseif line == "DATA" then
          in_data = true
          stream:write "354 go on\r\n"
        elseif line == "QUIT" then
          stream:write "221 bye\r\n"
          return
        else
          stream:write "250 fine\r\n"
        end
      end
    end)
    local sent, err = smtp.send { from = "<a@example.org>",
      rcpt = "<b@example.org>", server = host, port = port,
      create = aw.socket.tcp, domain = "example.org",
      source = smtp.message { headers = { subject = "a test" },
        body = "first line\r\n.a dot\r\n" } }
    assert.are.equal(1, sent, err)
    local all = table.concat(lines, "\n")
    assert.is_truthy(all:find("MAIL FROM:<a@example.org>", 1, true))
    assert.is_truthy(all:find("RCPT TO:<b@example.org>", 1, true))
    assert.is_truthy(all:lower():find("subject: a test", 1, true), all)
    assert.is_truthy(all:find("first line\n..a dot", 1, true), all)
    assert.are.equal("QUIT", lines[#lines])
    close()
  end)
end)
