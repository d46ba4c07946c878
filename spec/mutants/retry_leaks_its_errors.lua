return {
  breaks = "A retry releases the error that a later error replaces",
  find = [[
aw_error_release(own->error);
  own->error = aw_error_keep(task->out.error);
]],
  put = [[
own->error = aw_error_keep(task->out.error);
]],
  spec = "retry",
  it = "retries after a Timeout of the try",
}
