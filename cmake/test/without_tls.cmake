# A build without TLS includes no header of OpenSSL, and aw.tls says what is
# missing.

include(${CMAKE_CURRENT_LIST_DIR}/common.cmake)
begin(without_tls)

foreach(name err pem ssl x509v3)
  file(WRITE ${work}/none/openssl/${name}.h "#error\n")
endforeach()
run(${CMAKE_COMMAND} -S ${SOURCE} -B ${work}/build -G ${GENERATOR}
  -DCMAKE_C_COMPILER=${CC} -DCMAKE_BUILD_TYPE=Debug
  "-DCMAKE_C_FLAGS=-O0 -I${work}/none" -DAIOWIRE_TLS=OFF -DAIOWIRE_LIB=OFF
  -DAIOWIRE_TESTS=OFF)
run(${CMAKE_COMMAND} --build ${work}/build --target aiowire_host --parallel 2)

# refused(call): the call raises an error that says so.
function(refused call)
  run(build/aiowire -e
    "print(aw.pcall(aw.tls.${call}, { cert = 'x', key = 'y' }))")
  if(NOT output MATCHES "NO_OPENSSL: aw.tls needs a build with OpenSSL")
    message(FATAL_ERROR "${call}: ${output}")
  endif()
endfunction()
refused("connect, '127.0.0.1', 1")
refused("listen, '127.0.0.1', 0")
