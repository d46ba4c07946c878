-- Bytes that are no ZMTP, sent to the ports of sockets: a monitor tells of
-- them, and nothing else comes of them [M1].

local aw = require "aiowire"
local sockets = require "spec.support.sockets"

local zmq, fact = sockets.zmq, sockets.fact

local MB <const> = 1 << 20

-- A greeting of ZMTP 3 that names a mechanism.
local function greeting(mechanism)
  return "\xff\0\0\0\0\0\0\0\1\x7f\3\0" .. mechanism
    .. ("\0"):rep(20 - #mechanism) .. ("\0"):rep(32)
end

-- Each with the bytes, and how many times they are sent.
local garbage <const> = {
  { "ZMTP of an unknown version", "\xff\0\0\0\0\0\0\0\1\x7f\x99\x99"
    .. ("\x99"):rep(200) },
  { "ZMTP 1.0 junk", "\1\0" .. ("\5\0junk"):rep(50) },
  { "ZMTP with an unknown mechanism", greeting "NONSENSE" },
  { "ZMTP with an oversized frame in its handshake",
    greeting "NULL" .. "\2\x7f\xff\xff\xff\xff\xff\xff\xff" },
  { "ZMTP with a malformed command", greeting "NULL" .. "\4\3\xffab" },
  { "a TLS hello", "\x16\3\1\2\0\1\0\1\xfc\3\3" .. ("\xab"):rep(508) },
  { "HTTP", "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n" },
  { "megabytes of zeros", ("\0"):rep(MB), 8 },
  { "megabytes of 0xff", ("\xff"):rep(MB), 8 },
  { "nothing at all", "" },
}

--- Sends the bytes to the server of `s` until all are sent, or until it
--- closes.
local function spill(s, bytes, times)
  local host, port = s.last_endpoint:match "//(.*):(%d+)"
  local c <close> = aw.tcp.connect(host, math.tointeger(port))
  pcall(function()
    for _ = 1, times or 1 do
      c:write(bytes)
    end
    c:shutdown()
  end)
end

local function await_end_of_connection(m)
  repeat
    local e = m:recv()
  until e.event == "disconnected"
end

--- A good client sends a request and gets its reply.
local function serve_one(s, client, text)
  client:send_multipart { "", text }
  local request = s:recv_multipart()
  while request[#request] ~= text do -- junk that is a message of its own
    request = s:recv_multipart()
  end
  s:send_multipart(request)
  assert.are.same({ "", text }, client:recv_multipart())
end

local function filter(list, holds)
  local kept = {}
  for _, value in ipairs(list) do
    kept[#kept + 1] = holds(value) and value or nil
  end
  return kept
end

--- Junk in the form of ZMTP 1.0 is a message: a REP may lose the reply to a
--- good client then, as docs/zmq.md says.
local function kinds_for(type)
  return function(kind)
    return type ~= "rep" or kind[1] ~= "ZMTP 1.0 junk"
  end
end

for _, type in ipairs { "router", "dealer", "rep" } do
  describe(("garbage on the port of a %s"):format(type:upper()), function()
    for _, kind in ipairs(filter(garbage, kinds_for(type))) do
      it(("does no harm to good clients: %s [M1]"):format(kind[1]),
        fact(function()
          local s <close> = zmq.socket(type, { handshake_ivl = 1000 })
          local m <close> = s:monitor()
          s:bind(sockets.address "tcp")
          local good <close> = zmq.socket("dealer"):connect(s.last_endpoint)
          s:wait_peers(1)
          serve_one(s, good, "before")
          spill(s, kind[2], kind[3])
          await_end_of_connection(m)
          serve_one(s, good, "after")
          assert.is_true(s:wait_peers(1, 5))
        end))
    end
  end)
end
