# What the scripts in this folder share. They get
#
#   BUILD   the build, whose `stage` has the prefix
#   SOURCE  the root of the sources
#   CC      the C compiler; CXX is found beside it
#   LUA     whether libaiowire_lua, the module and its headers are installed
#   HOST    whether the program is
#   TLS     whether it has aw.tls

cmake_minimum_required(VERSION 3.21)

set(stage ${BUILD}/stage)
set(prefix ${stage}/prefix)

# Where libuv.pc is.
execute_process(COMMAND pkg-config --variable=pcfiledir libuv
  OUTPUT_VARIABLE uv_dir OUTPUT_STRIP_TRAILING_WHITESPACE)

# The C++ compiler of the same family, or nothing.
if(CC MATCHES "clang")
  find_program(CXX NAMES clang++)
else()
  find_program(CXX NAMES g++ c++)
endif()

# run(command…): runs it in the folder `work`, and fails with its output if it
# fails. The output is in the variable `output`.
function(run)
  execute_process(COMMAND ${ARGN} WORKING_DIRECTORY ${work}
    TIMEOUT 1180 INPUT_FILE /dev/null RESULT_VARIABLE status
    OUTPUT_VARIABLE output ERROR_VARIABLE output)
  if(NOT status EQUAL 0)
    list(JOIN ARGN " " command)
    message(FATAL_ERROR "${command}: ${status}\n${output}")
  endif()
  set(output "${output}" PARENT_SCOPE)
endfunction()

# Make an empty folder, `work`, for the test `name`, in which `cc` and `c++`
# are the compilers, and in which pkg-config finds the prefix.
macro(begin name)
  set(work ${stage}/${name})
  file(REMOVE_RECURSE ${work})
  file(MAKE_DIRECTORY ${work}/bin)
  file(CREATE_LINK ${CC} ${work}/bin/cc SYMBOLIC)
  if(CXX)
    file(CREATE_LINK ${CXX} ${work}/bin/c++ SYMBOLIC)
  endif()
  set(ENV{PATH} ${work}/bin:$ENV{PATH})
  file(GLOB_RECURSE pc ${prefix}/*/aiowire.pc)
  get_filename_component(pc_dir ${pc} DIRECTORY)
  get_filename_component(lib_dir ${pc_dir} DIRECTORY)
  set(ENV{PKG_CONFIG_PATH} ${pc_dir}:$ENV{PKG_CONFIG_PATH})
  set(ENV{LD_LIBRARY_PATH} ${lib_dir})
endmacro()

# build(lines): a CMake project in `work` with the prefix and these lines of a
# CMakeLists.txt; the results are in work/build.
function(build lines)
  set(languages C)
  set(compilers -DCMAKE_C_COMPILER=${CC})
  if(CXX)
    list(APPEND languages CXX)
    list(APPEND compilers -DCMAKE_CXX_COMPILER=${CXX})
  endif()
  list(JOIN languages " " languages)
  file(WRITE ${work}/CMakeLists.txt "cmake_minimum_required(VERSION 3.21)
project(use ${languages})
${lines}")
  run(${CMAKE_COMMAND} -S ${work} -B ${work}/build -G ${GENERATOR}
    ${compilers} -DCMAKE_PREFIX_PATH=${prefix})
  run(${CMAKE_COMMAND} --build ${work}/build --parallel 2)
endfunction()

# links(file libraries…) and links_no(file libraries…): does the program or the
# library name these shared libraries, given without versions?
function(links file)
  run(readelf -d ${file})
  foreach(library IN LISTS ARGN)
    if(NOT output MATCHES "NEEDED[^[]*\\[${library}[0-9.]*\\.so")
      message(FATAL_ERROR "${file} does not link ${library}\n${output}")
    endif()
  endforeach()
endfunction()
function(links_no file)
  run(readelf -d ${file})
  foreach(library IN LISTS ARGN)
    if(output MATCHES "NEEDED[^[]*\\[${library}[0-9.]*\\.so")
      message(FATAL_ERROR "${file} links ${library}\n${output}")
    endif()
  endforeach()
endfunction()

# fake_lua(prefix release [name]): headers and an archive as Lua's own makefile
# installs them, good for all but compiling. It writes no .pc file.
function(fake_lua where release)
  string(REPLACE . ";" numbers ${release})
  list(GET numbers 0 major)
  list(GET numbers 1 minor)
  list(GET numbers 2 last)
  file(WRITE ${where}/include/lua.h "#define LUA_VERSION_MAJOR \"${major}\"
#define LUA_VERSION_MINOR \"${minor}\"
#define LUA_VERSION_RELEASE \"${last}\"
#define LUA_VERSION_NUM ${major}0${minor}
#define LUA_VERSION_RELEASE_NUM (LUA_VERSION_NUM * 100 + ${last})
")
  set(name liblua.a)
  if(ARGN)
    set(name ${ARGN})
  endif()
  file(WRITE ${where}/lib/${name} "$LuaVersion: Lua ${release}  Copyright (C)")
endfunction()

# lua_pc(name version prefix): a .pc file in work/pc. pkg-config finds
# it and libuv, and nothing else.
function(lua_pc name version where)
  file(REMOVE_RECURSE ${work}/pc)
  file(COPY ${uv_dir}/libuv.pc DESTINATION ${work}/pc)
  file(WRITE ${work}/pc/${name}.pc "Name: Lua
Description: Lua
Version: ${version}
Libs: -L${where}/lib -llua
Cflags: -I${where}/include
")
endfunction()
