# Install into a new folder, move the folder, and use the library from there: by
# pkg-config, by find_package, by the program, and by the module for lua5.4.
#
#   cmake -DBUILD=build/dev -DCC=cc -P install.cmake

set(stage ${BUILD}/stage)
file(REMOVE_RECURSE ${stage})

# Run a command, and show its output if it fails.
function(run)
  execute_process(COMMAND ${ARGN} RESULT_VARIABLE status
    OUTPUT_VARIABLE output ERROR_VARIABLE output)
  if(NOT status EQUAL 0)
    list(JOIN ARGN " " command)
    message(FATAL_ERROR "${command}\n${output}")
  endif()
  set(output "${output}" PARENT_SCOPE)
endfunction()

run(${CMAKE_COMMAND} --install ${BUILD} --prefix ${stage}/first)
file(RENAME ${stage}/first ${stage}/prefix)

file(WRITE ${stage}/use.c "#include <aiowire_zmq.h>
int main(void) { return aw_version() && aw_zmq_forks() == 0 ? 0 : 1; }
")
file(WRITE ${stage}/CMakeLists.txt "cmake_minimum_required(VERSION 3.21)
project(use C)
find_package(aiowire 0.1 CONFIG REQUIRED)
add_executable(use use.c)
target_link_libraries(use aiowire::aiowire)
")
run(${CMAKE_COMMAND} -S ${stage} -B ${stage}/build
  -DCMAKE_C_COMPILER=${CC} -DCMAKE_PREFIX_PATH=${stage}/prefix)
run(${CMAKE_COMMAND} --build ${stage}/build)
run(${stage}/build/use)

file(GLOB_RECURSE pc ${stage}/prefix/*/aiowire.pc)
get_filename_component(pc_dir ${pc} DIRECTORY)
get_filename_component(lib_dir ${pc_dir} DIRECTORY)
set(ENV{PKG_CONFIG_PATH} ${pc_dir})
run(pkg-config --cflags --libs aiowire)
separate_arguments(flags UNIX_COMMAND "${output}")
run(${CC} ${stage}/use.c -o ${stage}/use ${flags} -Wl,-rpath,${lib_dir})
run(${stage}/use)

run(${stage}/prefix/bin/aiowire -e "assert(aw.run)")
if(NOT EXISTS ${stage}/prefix/share/man/man1/aiowire.1)
  message(FATAL_ERROR "the man page is not installed")
endif()
find_program(lua lua5.4)
if(lua)
  set(ENV{LUA_CPATH_5_4} ${stage}/prefix/lib/lua/5.4/?.so)
  run(${lua} -e "assert(require('aiowire').run)")
endif()
