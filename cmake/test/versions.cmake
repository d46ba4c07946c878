# Where there is a newer Lua only, the configuration says so, and what to do.

include(${CMAKE_CURRENT_LIST_DIR}/common.cmake)
begin(versions)

# pkg-config finds libuv, and the Lua of have_lua(), which cannot be linked.
execute_process(COMMAND pkg-config --variable=pcfiledir libuv
  OUTPUT_VARIABLE uv_dir OUTPUT_STRIP_TRAILING_WHITESPACE)
set(ENV{PKG_CONFIG_LIBDIR} ${work}/pc)
set(ENV{PKG_CONFIG_PATH} "")
function(have_lua name version)
  file(REMOVE_RECURSE ${work}/pc)
  file(COPY ${uv_dir}/libuv.pc DESTINATION ${work}/pc)
  file(WRITE ${work}/pc/${name}.pc
    "Name: Lua\nDescription: Lua\nVersion: ${version}\nLibs: -llua\n")
endfunction()

# configure(options…): sets `output`, in one line, and `status`.
function(configure)
  file(REMOVE_RECURSE ${work}/build)
  execute_process(COMMAND ${CMAKE_COMMAND} -S ${SOURCE} -B ${work}/build
    -G ${GENERATOR} -DCMAKE_C_COMPILER=${CC} -DAIOWIRE_TESTS=OFF ${ARGN}
    RESULT_VARIABLE status OUTPUT_VARIABLE text ERROR_VARIABLE text)
  string(REGEX REPLACE "[ \n]+" " " text "${text}")
  set(output "${text}" PARENT_SCOPE)
  set(status ${status} PARENT_SCOPE)
endfunction()

foreach(name lua lua5.5)
  have_lua(${name} 5.5.0)
  configure()
  if(status EQUAL 0 OR NOT output MATCHES "Lua 5\\.5\\.0 is not supported yet"
      OR NOT output MATCHES "-DAIOWIRE_LUA_VERSION=5\\.5")
    message(FATAL_ERROR "${name}: ${output}")
  endif()
endforeach()

have_lua(lua5.5 5.5.0)
configure(-DAIOWIRE_LUA_VERSION=5.5)
if(NOT status EQUAL 0 OR NOT output MATCHES "Lua 5\\.5\\.0 is a trial")
  message(FATAL_ERROR "${output}")
endif()

# An older one is merely not Lua 5.4.
have_lua(lua 5.3.6)
configure()
if(status EQUAL 0 OR NOT output MATCHES "missing build dependencies: Lua 5\\.4")
  message(FATAL_ERROR "${output}")
endif()
