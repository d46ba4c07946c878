/* text.c - error codes as LuaSocket's texts */
#include "luasocket/luasocket.h"

#include <uv.h>

#include <string.h>

const char *awio_ls_text(int code) {
  switch (code) {
  case 0: return NULL;
  case AW_ECLOSED:
  case UV_EPIPE:
  case UV_ECONNABORTED:
  case UV_ECONNRESET: return "closed";
  case UV_ETIMEDOUT: return "timeout";
  case UV_EADDRINUSE: return "address already in use";
  case UV_EISCONN: return "already connected";
  case UV_EACCES: return "permission denied";
  case UV_ECONNREFUSED: return "connection refused";
  default: return strerror(-code);
  }
}
