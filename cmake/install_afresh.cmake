# SPDX-License-Identifier: Apache-2.0
#
# cmake -D build_directory=... -D source_directory=... -D prefix=... -P install_afresh.cmake
# Installs into an empty folder, then moves the installation to the prefix, to test that it is relocatable.

set(first_prefix ${prefix}-before)
file(REMOVE_RECURSE ${prefix} ${first_prefix})
execute_process(COMMAND ${CMAKE_COMMAND} --install ${build_directory} --prefix ${first_prefix} COMMAND_ERROR_IS_FATAL ANY)

file(GLOB_RECURSE files ${first_prefix}/*)
foreach(file IN LISTS files)
  file(READ ${file} content)
  foreach(path IN ITEMS ${build_directory} ${source_directory} ${first_prefix})
    string(FIND "${content}" "${path}/" position)
    if(NOT position EQUAL -1)
      message(SEND_ERROR "${file} contains the path ${path}, which does not exist on other machines.")
    endif()
  endforeach()
endforeach()
file(RENAME ${first_prefix} ${prefix})
