# SPDX-License-Identifier: Apache-2.0
#
# cmake -D programs=<program>;... -D <program's name>_tests=<those to run, else all> -D finder=<find_secrets>
#   -D directory=<where to write> -P secrets.cmake
# Runs the test programs so that they print every check with its values, the texts of errors, logs and dumps among them, and
# searches all of it for the secrets of support/secrets.hpp.
cmake_minimum_required(VERSION 3.24)

foreach(program IN LISTS programs)
  cmake_path(GET program STEM name)
  set(printed ${directory}/${name}.txt)
  # Not Catch2's usual reporter: it breaks lines, also in a secret, and aborts on a text that is not UTF-8.
  execute_process(COMMAND ${program} --success --reporter compact --filenames-as-tags ${${name}_tests}
    OUTPUT_FILE ${printed} ERROR_FILE ${printed} RESULT_VARIABLE result)
  # Whether its tests pass is checked elsewhere, but one that crashes has not printed all.
  if(NOT result MATCHES "^[0-9]+$")
    message(SEND_ERROR "${name} ended by ${result}")
  endif()
  execute_process(COMMAND ${finder} ${printed} RESULT_VARIABLE result OUTPUT_VARIABLE found)
  if(result EQUAL 0)
    file(REMOVE ${printed})
  else()
    message(SEND_ERROR "${found}")
  endif()
endforeach()
