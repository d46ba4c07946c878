return {
  breaks = "libzmq gets no name of a host [ZQ17, M22]",
  find = [[
return has_proxy(s) ? connect_now(s, address, &host, host.name)
                        : connect_later(s, address, &host, engine);
]],
  put = [[
return has_proxy(s) || engine ? connect_now(s, address, &host, host.name)
                  : connect_later(s, address, &host, engine);
]],
  spec = "zmq_names",
  it = "stalls no other socket while its look-up hangs",
}
