return {
  breaks = "A session is resumed with the very same options only",
  find = [[
if (memcmp(c->all[i].fingerprint, print, AWIO_TLS_FINGERPRINT) == 0)
]],
  put = [[
if (memcmp(c->all[i].fingerprint, print, 0) == 0)
]],
  spec = "tls_session",
  it = "resumes nothing with other options",
}
