# Folders for libraries and headers that are given as absolute paths: below the
# prefix, which can then still be moved, and outside of it.

include(${CMAKE_CURRENT_LIST_DIR}/common.cmake)
begin(folders)
# CMake refuses headers that are installed into the sources, which may have the
# folder of the build.
run(mktemp -d)
string(STRIP "${output}" root)
file(WRITE ${work}/use.c "#include <aiowire.h>
int main(void) { return aw_version() ? 0 : 1; }
")

# installs(lib include moved): builds libaiowire, installs it with these
# folders, moves the prefix, and uses the library by pkg-config and by CMake.
function(installs lib include moved)
  run(${CMAKE_COMMAND} -S ${SOURCE} -B ${work}/core -G ${GENERATOR}
    -DCMAKE_C_COMPILER=${CC} -DCMAKE_BUILD_TYPE=Debug -DAIOWIRE_LUA=OFF
    -DAIOWIRE_TESTS=OFF -DCMAKE_INSTALL_PREFIX=${root}/first
    -DCMAKE_INSTALL_LIBDIR=${lib} -DCMAKE_INSTALL_INCLUDEDIR=${include})
  run(${CMAKE_COMMAND} --build ${work}/core --parallel 2)
  file(REMOVE_RECURSE ${root}/first ${root}/second ${root}/far)
  run(${CMAKE_COMMAND} --install ${work}/core)
  if(moved)
    file(RENAME ${root}/first ${root}/second)
  endif()
  file(GLOB_RECURSE pc ${root}/first/*/aiowire.pc ${root}/second/*/aiowire.pc
    ${root}/far/*/aiowire.pc)
  get_filename_component(pc_dir ${pc} DIRECTORY)
  get_filename_component(lib_dir ${pc_dir} DIRECTORY)
  set(ENV{PKG_CONFIG_PATH} ${pc_dir})
  set(ENV{LD_LIBRARY_PATH} ${lib_dir})
  run(sh -c "cc use.c $(pkg-config --cflags --libs aiowire) -o use")
  run(./use)
  file(REMOVE_RECURSE ${work}/build)
  build("find_package(aiowire CONFIG REQUIRED NO_DEFAULT_PATH
  PATHS ${lib_dir}/cmake/aiowire)
add_executable(use use.c)
target_link_libraries(use aiowire::aiowire)
")
  run(build/use)
endfunction()

installs(${root}/first/lib/deep ${root}/first/include/aio TRUE)
installs(${root}/first/lib ${root}/far/include FALSE)
installs(${root}/far/lib include FALSE)
installs(${root}/far/lib ${root}/far/include FALSE)
file(REMOVE_RECURSE ${root})
