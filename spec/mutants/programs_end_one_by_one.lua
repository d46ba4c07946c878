return {
  breaks = "All programs of a pipeline get TERM at once [X23]",
  find = [[
inner.end_process(proc)
]],
  put = [[

]],
  spec = "pipeline",
  it = "sends TERM to a program while another one ends",
}
