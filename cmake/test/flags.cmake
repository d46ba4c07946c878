# Flags: the ones of a distribution are kept, and the ones that a linker does
# not know are left out.

include(${CMAKE_CURRENT_LIST_DIR}/common.cmake)
begin(flags)

# configure(folder options…)
function(configure folder)
  run(${CMAKE_COMMAND} -S ${SOURCE} -B ${work}/${folder} -G ${GENERATOR}
    -DAIOWIRE_TESTS=OFF -DCMAKE_C_COMPILER=${CC} -DAIOWIRE_LUA=OFF ${ARGN})
endfunction()

# ── _FORTIFY_SOURCE ─────────────────────────────────────────────────────────

# fortified(text options…): the level with these options, or none.
function(fortified level)
  configure(fortify ${ARGN})
  file(STRINGS ${work}/fortify/compile_commands.json lines
    REGEX "command.*base/error\\.c")
  list(GET lines 0 line)
  if(line MATCHES ".*_FORTIFY_SOURCE=([0-9])") # the last one
    set(its ${CMAKE_MATCH_1})
  else()
    set(its none)
  endif()
  if(NOT its STREQUAL level)
    message(FATAL_ERROR "${ARGN}: ${its}, not ${level}\n${line}")
  endif()
endfunction()
# The compilers of some distributions predefine it.
execute_process(COMMAND sh -c "${CC} -O2 -E -dM -x c /dev/null |\
  grep -q '_FORTIFY_SOURCE [23]'"
  RESULT_VARIABLE predefined OUTPUT_QUIET ERROR_QUIET)
set(usual 2)
if(predefined EQUAL 0)
  set(usual none)
endif()
fortified(${usual} -DCMAKE_BUILD_TYPE=Release)
fortified(3 "-DCMAKE_C_FLAGS=-O2 -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3")
fortified(2 "-DCMAKE_C_FLAGS=-O2 -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=1")
fortified(none -DCMAKE_C_FLAGS= -DCMAKE_BUILD_TYPE=Debug)

# ── linkers ─────────────────────────────────────────────────────────────────

file(WRITE ${work}/use.c "#include <aiowire.h>
int main(void) { return aw_version() ? 0 : 1; }
")
# works(name options…): the library can be built, and used.
function(works name)
  configure(${name} -DCMAKE_BUILD_TYPE=Debug ${ARGN})
  run(${CMAKE_COMMAND} --build ${work}/${name} --parallel 2)
  run(cc use.c -I${SOURCE}/core/include -L${name} -Wl,-rpath,${work}/${name}
    -laiowire -o ${name}/use)
  run(${name}/use)
endfunction()

# One that knows no option of GNU ld but those of CMake itself.
file(WRITE ${work}/bin/plain-cc "#!/bin/sh
for arg; do
  case $arg in
  -Wl,-soname,* | -Wl,-rpath* | -Wl,--export-dynamic) ;;
  -Wl,--dependency-file*) ;;
  -Wl,*)
    echo \"ld: unknown option: $arg\" >&2
    exit 1
    ;;
  esac
done
exec ${CC} \"$@\"
")
file(CHMOD ${work}/bin/plain-cc
  PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE)
set(plain -DCMAKE_C_COMPILER=${work}/bin/plain-cc)
works(plain ${plain})
if(LUA)
  configure(lua ${plain} -DAIOWIRE_LUA=ON -DAIOWIRE_TESTS=ON
    -DAIOWIRE_TLS=${TLS})
  file(GLOB_RECURSE rules ${work}/lua/build.ninja ${work}/lua/*/link.txt)
  foreach(file IN LISTS rules)
    file(STRINGS ${file} lines
      REGEX "-Wl,(-z|-E|--as-need|--whole|--no-|--version-script)")
    if(lines)
      message(FATAL_ERROR "${file}: ${lines}")
    endif()
  endforeach()
  if(NOT rules)
    message(FATAL_ERROR "no rules of ${GENERATOR}")
  endif()
endif()

# Another one, if there is one.
foreach(linker gold lld mold)
  file(WRITE ${work}/empty.c "int main(void) { return 0; }\n")
  execute_process(COMMAND ${CC} -fuse-ld=${linker} empty.c -o empty
    WORKING_DIRECTORY ${work} RESULT_VARIABLE none OUTPUT_QUIET ERROR_QUIET)
  if(none EQUAL 0)
    works(${linker} -DCMAKE_SHARED_LINKER_FLAGS=-fuse-ld=${linker}
      -DCMAKE_EXE_LINKER_FLAGS=-fuse-ld=${linker})
    run(nm -D --defined-only ${work}/${linker}/libaiowire.so)
    if(NOT output MATCHES "aw_version@@AIOWIRE_")
      message(FATAL_ERROR "${linker}: no versions of symbols\n${output}")
    endif()
    break()
  endif()
endforeach()
