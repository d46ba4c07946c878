---@meta aiowire.zmq

-- `require "aiowire.zmq"`, for a language server.
return require("aiowire").zmq
