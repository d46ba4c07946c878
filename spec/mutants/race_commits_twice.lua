return {
  breaks = "H3: a race of events decides at the first commit.",
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
