--- Key pairs of CURVE for specs, and an authenticator that is heard.

local aw = require "aiowire"
local sockets = require "spec.support.sockets"

local zmq = sockets.zmq

local M = {}

-- Public and secret keys of CURVE's documentation and of pyzmq's tests.
M.server = { "Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hID",
  "D:)Q[IlAW!ahhC2ac:9*A}h:p?([4%wOTJ%JR%cs" }
M.client = { "rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7",
  "JTKVSB%%)wK0E.X)V>+}o?pNmC{O&4W4b!Ni{Lh6" }

--- The public key of the client as 32 bytes.
M.client_bytes = ("54FCBA24E93249969316FB617C872BB0C1D1FF14800427C594CBFACF1B"
  .. "C2D652"):gsub("%x%x", function(byte)
  return string.char(tonumber(byte, 16))
end)

--- The options of a server, and of a client with the keys of `pair`.
M.for_server = { curve_server = true, curve_publickey = M.server[1],
  curve_secretkey = M.server[2] }

function M.for_client(pair)
  return { curve_serverkey = M.server[1], curve_publickey = pair[1],
    curve_secretkey = pair[2] }
end

--- Returns options for a client with `user` and `password`.
function M.plain(user, password)
  return { plain_username = user, plain_password = password }
end

--- Returns a PULL socket with these options, bound to a new address.
function M.server_of(options, transport)
  return zmq.socket("pull", options):bind(sockets.address(transport or "tcp"))
end

--- Returns a PUSH socket that is connected to `server`. A task sends `message`:
--- if the peer is denied first, the send waits for the close of the socket.
function M.push(server, options, message)
  local s = zmq.socket("push", options)
  s.linger = 0
  s:connect(server.last_endpoint)
  aw.start(aw.Call(pcall, s.send, s, message))
  return s
end

--- Returns an authenticator whose denials go to a channel, and the channel.
--- Each is { request, why }.
function M.auth(options)
  local denials = aw.channel(math.huge)
  options.on_denied = function(request, why)
    denials:send { request, why }
  end
  return zmq.auth(options), denials
end

return M
