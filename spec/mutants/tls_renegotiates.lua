return {
  breaks = "A connection of TLS has one handshake",
  find = [[
SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION;
]],
  put = [[
SSL_OP_NO_COMPRESSION;
]],
  spec = "tls_openssl",
  it = "s_server, of a client with TLS, gets no new handshake",
}
