# SPDX-License-Identifier: Apache-2.0
#
# cmake -D build_directory=... -D prefix=... -P install_afresh.cmake

file(REMOVE_RECURSE ${prefix})
execute_process(COMMAND ${CMAKE_COMMAND} --install ${build_directory} --prefix ${prefix} COMMAND_ERROR_IS_FATAL ANY)
