return {
  breaks = "A wait for subscribers takes nothing from an XPUB [M5]",
  find = [[
put_back(s, message);
  }
]],
  put = [[
awz_message_free(message);
  }
]],
  spec = "zmq_subscriber",
  it = "receives its subscriptions once and in order",
}
