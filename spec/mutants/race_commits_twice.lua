return {
  breaks = "A race of events decides at the first commit [H3]",
  find = [[
decide(group, contender);
}
]],
  put = [[
(void)decide;
}
]],
  spec = "event_race",
  it = "unregisters losing events when it commits, not later",
}
