# SPDX-License-Identifier: Apache-2.0

# Warnings are for this project's own programs; a consumer of the library never gets them.
function(wva_metrics_enable_warnings target)
  target_compile_options(${target} PRIVATE
    -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wold-style-cast
    -Wnon-virtual-dtor -Woverloaded-virtual
    $<$<BOOL:${WVA_METRICS_WARNINGS_AS_ERRORS}>:-Werror>)
endfunction()
