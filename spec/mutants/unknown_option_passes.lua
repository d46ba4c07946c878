return {
  breaks = "An option that no function knows is an error [API]",
  find = [[
if (!is_option)
      return true;
]],
  put = [[
(void)is_option;
]],
  spec = "options",
  it = "is refused, and the nearest named, by EventLoop",
}
