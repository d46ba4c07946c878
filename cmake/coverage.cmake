# Options of a build that counts what runs, for ./dev coverage.

# Threads count, too, so counts are updated by atomic instructions.
target_compile_options(aiowire_flags INTERFACE
  --coverage -fprofile-update=atomic)
target_link_options(aiowire_flags INTERFACE --coverage)

# The counts of processes that end by _exit() or by a signal.
add_library(aiowire_flush STATIC spec/coverage/flush.c)
target_link_libraries(aiowire_flags INTERFACE aiowire_flush)
target_link_options(aiowire_flags INTERFACE -Wl,--wrap=_exit,--wrap=raise)
