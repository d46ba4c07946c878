# libaiowire for programs in C and in C++: shared and static, by pkg-config and
# by CMake.

include(${CMAKE_CURRENT_LIST_DIR}/common.cmake)
begin(core)

set(program "#include <aiowire_zmq.h>

static aw_turn count(aw_task *task, void *data) {
  (void)task;
  ++*(int *)data;
  return AW_DONE;
}

int main(void) {
  int n = 0;
  aw_engine *engine;
  aw_loop *loop;
  if (aw_engine_new(NULL, &engine) < 0 || aw_loop_new(engine, NULL, &loop) < 0)
    return 1;
  aw_wire *nap = aw_then(aw_sleep(1), aw_call(count, &n));
  if (aw_loop_start(loop, aw_repeat(nap, 3), NULL, NULL) < 0 ||
      aw_loop_run(loop, AW_NEVER) < 0)
    return 2;
  aw_loop_free(loop);
  aw_engine_free(engine);
  return n == 3 && aw_zmq_forks() == 0 ? 0 : 3;
}
")
file(WRITE ${work}/use.c "${program}")
file(WRITE ${work}/use.cpp "${program}")

# ── pkg-config ──────────────────────────────────────────────────────────────

run(sh -c "cc use.c $(pkg-config --cflags --libs aiowire) -o shared")
run(./shared)
links(shared libaiowire)

# Its name changes with each 0.x, and from 1.0 on with each major version.
file(STRINGS ${SOURCE}/core/include/aiowire.h interface
  REGEX "define AW_VERSION_STRING")
string(REGEX REPLACE ".*\"(0\\.[0-9]+|[1-9][0-9]*)\\..*" "\\1" interface
  "${interface}")
run(readelf -d shared)
if(NOT output MATCHES "\\[libaiowire\\.so\\.${interface}\\]")
  message(FATAL_ERROR "not libaiowire.so.${interface}: ${output}")
endif()

# What static programs need of libuv is asked of libuv's own file, which may
# have moved since. Flags for dynamic ones do not have it.
file(READ ${pc_dir}/aiowire.pc pc)
if(pc MATCHES "= */|-L/|-I/|luv" OR NOT pc MATCHES "Requires.private: libuv")
  message(FATAL_ERROR "${pc}")
endif()
run(pkg-config --libs aiowire)
if(output MATCHES "luv|libuv")
  message(FATAL_ERROR "${output}")
endif()
run(pkg-config --static --libs aiowire)
if(NOT output MATCHES "-laiowire.*(luv|libuv)")
  message(FATAL_ERROR "${output}")
endif()

# A program with all of it inside, if the C library and libuv have archives.
execute_process(COMMAND pkg-config --exists libuv-static RESULT_VARIABLE none)
file(WRITE ${work}/empty.c "int main(void) { return 0; }\n")
execute_process(COMMAND cc -static empty.c -o empty WORKING_DIRECTORY ${work}
  OUTPUT_QUIET ERROR_QUIET RESULT_VARIABLE no_archive)
if(none EQUAL 0 AND no_archive EQUAL 0)
  run(sh -c "cc -static use.c $(pkg-config --static --cflags --libs aiowire)\
    -o static")
  run(./static)
endif()

if(CXX)
  run(sh -c "c++ -std=c++11 use.cpp $(pkg-config --cflags --libs aiowire)\
    -o plus")
  run(./plus)
endif()

# ── CMake ───────────────────────────────────────────────────────────────────

set(lines "find_package(aiowire 0.1 CONFIG REQUIRED COMPONENTS static)
add_executable(shared use.c)
target_link_libraries(shared aiowire::aiowire)
add_executable(static use.c)
target_link_libraries(static aiowire::aiowire_static)
")
if(CXX)
  string(APPEND lines "add_executable(plus use.cpp)
target_link_libraries(plus aiowire::aiowire)
")
endif()
build("${lines}")
run(build/shared)
run(build/static)
if(CXX)
  run(build/plus)
endif()
links(build/shared libaiowire)
links_no(build/static libaiowire)
