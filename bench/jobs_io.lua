--- What is measured: the jobs of the group `io`. The head of jobs.lua explains
--- the fields.
---
--- A parameter is one word:
---   exec        programs at a time
---   poller      ACTIVE/ALL sockets
---   tcp_echo    connections with a request under way, and idle ones: 1+10000
---   zmq_echo    clients, and requests under way of each: 16x32
---   zmq_proxy   the kind of messages, for the server and the load
---   tls_echo    connections with a request under way
---   tls_accept  the handshakes: full, or resumed sessions
---   file        how a file is read: whole, pieces of 64 kB, lines
---   pool_job    jobs under way at the same time
---
--- `program` is the name of the programs, if they are those of another job.

local CERTIFICATE <const> = { certificate = true }

local jobs <const> = {
  { name = "exec", chapter = "processes", title = "exec",
    operation = "run /bin/true, read its output to the end, await its end",
    size = 100, parameters = { "1", "64" }, musts = {
      { "cpu", most = 1.15, of = "floor" },
    } },
  { name = "lines", chapter = "processes", title = "lines of a program",
    operation = "read a line of 50 bytes from the output of `yes`",
    size = 1000000, musts = { { "cpu", most = 2, of = "floor" } } },

  { name = "file", chapter = "files", title = "file of 1 GB",
    operation = "read the file: at once, in pieces of 64 kB, or in lines of 0 "
      .. "to 100 bytes",
    size = 1, parameters = { "whole", "pieces", "lines" },
    data = { size = 1000000000 }, musts = {
      { "cpu", most = 1.1, of = "floor" },
      { "wall", most = 1.1, of = "floor" },
    } },
  { name = "files", chapter = "files", title = "small files",
    operation = "read a file of 1 kB; 8 are read at the same time",
    sizes = { 10000 }, data = { count = 10000, size = 1000 }, musts = {
      { "cpu", most = 1.3, of = "floor" },
      { "wall", most = 1.3, of = "floor" },
    } },
  { name = "pool_job", chapter = "threads", title = "job of a pool",
    operation = "pass a number to a function in another thread, and its result "
      .. "back; so many are under way at the same time",
    size = 20000, parameters = { "1", "64" }, musts = {
      { "cpu", most = 15e-6 },
    } },

  { name = "poller", chapter = "poller", title = "Poller",
    operation = "a callback for a socket, with its datagram: some are active "
      .. "of all that are watched",
    size = 50000,
    parameters = { "100/200", "1/10000", "100/10000", "10000/10000" },
    musts = {
      { "cpu", most = 1.15, parameter = "100/10000", row = "100/200" },
    } },

  { name = "tcp_echo", chapter = "tcp", title = "TCP echo",
    operation = "a request of 64 bytes and its reply, from clients of one "
      .. "request at a time",
    size = 20000, parameters = { "1", "64", "1000", "1+10000" },
    address = "tcp", load = { "tcp_echo" }, pin = true, musts = {
      { "cpu", most = 1.15, of = "floor", parameter = "64" },
      { "cpu", most = 1, of = "luv", parameter = "64" },
      { "cpu", most = 1.15, parameter = "1+10000", row = "1" },
    } },
  { name = "tcp_idle", program = "tcp_echo", chapter = "tcp",
    title = "idle TCP connections",
    operation = "accept a connection, send back one request, keep it open",
    sizes = { 10000 }, by = "peak", memory = true, address = "tcp",
    load = { "tcp_echo", "idle" }, pin = true, musts = {
      { "peak", most = 8192 },
    } },
  { name = "tcp_copy", chapter = "tcp", title = "copy from TCP to TCP",
    operation = "a megabyte from one connection to another", size = 200,
    address = "tcp", beside = { "tcp_copy" }, pin = true, musts = {
      { "cpu", most = 1.2, of = "floor" },
    } },
  { name = "lines_socket", chapter = "tcp", title = "lines of a connection",
    operation = "read a line of 0 to 100 bytes from a TCP connection",
    size = 1000000, address = "tcp", beside = { "lines" }, pin = true,
    musts = { { "cpu", most = 2, of = "floor" } } },

  { name = "luasocket_echo", chapter = "tcp", title = "echo by LuaSocket",
    operation = "a request of 64 bytes and its reply, by receive(64) and send "
      .. "of a socket as LuaSocket's",
    size = 20000, floor = "tcp_echo", parameters = { "1" }, address = "tcp",
    load = { "tcp_echo" }, pin = true, musts = {
      { "cpu", most = 1.5, of = "luasocket" },
    } },
  { name = "luasocket_lines", chapter = "tcp", title = "lines by LuaSocket",
    operation = "read a line of 0 to 100 bytes from a TCP connection, by "
      .. "receive \"*l\" of a socket as LuaSocket's",
    size = 1000000, floor = "lines_socket", address = "tcp",
    beside = { "lines" }, pin = true, musts = {
      { "cpu", most = 1, of = "luasocket" },
    } },

  { name = "tls_read", chapter = "tls", title = "read over TLS",
    operation = "read a MiB from a TLS connection, and drop it", size = 200,
    uses = "tls", data = CERTIFICATE, address = "tcp",
    load = { "tls_bytes", "send" }, pin = true, musts = {
      { "cpu", most = 1 / 0.8, of = "floor" },
    } },
  { name = "tls_write", chapter = "tls", title = "write over TLS",
    operation = "write a MiB to a TLS connection, in pieces of 64 KiB",
    size = 200, uses = "tls", data = CERTIFICATE, address = "tcp",
    load = { "tls_bytes", "ask" }, pin = true, musts = {
      { "cpu", most = 1 / 0.8, of = "floor" },
    } },
  { name = "tls_echo", chapter = "tls", title = "TLS echo",
    operation = "a request of 64 bytes and its reply, from clients of one "
      .. "request at a time",
    size = 20000, parameters = { "1", "64" }, uses = "tls", data = CERTIFICATE,
    address = "tcp", load = { "tls_echo" }, pin = true, musts = {
      { "cpu", most = 1 / 0.8, of = "floor" },
    } },
  { name = "tls_accept", program = "tls_echo", chapter = "tls",
    title = "accept TLS",
    operation = "accept a TLS connection, full or resumed: handshake, request "
      .. "of 64 bytes, reply, end",
    size = 200, parameters = { "full", "resumed" }, uses = "tls",
    floor = "tls_echo", data = CERTIFICATE, address = "tcp",
    load = { "tls_handshakes" }, pin = true, musts = {
      { "cpu", most = 1.2, of = "floor" },
    } },
  { name = "tls_connect", chapter = "tls", title = "connect TLS",
    operation = "connect to a TLS server and verify it: handshake, request of "
      .. "64 bytes, reply, end",
    size = 200, uses = "tls", data = CERTIFICATE, address = "tcp",
    facing = { "tls_server" }, pin = true, musts = {
      { "cpu", most = 1.2, of = "floor" },
    } },
  { name = "tls_idle", program = "tls_echo", chapter = "tls",
    title = "idle TLS connections",
    operation = "accept a TLS connection, send back one request, keep it open",
    sizes = { 5000 }, by = "peak", memory = true, uses = "tls",
    floor = "tls_echo", data = CERTIFICATE, address = "tcp",
    load = { "tls_echo", "idle" }, pin = true, musts = {
      { "peak", most = 40 * 1024 },
    } },

  -- Two processes and the threads of libzmq share the work: wall time.
  { name = "zmq_echo", chapter = "zmq", title = "ROUTER, echo",
    operation = "receive a message of 64 bytes, send it back to its peer",
    size = 20000, parameters = { "1x1", "16x32" }, by = "wall", uses = "zmq",
    address = "ipc", load = { "zmq_echo" }, musts = {
      { "wall", most = 1 / 0.9, of = "floor", parameter = "1x1" },
      { "wall", most = 1 / 0.8, of = "floor", parameter = "16x32" },
      { "wall", most = 1 / 2.2, of = "zloop", parameter = "16x32" },
      { "instructions", most = 4200, parameter = "16x32" },
    } },
  { name = "zmq_echo_multipart", chapter = "zmq",
    title = "ROUTER, echo of tables",
    operation = "the same for messages of any number of parts",
    size = 20000, parameters = { "16x32" }, by = "wall", uses = "zmq",
    floor = "zmq_echo", address = "ipc", load = { "zmq_echo" }, musts = {
      { "wall", most = 1 / 0.7, of = "floor" },
      { "instructions", most = 5200 },
    } },
  { name = "zmq_poller", chapter = "zmq", title = "ROUTER, echo by a Poller",
    operation = "the same, called back when a message is there",
    size = 20000, parameters = { "16x32" }, by = "wall", uses = "zmq",
    floor = "zmq_echo", address = "ipc", load = { "zmq_echo" }, musts = {
      { "wall", most = 1 / 0.6, of = "floor" },
      { "wall", most = 1 / 30, of = "asyncio" },
    } },
  { name = "zmq_pull", chapter = "zmq", title = "PULL",
    operation = "receive a message of 64 bytes", size = 50000, by = "wall",
    uses = "zmq", address = "ipc", beside = { "zmq_push" }, musts = {
      { "wall", most = 1 / 0.7, of = "floor" },
    } },
  { name = "zmq_pub", chapter = "zmq", title = "PUB to 100 subscribers",
    operation = "publish a message of 64 bytes", size = 2000, by = "wall",
    uses = "zmq", address = "ipc", beside = { "zmq_sub" }, musts = {
      { "wall", most = 1 / 0.9, of = "floor" },
    } },
  { name = "zmq_proxy", chapter = "zmq", title = "Proxy",
    operation = "pass on a message of 64 bytes; a request with its reply",
    size = 50000, parameters = { "requests", "topics", "jobs" }, by = "wall",
    uses = "zmq", address = "ipc", load = { "zmq_proxy" }, musts = {
      { "wall", most = 1.5, of = "floor" },
      { "cpu", most = 1.5, of = "floor" },
    } },
}
for _, job in ipairs(jobs) do
  job.group = "io"
end
return jobs
