return {
  breaks = "An atomic write is on the disk before it takes the name [W4]",
  find = [[
  if (rc == 0 && fsync(fd) < 0)
    rc = -errno;
  return rc;
]],
  put = [[
  return rc;
]],
  spec = "file_threads",
  it = "is on the disk before it takes the name",
}
