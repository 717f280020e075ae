# SPDX-License-Identifier: Apache-2.0
#
# cmake -D root=... -P layers.cmake
# Checks the structure of include/wva_metrics:
#   - A header includes headers of its own folder and of lower layers only, and never another folder's detail/ or impl/.
#     Only src.hpp, which compiles the library as one source file, includes the impl/ of any folder.
#   - A header includes headers of the library by their full path, "wva_metrics/...".
#   - No header has more than 300 lines, and no test file more than 350.
cmake_minimum_required(VERSION 3.24)

# The layers, lowest first: folders, and headers that lie beside the folders. In the lowest layer any header may include any
# other.
set(layers
  "version error diagnosis metric_name statistic reading reading_reason optional_reading signal source total_coverage \
   metrics replica_role workload availability freshness posture priority pod_owner label_view config config_warnings parse_duration format_duration detail"
  "cache attribution engine exposition orca resilience"
  "collector_stats observer promql samples"
  "concepts http"
  "prometheus kubernetes scrape"
  "backend"
  "collector"
  "settings testing"
  "wva_metrics"
  "src")

set(layer 0)
foreach(folders IN LISTS layers)
  string(REPLACE " " ";" folders "${folders}")
  foreach(folder IN LISTS folders)
    set(layer_of_${folder} ${layer})
  endforeach()
  math(EXPR layer "${layer} + 1")
endforeach()

# folder_of(<path below include/wva_metrics> <output>): the first folder of the path, or the header's own name. The public
# headers of the folder collector/ lie beside it.
function(folder_of path output)
  string(REGEX REPLACE "/.*|\\.hpp$" "" folder ${path})
  if(folder MATCHES "^(any_collector|cached_reads|handle)$")
    set(folder collector)
  endif()
  set(${output} ${folder} PARENT_SCOPE)
endfunction()

set(include_dir ${root}/include/wva_metrics)
file(GLOB_RECURSE headers RELATIVE ${include_dir} ${include_dir}/*.hpp)
foreach(header IN LISTS headers)
  folder_of(${header} folder)
  if(NOT DEFINED layer_of_${folder})
    message(SEND_ERROR "${header}: the folder \"${folder}\" is in no layer; add it to the list in this test.")
    continue()
  endif()
  set(layer ${layer_of_${folder}})
  set(private "/(detail|impl)/")
  if(header STREQUAL "src.hpp")
    set(private "/detail/")
  endif()
  file(STRINGS ${include_dir}/${header} lines REGEX "^ *# *include *(\"|<wva_metrics/)")
  foreach(line IN LISTS lines)
    if(NOT line MATCHES "[\"<]wva_metrics/([^\">]+)")
      message(SEND_ERROR "${header}: \"${line}\" is not a full path, \"wva_metrics/...\".")
      continue()
    endif()
    set(included ${CMAKE_MATCH_1})
    folder_of(${included} included_folder)
    if(included_folder STREQUAL folder)
      continue()
    endif()
    if(layer_of_${included_folder} GREATER layer OR (layer_of_${included_folder} EQUAL layer AND layer GREATER 0))
      message(SEND_ERROR "${header} includes ${included}, which is not in a lower layer.")
    endif()
    if(included MATCHES "${private}")
      message(SEND_ERROR "${header} includes ${included}, which is private to another folder.")
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
