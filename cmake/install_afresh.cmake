# SPDX-License-Identifier: Apache-2.0
#
# cmake -D build_directory=... -D source_directory=... -D prefix=... -P install_afresh.cmake
# Installs, starting from nothing, then moves the installation to the prefix, where nobody planned for it to be.

set(first_prefix ${prefix}-before)
file(REMOVE_RECURSE ${prefix} ${first_prefix})
execute_process(COMMAND ${CMAKE_COMMAND} --install ${build_directory} --prefix ${first_prefix} COMMAND_ERROR_IS_FATAL ANY)

file(GLOB_RECURSE files ${first_prefix}/*)
foreach(file IN LISTS files)
  file(READ ${file} content)
  foreach(place IN ITEMS ${build_directory} ${source_directory} ${first_prefix})
    string(FIND "${content}" "${place}/" position)
    if(NOT position EQUAL -1)
      message(SEND_ERROR "${file} knows ${place}, which other machines do not have.")
    endif()
  endforeach()
endforeach()
file(RENAME ${first_prefix} ${prefix})
