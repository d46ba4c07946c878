return {
  breaks = "Memory that libuv holds is freed in its close callback [I4]",
  find = [[
uv_close((uv_handle_t *)&watch->poll, free_watch);
]],
  put = [[
uv_close((uv_handle_t *)&watch->poll, NULL);
]],
  spec = "memory_test",
}
