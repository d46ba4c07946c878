-- The Lua module aiowire, from this tree:
--
--   luarocks --lua-version 5.4 make
--
-- It needs cmake, pkg-config, libuv and the headers of OpenSSL 3, and downloads
-- nothing. The program aiowire and the libraries for C programs come by
-- ./dev install.
rockspec_format = "3.0"
package = "aiowire"
version = "scm-1"
source = { url = "." }
description = {
  summary = "Concurrent programs, written as values that say what happens next",
  detailed = [[
    Wires are small immutable values: timers, channels, sockets, TLS,
    processes, files, threads and ZeroMQ, with time-outs, cancelling and
    clean-up.]],
  license = "MIT",
}
supported_platforms = { "unix" }
dependencies = { "lua ~> 5.4" }
-- LuaRocks looks for libraries in /usr/lib alone, and Debian has them in a
-- folder for each architecture. So it asks for the headers only. aiowire opens
-- OpenSSL's library at run time; without OPENSSL here and with AIOWIRE_TLS =
-- "OFF" below, all but aw.tls is built.
external_dependencies = {
  UV = { header = "uv.h" },
  OPENSSL = { header = "openssl/ssl.h" },
}
build = {
  type = "cmake",
  variables = {
    CMAKE_BUILD_TYPE = "Release",
    CMAKE_INSTALL_PREFIX = "$(PREFIX)",
    CMAKE_PREFIX_PATH = "$(UV_DIR);$(OPENSSL_DIR)",
    AIOWIRE_TLS = "ON",
    AIOWIRE_LUA_CDIR = "$(LIBDIR)",
    AIOWIRE_HOST = "OFF",
    AIOWIRE_LIB = "OFF",
    AIOWIRE_DOCS = "OFF",
    AIOWIRE_TESTS = "OFF",
    LUA_INCDIR = "$(LUA_INCDIR)",
  },
  copy_directories = { "docs", "examples" },
}
