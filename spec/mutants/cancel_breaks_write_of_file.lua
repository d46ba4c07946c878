return {
  breaks = "No cancel breaks a large write to a file [W23]",
  find = [[
.abandon = large_disarm
]],
  put = ".disarm = large_disarm\n",
  spec = "file_stream",
  it = "takes a large write as one, also if it is cancelled",
}
