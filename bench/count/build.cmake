# Build the program whose instructions are counted, and the library whose size
# is: preset release, in a folder of its own.
#
#   cmake -DBUILD=build/dev/count -DGENERATOR=Ninja -DCC=cc -P build.cmake
#
# SETTINGS has options that say which Lua (see cmake/lua.cmake), and whether
# there is TLS.

function(run)
  execute_process(COMMAND ${ARGN} RESULT_VARIABLE status
    OUTPUT_VARIABLE output ERROR_VARIABLE output)
  if(NOT status EQUAL 0)
    list(JOIN ARGN " " command)
    message(FATAL_ERROR "${command}\n${output}")
  endif()
endfunction()

run(${CMAKE_COMMAND} --preset release -B ${BUILD} -G ${GENERATOR}
  -DCMAKE_C_COMPILER=${CC} -DAIOWIRE_TESTS=OFF ${SETTINGS})
run(${CMAKE_COMMAND} --build ${BUILD} --target aiowire_host aiowire_shared)
