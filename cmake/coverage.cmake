# Options of a build that counts what runs, for ./dev coverage.

# Threads count, too, so counts are updated by atomic instructions.
target_compile_options(aiowire_flags INTERFACE
  --coverage -fprofile-update=atomic)
target_link_options(aiowire_flags INTERFACE --coverage)

# The counts of processes that end by _exit() or by a signal, and of those that
# cannot write them.
add_library(aiowire_flush STATIC spec/coverage/flush.c)
target_link_libraries(aiowire_flags INTERFACE aiowire_flush)
target_link_options(aiowire_flags INTERFACE -Wl,--undefined=__wrap_fprintf
  -Wl,--wrap=_exit,--wrap=raise,--wrap=fprintf)

# The counts of lines of Lua.
if(AIOWIRE_LUA)
  set(AIOWIRE_HITS ${CMAKE_CURRENT_BINARY_DIR}/hits.so)
  # What else the embedded copies depend on: a source's place among all sources
  # is in its numbers.
  file(GLOB hits_sources CONFIGURE_DEPENDS
    lua/aiowire/*.lua lua/host/*/*.lua)
  file(GENERATE OUTPUT ${CMAKE_CURRENT_BINARY_DIR}/hits.txt
    CONTENT "${hits_sources}")
  set(AIOWIRE_HITS_INPUTS spec/coverage/lua_lines.lua
    ${CMAKE_CURRENT_BINARY_DIR}/hits.txt)
  add_library(aiowire_hits MODULE spec/coverage/hits.c)
  set_target_properties(aiowire_hits PROPERTIES
    PREFIX "" OUTPUT_NAME hits SUFFIX .so C_VISIBILITY_PRESET default)
  target_include_directories(aiowire_hits PRIVATE ${lua_include_dirs})
  target_compile_definitions(aiowire_hits PRIVATE
    _POSIX_C_SOURCE=200809L HITS="${CMAKE_CURRENT_BINARY_DIR}/lua_hits")
  target_link_libraries(aiowire_hits PRIVATE Threads::Threads)
  # Not unmapped with a state, so that the counts are mapped once.
  target_link_options(aiowire_hits PRIVATE -Wl,-z,nodelete)
endif()
