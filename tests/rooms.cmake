# SPDX-License-Identifier: Apache-2.0
#
# cmake -D root=... -P rooms.cmake
# Checks the structure of include/wva_metrics:
#   - A header includes headers of its own room and of lower floors only, and never another room's detail/.
#   - A header includes headers of the library by their full path, "wva_metrics/...".
#   - No header has more than 300 lines, and no test file more than 350.
cmake_minimum_required(VERSION 3.24)

# The floors, lowest first. A room is a folder, or a header beside the folders. On the lowest floor any header may include
# any other one.
set(floors
  "version error reading signal metrics workload availability freshness pod_owner config parse_duration format_duration detail"
  "cache attribution engine"
  "collector_stats observer promql"
  "concepts http"
  "prometheus kubernetes"
  "backend"
  "collector"
  "settings testing"
  "wva_metrics")

set(floor 0)
foreach(rooms IN LISTS floors)
  string(REPLACE " " ";" rooms "${rooms}")
  foreach(room IN LISTS rooms)
    set(floor_of_${room} ${floor})
  endforeach()
  math(EXPR floor "${floor} + 1")
endforeach()

# room_of(<path below include/wva_metrics> <output>): the first folder of the path, or the header's own name. Both
# collector.hpp and any_collector.hpp belong to the room collector.
function(room_of path output)
  string(REGEX REPLACE "/.*|\\.hpp$" "" room ${path})
  if(room STREQUAL "any_collector")
    set(room collector)
  endif()
  set(${output} ${room} PARENT_SCOPE)
endfunction()

set(include_dir ${root}/include/wva_metrics)
file(GLOB_RECURSE headers RELATIVE ${include_dir} ${include_dir}/*.hpp)
foreach(header IN LISTS headers)
  room_of(${header} room)
  if(NOT DEFINED floor_of_${room})
    message(SEND_ERROR "${header}: the room \"${room}\" is on no floor; add it to the list in this test.")
    continue()
  endif()
  set(floor ${floor_of_${room}})
  file(STRINGS ${include_dir}/${header} lines REGEX "^ *# *include *(\"|<wva_metrics/)")
  foreach(line IN LISTS lines)
    if(NOT line MATCHES "[\"<]wva_metrics/([^\">]+)")
      message(SEND_ERROR "${header}: \"${line}\" is not a full path, \"wva_metrics/...\".")
      continue()
    endif()
    set(included ${CMAKE_MATCH_1})
    room_of(${included} included_room)
    if(included_room STREQUAL room)
      continue()
    endif()
    if(floor_of_${included_room} GREATER floor OR (floor_of_${included_room} EQUAL floor AND floor GREATER 0))
      message(SEND_ERROR "${header} includes ${included}, which is not on a lower floor.")
    endif()
    if(included MATCHES "/detail/")
      message(SEND_ERROR "${header} includes ${included}, which is in another room's detail/.")
    endif()
  endforeach()
endforeach()

# check_length(<most lines> <file>...)
function(check_length most)
  foreach(file IN LISTS ARGN)
    file(READ ${file} text)
    string(REGEX REPLACE "[^\n]" "" newlines "${text}")
    string(LENGTH "${newlines}" length)
    if(length GREATER most)
      message(SEND_ERROR "${file} has ${length} lines; at most ${most} are allowed. Split it.")
    endif()
  endforeach()
endfunction()

list(TRANSFORM headers PREPEND ${include_dir}/)
file(GLOB_RECURSE tests ${root}/tests/*.cpp)
check_length(300 ${headers})
check_length(350 ${tests})
