# SPDX-License-Identifier: Apache-2.0

# list_documents(<output>): every document of the project whose folder is ${root}, without what was built.
function(list_documents output)
  file(GLOB documents ${root}/*.md)
  foreach(folder IN ITEMS benchmarks cmake examples include tests)
    file(GLOB_RECURSE more ${root}/${folder}/*.md)
    list(APPEND documents ${more})
  endforeach()
  set(${output} ${documents} PARENT_SCOPE)
endfunction()
