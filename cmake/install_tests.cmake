# Tests of what is installed: they use it in empty folders, from a prefix that
# was moved after the install. One configures the sources with other versions of
# Lua. cmake/test/ has their scripts.

# aiowire_install_test(name): cmake/test/NAME.cmake. Some configure and compile
# ten times.
function(aiowire_install_test name)
  aiowire_test(install.${name} ${spec_time} ${CMAKE_COMMAND}
    -DBUILD=${CMAKE_CURRENT_BINARY_DIR} -DSOURCE=${CMAKE_CURRENT_SOURCE_DIR}
    -DCC=${CMAKE_C_COMPILER} -DLUA=${AIOWIRE_LUA} -DHOST=${AIOWIRE_HOST}
    -DTLS=${AIOWIRE_TLS} -DGENERATOR=${CMAKE_GENERATOR}
    -P ${CMAKE_CURRENT_SOURCE_DIR}/cmake/test/${name}.cmake)
  set_tests_properties(install.${name} PROPERTIES FIXTURES_REQUIRED prefix)
endfunction()

aiowire_install_test(prefix)
set_tests_properties(install.prefix PROPERTIES
  FIXTURES_REQUIRED "" FIXTURES_SETUP prefix)
aiowire_install_test(core)
aiowire_install_test(flags)
aiowire_install_test(folders)
aiowire_install_test(subproject)
if(AIOWIRE_LUA)
  aiowire_install_test(lua)
  aiowire_install_test(module)
  aiowire_install_test(versions)
endif()
if(AIOWIRE_HOST AND AIOWIRE_TLS)
  aiowire_install_test(without_tls)
endif()
aiowire_install_test(examples)
find_program(AIOWIRE_SHLIBDEPS dpkg-shlibdeps)
mark_as_advanced(AIOWIRE_SHLIBDEPS)
if(AIOWIRE_HOST AND AIOWIRE_SHLIBDEPS)
  aiowire_install_test(deb)
endif()
