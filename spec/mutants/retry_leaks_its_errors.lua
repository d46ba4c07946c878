return {
  breaks = "An error that another one replaces is released",
  find = [[
aw_error_release(guard->error);
  guard->error = aw_error_keep(task->out.error);
]],
  put = [[
guard->error = aw_error_keep(task->out.error);
]],
  spec = "retry",
  it = "retries after a Timeout of the try",
}
