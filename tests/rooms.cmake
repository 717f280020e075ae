# SPDX-License-Identifier: Apache-2.0
#
# cmake -D root=... -P rooms.cmake
# Checks the plan of include/wva_metrics: a header includes only its own room and lower floors, nobody includes another
# room's detail/, and no file is too long to read in one go.
cmake_minimum_required(VERSION 3.24)

# The floors, lowest first. A room is a folder, or a header that lies beside the folders.
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

# room_of(<path below include/wva_metrics> <output>): the first folder, or the header's own name; collector.hpp and
# any_collector.hpp are the two doors of one room.
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
    message(SEND_ERROR "${header} is in no room that this test knows; add it to a floor.")
    continue()
  endif()
  file(STRINGS ${include_dir}/${header} lines REGEX "^ *# *include *[\"<]wva_metrics/")
  foreach(line IN LISTS lines)
    string(REGEX REPLACE ".*[\"<]wva_metrics/([^\">]+)[\">].*" "\\1" included "${line}")
    room_of(${included} included_room)
    if(included_room STREQUAL room)
      continue()
    endif()
    if(NOT floor_of_${included_room} LESS floor_of_${room} AND NOT (floor_of_${room} EQUAL 0 AND floor_of_${included_room} EQUAL 0))
      message(SEND_ERROR "${header} includes ${included}, which is not on a lower floor.")
    endif()
    if(included MATCHES "/detail/")
      message(SEND_ERROR "${header} includes ${included}, which is another room's detail.")
    endif()
  endforeach()
endforeach()

# check_length(<lines at most> <file>...)
function(check_length longest)
  foreach(file IN LISTS ARGN)
    file(READ ${file} text)
    string(REGEX REPLACE "[^\n]" "" newlines "${text}")
    string(LENGTH "${newlines}" length)
    if(length GREATER longest)
      message(SEND_ERROR "${file} has ${length} lines, and ${longest} are allowed; split it.")
    endif()
  endforeach()
endfunction()

list(TRANSFORM headers PREPEND ${include_dir}/)
file(GLOB_RECURSE tests ${root}/tests/*.cpp)
check_length(300 ${headers})
check_length(350 ${tests})
