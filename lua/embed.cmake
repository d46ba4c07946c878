# Write Lua sources into one C file: those of the library (see
# lua/bind/base/parts.h), or those of the program (see lua/host/state/parts.h).
#
#   cmake -DROOT=lua -DFILES="aiowire/a.lua;…" -DOUT=embedded.c
#     -DHEADER=base/parts.h -DTABLE=awl_embedded -P embed.cmake
#
# With -DHITS=hits.so, the copies of a build that counts which lines run; see
# spec/coverage/lua_lines.lua.
#
# HEADER declares TABLE, an array of `struct TABLE`.
#
# Bytes rather than string literals: C promises 4095 characters in a literal,
# and bytes need no quoting.

set(arrays "")
set(rows "")
set(index 0)
foreach(file IN LISTS FILES)
  set(source "${ROOT}/${file}")
  if(HITS)
    set(source "${OUT}.part")
    execute_process(COMMAND lua5.4 spec/coverage/lua_lines.lua
      "${HITS}" "lua/${file}" "${source}"
      WORKING_DIRECTORY "${ROOT}/.." COMMAND_ERROR_IS_FATAL ANY)
  endif()
  file(READ "${source}" bytes HEX)
  string(REGEX REPLACE "(................................)" "\\1\n  "
    bytes "${bytes}")
  string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${bytes}")
  string(REGEX REPLACE "\\.lua$" "" name "${file}")
  string(REPLACE "/" "." name "${name}")
  # The zero at the end makes it a C string as well, and an empty file legal.
  string(APPEND arrays
    "static const unsigned char source_${index}[] = {\n  ${bytes}0x00};\n\n")
  string(APPEND rows
    "  {\"${name}\", (const char *)source_${index},\n"
    "   sizeof source_${index} - 1},\n")
  math(EXPR index "${index} + 1")
endforeach()

file(WRITE "${OUT}" "/* Made by lua/embed.cmake. */

#include \"${HEADER}\"

${arrays}const struct ${TABLE} ${TABLE}[] = {
${rows}  {NULL, NULL, 0},
};
")
