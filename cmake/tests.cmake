# The tests: programs in C, the specs and the examples under both interpreters,
# and what is installed.

# Limits for tests that hang. A slow test on a busy machine must not reach them.
set(test_time 600)
set(spec_time 1200)
if(AIOWIRE_SANITIZE OR AIOWIRE_COVERAGE)
  set(test_time 1200)
  set(spec_time 3600)
endif()
# All tests use the module of this build, even if another one is installed. The
# two real seconds of an aw.test are too few for a machine that is very busy.
string(REPLACE "." "_" lua_suffix "${AIOWIRE_LUA_VERSION}")
set(test_environment
  "LUA_CPATH_${lua_suffix}=${CMAKE_CURRENT_BINARY_DIR}/?.so\;\;"
  "LUA_PATH_${lua_suffix}=${CMAKE_CURRENT_SOURCE_DIR}/?.lua\;\;"
  "LUA_INIT=" "LUA_INIT_${lua_suffix}="
  "AIOWIRE_TEST_TIMEOUT=60"
  "AIOWIRE_BUILD_DIR=${CMAKE_CURRENT_BINARY_DIR}"
  "ASAN_OPTIONS=detect_leaks=1:abort_on_error=0"
  "UBSAN_OPTIONS=print_stacktrace=1"
  "TSAN_OPTIONS=suppressions=${CMAKE_CURRENT_SOURCE_DIR}/lua/test/tsan.supp")

# aiowire_test(name seconds command...): runs in the root of the sources.
function(aiowire_test name seconds)
  add_test(NAME ${name} COMMAND ${ARGN}
    WORKING_DIRECTORY ${CMAKE_CURRENT_SOURCE_DIR})
  set_tests_properties(${name} PROPERTIES
    TIMEOUT ${seconds} ENVIRONMENT "${test_environment}")
  if(NOT AIOWIRE_REQUIRE_SPECS)
    set_tests_properties(${name} PROPERTIES SKIP_RETURN_CODE 77)
  endif()
endfunction()

# aiowire_program(target source with_lua): a C program linked to the objects,
# with its asserts on in every build.
function(aiowire_program target source with_lua)
  add_executable(${target} ${source} $<TARGET_OBJECTS:aiowire_core>)
  set_target_properties(${target} PROPERTIES
    RUNTIME_OUTPUT_DIRECTORY ${CMAKE_CURRENT_BINARY_DIR}/test)
  target_include_directories(${target} PRIVATE core/include)
  target_compile_options(${target} PRIVATE -UNDEBUG)
  target_link_libraries(${target} PRIVATE aiowire_flags PkgConfig::UV)
  target_link_options(${target} PRIVATE ${lto_test})
  if(with_lua)
    target_sources(${target} PRIVATE ${lua_objects})
    target_include_directories(${target} PRIVATE lua/include)
    target_link_libraries(${target} PRIVATE aiowire::lua m ${CMAKE_DL_LIBS})
    set_target_properties(${target} PROPERTIES ENABLE_EXPORTS ON)
  endif()
endfunction()

file(GLOB core_tests CONFIGURE_DEPENDS core/test/*_test.c)
foreach(source IN LISTS core_tests)
  get_filename_component(name ${source} NAME_WE)
  aiowire_program(${name} ${source} FALSE)
  target_include_directories(${name} PRIVATE core core/test)
  aiowire_test(core.${name} ${test_time} ${name})
endforeach()

# Steps in C++, where there is a compiler.
include(CheckLanguage)
check_language(CXX)
if(CMAKE_CXX_COMPILER)
  enable_language(CXX)
  add_executable(guard_test core/test/guard_test.cpp
    $<TARGET_OBJECTS:aiowire_core>)
  set_target_properties(guard_test PROPERTIES
    CXX_STANDARD 11 CXX_EXTENSIONS OFF
    RUNTIME_OUTPUT_DIRECTORY ${CMAKE_CURRENT_BINARY_DIR}/test)
  target_include_directories(guard_test PRIVATE core/include)
  target_link_libraries(guard_test PRIVATE Threads::Threads
    ${CMAKE_DL_LIBS} PkgConfig::UV)
  target_link_options(guard_test PRIVATE ${lto_test})
  if(AIOWIRE_SANITIZE)
    target_compile_options(guard_test PRIVATE ${sanitize})
    target_link_options(guard_test PRIVATE ${sanitize})
  elseif(AIOWIRE_TSAN)
    target_link_options(guard_test PRIVATE -fsanitize=thread)
  elseif(AIOWIRE_COVERAGE)
    target_link_options(guard_test PRIVATE --coverage)
  endif()
  aiowire_test(core.guard_test ${test_time} guard_test)
endif()

# aiowire_wrap(target functions…): where the linker can do that, the target
# calls its own __wrap_X() for X() of the C library.
aiowire_has_link_flag(WRAP -Wl,--wrap=strdup)
function(aiowire_wrap target)
  if(AIOWIRE_HAS_WRAP AND TARGET ${target})
    list(TRANSFORM ARGN PREPEND -Wl,--wrap= OUTPUT_VARIABLE options)
    target_link_options(${target} PRIVATE ${options})
    target_compile_definitions(${target} PRIVATE TEST_WRAPS)
  endif()
endfunction()

aiowire_wrap(libuv_test uv_loop_init)

if(AIOWIRE_LUA)
  file(GLOB lua_tests CONFIGURE_DEPENDS lua/test/*_test.c)
  foreach(source IN LISTS lua_tests)
    get_filename_component(name ${source} NAME_WE)
    aiowire_program(${name} ${source} TRUE)
    target_include_directories(${name} PRIVATE
      core/test lua/test lua/io lua/monitor lua/bind)
    if(name STREQUAL "alloc_test") # takes a minute of processor time
      foreach(part RANGE 1 4)
        aiowire_test(lua.${name}.${part} ${spec_time} ${name} --part ${part}/4)
      endforeach()
    elseif(name STREQUAL "calls_test") # waits for half a minute
      foreach(part RANGE 1 3)
        aiowire_test(lua.${name}.${part} ${test_time} ${name} --part ${part}/3)
      endforeach()
    else()
      aiowire_test(lua.${name} ${test_time} ${name})
    endif()
  endforeach()
  aiowire_wrap(alloc_test malloc calloc realloc strdup)
  aiowire_wrap(calls_test
    getsockopt setsockopt getsockname getpeername listen chmod fchmod fsync
    fstat ftruncate lseek readlink fdopendir opendir inotify_add_watch
    pthread_attr_init pthread_mutex_init posix_spawnattr_init
    posix_spawn_file_actions_init uv_poll_init uv_async_init
    bind unlink getcwd grantpt unlockpt localtime_r if_nametoindex getaddrinfo
    open close read write fcntl ioctl socket connect accept4 shutdown pipe
    send recv sendmsg recvmsg stat lstat rename mkdir fchown copy_file_range
    inotify_init1 timerfd_create posix_openpt ptsname_r tcgetattr waitid
    pthread_create posix_spawn_file_actions_adddup2 uv_random uv_poll_start
    uv_pipe)
  aiowire_wrap(set_clock_test
    clock_gettime timerfd_create timerfd_settime read)
  if(AIOWIRE_HOST)
    target_sources(limit_test PRIVATE lua/host/signals/limit.c)
    target_include_directories(limit_test PRIVATE lua/host)
    target_compile_definitions(limit_test PRIVATE TEST_HOST)
    aiowire_wrap(limit_test aw_lua_interrupt)
  endif()
  if(AIOWIRE_HOST AND AIOWIRE_HAS_WRAP)
    target_sources(host_calls_test PRIVATE ${host_sources} ${embedded_host})
    target_include_directories(host_calls_test PRIVATE lua/host)
    target_compile_definitions(host_calls_test PRIVATE
      HOST_BUILD="${CMAKE_BUILD_TYPE}" HOST_LIBUV="${UV_VERSION}")
    add_dependencies(host_calls_test aiowire_host) # makes embedded_host.c
    aiowire_wrap(host_calls_test main
      malloc calloc realloc strdup strndup luaL_newstate open_memstream fdopen
      newlocale mmap mprotect pipe fstat mkdir flock rename mkstemp realpath
      opendir tcgetattr ioctl pthread_create read poll open fcntl write)
  endif()
endif()

file(GLOB embed_examples CONFIGURE_DEPENDS examples/embed/*.c)
foreach(source IN LISTS embed_examples)
  get_filename_component(name ${source} NAME_WE)
  file(STRINGS ${source} lua_include REGEX "#include .aiowire_lua\\.h")
  if(lua_include AND NOT AIOWIRE_LUA)
    continue()
  elseif(lua_include)
    aiowire_program(embed_${name} ${source} TRUE)
  else()
    aiowire_program(embed_${name} ${source} FALSE)
  endif()
  aiowire_test(embed.${name} ${test_time} embed_${name})
endforeach()

if(AIOWIRE_LIB
    AND NOT AIOWIRE_SANITIZE AND NOT AIOWIRE_TSAN AND NOT AIOWIRE_COVERAGE)
  include(cmake/install_tests.cmake)
endif()
if(NOT AIOWIRE_LUA)
  return()
endif()

# System calls that specs need, as modules for `require`, or to preload.
add_custom_target(spec_support)
foreach(name fork descriptors clients listeners resolver full files)
  set(target spec_${name})
  add_library(${target} MODULE spec/support/${name}.c)
  set_target_properties(${target} PROPERTIES PREFIX "" SUFFIX .so)
  target_include_directories(${target} PRIVATE core/include ${lua_include_dirs})
  target_link_libraries(${target} PRIVATE aiowire_flags)
  add_dependencies(spec_support ${target})
endforeach()

# Specs may put this before libzmq, if there is one.
find_library(AIOWIRE_LIBZMQ NAMES libzmq.so.5 zmq)
mark_as_advanced(AIOWIRE_LIBZMQ)
aiowire_has_link_flag(NO_AS_NEEDED -Wl,--no-as-needed)
if(AIOWIRE_LIBZMQ)
  set(keep "")
  if(AIOWIRE_HAS_NO_AS_NEEDED)
    set(keep -Wl,--no-as-needed)
  endif()
  add_library(spec_zmq MODULE spec/support/zmq.c)
  set_target_properties(spec_zmq PROPERTIES PREFIX "" SUFFIX .so)
  target_include_directories(spec_zmq PRIVATE core/include ${lua_include_dirs})
  target_link_libraries(spec_zmq PRIVATE
    ${keep} ${AIOWIRE_LIBZMQ} aiowire_flags)
  add_dependencies(spec_support spec_zmq)
endif()

add_library(counter MODULE examples/module/counter.c)
set_target_properties(counter PROPERTIES PREFIX "" SUFFIX .so)
target_include_directories(counter PRIVATE core/include lua/include
  ${lua_include_dirs})
target_link_libraries(counter PRIVATE aiowire_flags)
target_compile_options(counter PRIVATE -fvisibility=default)
add_dependencies(spec_support counter)

# An interpreter that loads an ASan module must have ASan itself, so stock
# lua5.4 runs in plain builds only.
find_program(AIOWIRE_LUA_PROGRAM lua5.4)
find_program(AIOWIRE_VALGRIND valgrind)
mark_as_advanced(AIOWIRE_VALGRIND)
if(AIOWIRE_REQUIRE_SPECS AND NOT AIOWIRE_SANITIZE)
  set(missing "")
  if(NOT AIOWIRE_LUA_PROGRAM)
    list(APPEND missing lua5.4)
  endif()
  if(NOT AIOWIRE_VALGRIND AND AIOWIRE_HOST AND NOT AIOWIRE_TSAN)
    list(APPEND missing valgrind)
  endif()
  if(missing)
    list(JOIN missing " " missing)
    message(FATAL_ERROR "aiowire: the tests need ${missing}
    Debian/Ubuntu:  sudo apt-get install ${missing}")
  endif()
endif()
set(interpreters "")
if(AIOWIRE_HOST)
  list(APPEND interpreters aiowire)
endif()
if(NOT AIOWIRE_SANITIZE)
  list(APPEND interpreters lua5.4)
endif()
set(command_aiowire aiowire_host)
set(command_lua5.4 ${AIOWIRE_LUA_PROGRAM})
if(NOT AIOWIRE_LUA_PROGRAM)
  set(command_lua5.4 sh -c "echo 'lua5.4 is not installed'; exit 77" lua5.4)
endif()

# Each spec file is a test in a process of its own, so that tests run in
# parallel and the heap does not grow from file to file. A file's name is unique
# in all folders: it is the name of its test.
file(GLOB_RECURSE specs CONFIGURE_DEPENDS
  RELATIVE ${CMAKE_CURRENT_SOURCE_DIR} spec/*_spec.lua)
# Examples run under both interpreters, except those with "host only" in a
# comment: they await in their main chunk, which only the program allows.
file(GLOB examples CONFIGURE_DEPENDS examples/*.lua)
if(NOT AIOWIRE_LIBZMQ)
  list(FILTER examples EXCLUDE REGEX zmq)
endif()
# Those of TLS make their certificates with this program.
find_program(AIOWIRE_OPENSSL_PROGRAM openssl)
mark_as_advanced(AIOWIRE_OPENSSL_PROGRAM)
if(NOT AIOWIRE_TLS OR NOT AIOWIRE_OPENSSL_PROGRAM)
  list(FILTER examples EXCLUDE REGEX "_(https|starttls|tls)")
endif()
set(libzmq_leaks ${CMAKE_CURRENT_SOURCE_DIR}/spec/support/libzmq.supp)
foreach(lua IN LISTS interpreters)
  foreach(spec IN LISTS specs)
    string(REGEX REPLACE "^spec/.*/(.*)_spec\\.lua$" "\\1" name ${spec})
    aiowire_test(spec.${name}.${lua} ${spec_time}
      ${command_${lua}} spec/run.lua ${spec})
  endforeach()
  foreach(name zmq_multipart zmq_proxy_flood)
    set_property(TEST spec.${name}.${lua} APPEND PROPERTY ENVIRONMENT
      "LSAN_OPTIONS=suppressions=${libzmq_leaks}")
  endforeach()
  foreach(source IN LISTS examples)
    get_filename_component(name ${source} NAME_WE)
    file(STRINGS ${source} host_only REGEX "^--.*host only")
    if(lua STREQUAL "aiowire" OR NOT host_only)
      aiowire_test(example.${name}.${lua} ${test_time}
        ${command_${lua}} examples/${name}.lua)
    endif()
  endforeach()
endforeach()

# A few random programs (see ./dev fuzz), always the same ones. They wait in
# real time, so running two at a time takes half the time.
if(AIOWIRE_HOST AND AIOWIRE_LUA_PROGRAM AND NOT AIOWIRE_SANITIZE)
  aiowire_test(fuzz ${spec_time} ${AIOWIRE_LUA_PROGRAM} spec/fuzz/main.lua
    --build ${CMAKE_CURRENT_BINARY_DIR} --first 1 --count 30 --keep)
endif()

# No core job may take more instructions unseen (see ./dev count). They are
# counted in a release build, which is made when the test runs.
if(AIOWIRE_HOST AND AIOWIRE_LUA_PROGRAM
    AND NOT AIOWIRE_SANITIZE AND NOT AIOWIRE_TSAN AND NOT AIOWIRE_COVERAGE)
  set(settings -DAIOWIRE_TLS=${AIOWIRE_TLS})
  foreach(name IN LISTS aiowire_lua_places)
    if(${name})
      list(APPEND settings "-D${name}=${${name}}")
    endif()
  endforeach()
  set(count_build ${CMAKE_CURRENT_BINARY_DIR}/count)
  aiowire_test(count.build ${test_time} ${CMAKE_COMMAND}
    -DBUILD=${count_build} -DGENERATOR=${CMAKE_GENERATOR}
    -DCC=${CMAKE_C_COMPILER} "-DSETTINGS=${settings}"
    -P ${CMAKE_CURRENT_SOURCE_DIR}/bench/count/build.cmake)
  set_tests_properties(count.build PROPERTIES
    FIXTURES_SETUP count COST 1000)
  aiowire_test(count ${spec_time} ${AIOWIRE_LUA_PROGRAM} bench/count/main.lua
    ${count_build} --check ${CMAKE_CURRENT_BINARY_DIR}/count.txt)
  # With other libraries there is nothing to compare: no failure anywhere.
  set_tests_properties(count PROPERTIES
    FIXTURES_REQUIRED count COST 1000 SKIP_RETURN_CODE 77)
  if(AIOWIRE_LIB AND CMAKE_C_COMPILER_ID STREQUAL "GNU")
    aiowire_test(size ${test_time} ${CMAKE_COMMAND}
      -DLIBRARY=${count_build}/libaiowire.so -DSTRIP=${CMAKE_STRIP}
      -P ${CMAKE_CURRENT_SOURCE_DIR}/cmake/test/size.cmake)
    set_tests_properties(size PROPERTIES FIXTURES_REQUIRED count)
  endif()
endif()
