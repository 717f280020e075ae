# SPDX-License-Identifier: Apache-2.0
#
# cmake -D examples=... -D project=... -D copies=... -P copy_examples.cmake
# Copies each example into a folder of its own, so that none can use the files of another.

file(REMOVE_RECURSE ${copies})
file(COPY ${project}/CMakeLists.txt DESTINATION ${copies})
file(GLOB programs ${examples}/*.cpp)
foreach(program IN LISTS programs)
  cmake_path(GET program STEM name)
  file(COPY ${program} DESTINATION ${copies}/${name})
  file(STRINGS ${program} includes REGEX "^#include \"[^\"]+/")
  list(TRANSFORM includes REPLACE "^#include \"([^/\"]+)/.*" "\\1")
  list(REMOVE_DUPLICATES includes)
  foreach(folder IN LISTS includes)
    file(COPY ${examples}/${folder} DESTINATION ${copies}/${name})
  endforeach()
endforeach()
