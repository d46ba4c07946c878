# The lines in the head comment of a program that build it:
#
#   cc NAME.c $(pkg-config …) -o NAME     one line for a shell, or with c++
#   target_link_libraries(NAME …)         lines for a CMakeLists.txt
#
# The second kind may begin with find_package, find_library, pkg_check_modules,
# add_executable, add_library or set_target_properties, too.

# read_head(file): sets head_cc to the line for a shell, and head_cmake to the
# lines for a CMakeLists.txt.
function(read_head file)
  file(READ ${file} text)
  string(FIND "${text}" "*/" end)
  string(SUBSTRING "${text}" 0 ${end} text)
  # A semicolon would end an element of the list of lines.
  string(REPLACE ";" "\\;" text "${text}")
  string(REPLACE "\n" ";" lines "${text}")
  set(cc "")
  set(cmake "")
  foreach(line IN LISTS lines)
    string(REGEX REPLACE "^[ *]+" "" line "${line}")
    if(line MATCHES "^(cc|c\\+\\+) .* -o ")
      list(APPEND cc "${line}")
    elseif(line MATCHES "^(target_[a-z_]+|find_[a-z]+|pkg_check_modules|\
add_executable|add_library|set_target_properties)\\(.*\\)$")
      string(APPEND cmake "${line}\n")
    endif()
  endforeach()
  list(LENGTH cc count)
  if(NOT count EQUAL 1)
    message(FATAL_ERROR "${file}: one line for cc expected: ${cc}")
  endif()
  if(NOT cmake MATCHES "target_link_libraries")
    message(FATAL_ERROR "${file}: no target_link_libraries(…) in its head")
  endif()
  set(head_cc "${cc}" PARENT_SCOPE)
  set(head_cmake "${cmake}" PARENT_SCOPE)
endfunction()
