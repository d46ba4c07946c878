# libaiowire.so of the release build is smaller than 150 KB without symbols.
#
#   cmake -DLIBRARY=libaiowire.so -DSTRIP=strip -P size.cmake

set(most 150000)
execute_process(COMMAND ${STRIP} -o ${LIBRARY}.stripped ${LIBRARY}
  COMMAND_ERROR_IS_FATAL ANY)
file(SIZE ${LIBRARY}.stripped size)
file(REMOVE ${LIBRARY}.stripped)
message(STATUS "${size} bytes, at most ${most}")
if(size GREATER most)
  message(FATAL_ERROR "libaiowire.so is too large")
endif()
