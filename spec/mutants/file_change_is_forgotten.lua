return {
  breaks = "A cancelled change of files that is under way is awaited [W3]",
  find = [[
  return !b->job || awio_work_stop(&b->job->work);
]],
  put = [[
  return true;
]],
  spec = "file_cancel",
  it = "finishes a plain write, and tells so",
}
