return {
  breaks = "A client checks the name in the server's certificate",
  find = [[
o->X509_VERIFY_PARAM_set1_host(rules, text, 0) == 1 &&
]],
  put = [[
rules &&
]],
  spec = "tls_names",
  it = "is the one that it connects to",
}
