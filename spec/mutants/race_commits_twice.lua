return {
  breaks = "A race of events decides at the first commit [H3]",
  find = [[
aw__group_decide(group, contender);
}
]],
  put = [[
(void)group;
}
]],
  spec = "event_race",
  it = "unregisters losing events when it commits, not later",
}
