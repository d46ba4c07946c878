# C programs that measure and that are measured, for ./dev bench; not built by
# default.

add_custom_target(bench)
pkg_check_modules(ZMQ QUIET IMPORTED_TARGET libzmq)
pkg_check_modules(CZMQ QUIET IMPORTED_TARGET libczmq)
if(AIOWIRE_TLS)
  pkg_check_modules(BENCH_SSL QUIET IMPORTED_TARGET libssl>=3 libcrypto)
endif()

# Lua as the program `aiowire` has it, so that a floor is not slower.
add_library(bench_lua INTERFACE)
target_link_libraries(bench_lua INTERFACE
  $<IF:$<BOOL:${aiowire_lua_ARCHIVE}>,${aiowire_lua_ARCHIVE},aiowire::lua>
  m ${CMAKE_DL_LIBS})
target_include_directories(bench_lua SYSTEM INTERFACE ${lua_include_dirs})

# bench_program(folder source library...): BUILD/bench/FOLDER/NAME.
function(bench_program folder source)
  get_filename_component(name ${source} NAME_WE)
  string(REPLACE / _ target bench/${folder}/${name})
  add_executable(${target} EXCLUDE_FROM_ALL ${source})
  set_target_properties(${target} PROPERTIES OUTPUT_NAME ${name}
    RUNTIME_OUTPUT_DIRECTORY ${CMAKE_CURRENT_BINARY_DIR}/bench/${folder})
  target_include_directories(${target} PRIVATE bench/${folder})
  target_link_libraries(${target} PRIVATE aiowire_flags ${ARGN}
    Threads::Threads)
  add_dependencies(bench ${target})
endfunction()

bench_program(. bench/run/measure.c)
foreach(folder peers/floor load peers/aiowire_c peers/zloop)
  file(GLOB bench_sources CONFIGURE_DEPENDS bench/${folder}/*.c)
  get_filename_component(name ${folder} NAME)
  foreach(source IN LISTS bench_sources)
    if(folder STREQUAL "peers/zloop")
      if(CZMQ_FOUND)
        bench_program(${name} ${source} PkgConfig::CZMQ PkgConfig::ZMQ)
      endif()
    elseif(folder STREQUAL "peers/aiowire_c")
      bench_program(${name} ${source} aiowire_core PkgConfig::UV)
    elseif(source MATCHES "/tls_[a-z_]*[.]c$")
      if(BENCH_SSL_FOUND)
        bench_program(${name} ${source} PkgConfig::BENCH_SSL)
      endif()
    elseif(NOT source MATCHES "/zmq_[a-z_]*[.]c$")
      bench_program(${name} ${source} bench_lua PkgConfig::UV)
    elseif(ZMQ_FOUND)
      bench_program(${name} ${source} PkgConfig::ZMQ PkgConfig::UV)
    endif()
  endforeach()
endforeach()
