return {
  breaks = "An end that the peer has not announced is an error",
  find = [[
SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION;
]],
  put = [[
SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_IGNORE_UNEXPECTED_EOF;
]],
  spec = "tls_end",
  it = "is a TLSError after the bytes",
}
