# Flags of the compiler and the linker, and the functions that make targets
# with them. Flags that some tools lack are tried first.

add_library(aiowire_flags INTERFACE)
target_compile_definitions(aiowire_flags INTERFACE _POSIX_C_SOURCE=200809L)
# For loading libzmq at run time, and for ending its contexts in a thread.
target_link_libraries(aiowire_flags INTERFACE Threads::Threads ${CMAKE_DL_LIBS})
target_compile_options(aiowire_flags INTERFACE
  -Wall -Wextra -Wshadow -Wconversion -Wvla -Wpointer-arith
  -Wstrict-prototypes -Wmissing-prototypes
  $<$<BOOL:${AIOWIRE_WERROR}>:-Werror>)

function(aiowire_compile_flag name flag)
  check_c_compiler_flag(${flag} AIOWIRE_HAS_${name})
  if(AIOWIRE_HAS_${name})
    target_compile_options(aiowire_flags INTERFACE ${flag})
  endif()
endfunction()

# Options of the linker are those of GNU ld, which gold, lld and mold know, too.
# Others do not: each option is tried. Some only warn of unknown ones.
check_linker_flag(C -Wl,--fatal-warnings AIOWIRE_HAS_FATAL_WARNINGS)
function(aiowire_has_link_flag name flag)
  if(AIOWIRE_HAS_FATAL_WARNINGS)
    set(CMAKE_REQUIRED_LINK_OPTIONS -Wl,--fatal-warnings)
  endif()
  check_linker_flag(C ${flag} AIOWIRE_HAS_${name})
endfunction()

# aiowire_link_flag(name flag [target]): for one target, or for all.
function(aiowire_link_flag name flag)
  aiowire_has_link_flag(${name} ${flag})
  if(AIOWIRE_HAS_${name} AND ARGN)
    target_link_options(${ARGN} PRIVATE ${flag})
  elseif(AIOWIRE_HAS_${name})
    target_link_options(aiowire_flags INTERFACE ${flag})
  endif()
endfunction()

# Public functions may be inlined and called directly inside the library.
aiowire_compile_flag(NO_INTERPOSITION -fno-semantic-interposition)
aiowire_compile_flag(STACK_PROTECTOR -fstack-protector-strong)
aiowire_compile_flag(CF_PROTECTION -fcf-protection)
aiowire_link_flag(RELRO -Wl,-z,relro,-z,now)
aiowire_link_flag(NOEXECSTACK -Wl,-z,noexecstack)
aiowire_link_flag(NO_TEXTREL -Wl,-z,text)
aiowire_link_flag(AS_NEEDED -Wl,--as-needed)

# A version script lists what a library shows. Without such a linker, the
# visibility in the headers decides, and symbols have no versions.
file(WRITE ${CMAKE_CURRENT_BINARY_DIR}/none.map "{ local: *; };\n")
aiowire_has_link_flag(VERSION_SCRIPTS
  -Wl,--version-script=${CMAKE_CURRENT_BINARY_DIR}/none.map)
function(aiowire_exports target map)
  set(map ${CMAKE_CURRENT_SOURCE_DIR}/${map})
  if(AIOWIRE_HAS_VERSION_SCRIPTS)
    target_link_options(${target} PRIVATE -Wl,--version-script=${map})
    set_target_properties(${target} PROPERTIES LINK_DEPENDS ${map})
  endif()
endfunction()

if(AIOWIRE_SANITIZE)
  set(sanitize -fsanitize=address,undefined -fno-sanitize-recover=all)
  target_compile_options(aiowire_flags INTERFACE
    ${sanitize} -fno-omit-frame-pointer)
  target_link_options(aiowire_flags INTERFACE ${sanitize})
elseif(AIOWIRE_TSAN)
  target_compile_options(aiowire_flags INTERFACE -fsanitize=thread)
  target_link_options(aiowire_flags INTERFACE -fsanitize=thread)
elseif(AIOWIRE_COVERAGE)
  include(cmake/coverage.cmake)
endif()

# Fortify needs an optimizing build, and hides overflows from ASan. A level that
# the flags of a distribution ask for, or its compiler, is kept if it is higher.
if(NOT AIOWIRE_SANITIZE AND NOT AIOWIRE_TSAN AND NOT AIOWIRE_COVERAGE)
  string(TOUPPER "${CMAKE_BUILD_TYPE}" build_type)
  set(CMAKE_REQUIRED_FLAGS "${CMAKE_C_FLAGS_${build_type}}")
  string(MD5 flags_key "${CMAKE_C_FLAGS} ${CMAKE_REQUIRED_FLAGS}")
  check_c_source_compiles("#if !defined __OPTIMIZE__ || _FORTIFY_SOURCE >= 2
#error
#endif
int main(void) { return 0; }" AIOWIRE_LACKS_FORTIFY_${flags_key})
  unset(CMAKE_REQUIRED_FLAGS)
  if(AIOWIRE_LACKS_FORTIFY_${flags_key})
    target_compile_options(aiowire_flags INTERFACE
      -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2)
  endif()
endif()

# Optimizing across files takes 6 to 16 % of the instructions away. Old
# compilers do not know the option, and the linker may lack the plugin.
set(lto "")
if(AIOWIRE_LTO AND CMAKE_C_COMPILER_ID STREQUAL "GNU")
  # Tests are linked from the machine code, in no time; gcc must be told so.
  set(lto -flto=auto)
  set(lto_fat -ffat-lto-objects)
  set(lto_test -fno-lto)
elseif(AIOWIRE_LTO AND CMAKE_C_COMPILER_ID MATCHES "Clang")
  set(lto -flto=thin)
  set(lto_test ${lto})
endif()
if(lto)
  set(CMAKE_REQUIRED_FLAGS ${lto})
  check_c_source_compiles("int main(void) { return 0; }" AIOWIRE_HAS_LTO)
  unset(CMAKE_REQUIRED_FLAGS)
  if(NOT AIOWIRE_HAS_LTO)
    unset(lto)
    unset(lto_fat)
    unset(lto_test)
  endif()
endif()
add_library(aiowire_lto INTERFACE)
if(lto)
  target_compile_options(aiowire_lto INTERFACE ${lto} ${lto_fat})
  target_link_options(aiowire_lto INTERFACE ${lto} -O2)
endif()

# Whoever links an archive may use any compiler, so archives get objects of
# their own: the linker of another gcc refuses those with LTO bytecode, even if
# they have machine code, too.
#
# aiowire_objects(name SOURCES … INCLUDES … LIBRARIES …): the target
# aiowire_NAME, and the variable NAME_archive with the objects for archives.
function(aiowire_objects name)
  cmake_parse_arguments(arg "" "" "SOURCES;INCLUDES;LIBRARIES" ${ARGN})
  set(targets aiowire_${name})
  if(lto AND AIOWIRE_LIB)
    list(APPEND targets aiowire_${name}_plain)
  endif()
  foreach(target IN LISTS targets)
    add_library(${target} OBJECT ${arg_SOURCES})
    target_include_directories(${target} PRIVATE ${arg_INCLUDES})
    target_link_libraries(${target} PRIVATE aiowire_flags ${arg_LIBRARIES})
  endforeach()
  target_link_libraries(aiowire_${name} PRIVATE aiowire_lto)
  list(POP_BACK targets last)
  set(${name}_archive $<TARGET_OBJECTS:${last}> PARENT_SCOPE)
endfunction()

# Packed relocations, where the C library understands them: see the test `size`.
set(small "")
check_c_source_compiles("#include <features.h>
#if !__GLIBC_PREREQ(2, 36)
#error
#endif
int main(void) { return 0; }" AIOWIRE_HAS_GLIBC_2_36)
aiowire_has_link_flag(PACKED_RELOCATIONS -Wl,-z,pack-relative-relocs)
if(AIOWIRE_HAS_GLIBC_2_36 AND AIOWIRE_HAS_PACKED_RELOCATIONS)
  list(APPEND small -Wl,-z,pack-relative-relocs)
endif()
