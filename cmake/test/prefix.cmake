# Install into a new folder, and move the folder.

include(${CMAKE_CURRENT_LIST_DIR}/common.cmake)

file(REMOVE_RECURSE ${stage})
file(MAKE_DIRECTORY ${stage})
set(work ${stage})
run(${CMAKE_COMMAND} --install ${BUILD} --prefix ${stage}/first)
file(RENAME ${stage}/first ${prefix})

if(HOST)
  run(${prefix}/bin/aiowire -e "assert(aw.run)")
  if(NOT EXISTS ${prefix}/share/man/man1/aiowire.1)
    message(FATAL_ERROR "the man page is not installed")
  endif()
endif()
foreach(file LICENSE README.md docs/tour.md examples/tour.lua
    examples/embed/countdown.c)
  if(NOT EXISTS ${prefix}/share/doc/aiowire/${file})
    message(FATAL_ERROR "${file} is not installed")
  endif()
endforeach()
find_program(lua lua5.4)
if(LUA AND lua)
  set(ENV{LUA_CPATH_5_4} ${prefix}/lib/lua/5.4/?.so)
  run(${lua} -e "assert(require('aiowire').run)")
endif()
