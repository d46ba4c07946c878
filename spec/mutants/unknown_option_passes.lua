return {
  breaks = "UX: an option that no function knows is an error.",
  find = [[
if (!is_option)
      refuse_option(L, arg, known);
]],
  put = [[
(void)is_option;
]],
  spec = "options",
  it = "is refused, and the nearest named, by EventLoop",
}
