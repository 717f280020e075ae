# SPDX-License-Identifier: Apache-2.0

# Enables warnings for this project's own programs. Consumers of the library do not get these options.
function(wva_metrics_enable_warnings target)
  target_compile_options(${target} PRIVATE
    -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wold-style-cast
    -Wnon-virtual-dtor -Woverloaded-virtual
    $<$<BOOL:${WVA_METRICS_WARNINGS_AS_ERRORS}>:-Werror>)
endfunction()
