// SPDX-License-Identifier: Apache-2.0
#pragma once

// `WVA_METRICS_SEPARATE_COMPILATION` compiles the large parts of the library once, in the source
// file that includes `wva_metrics/src.hpp`. Every source file of a program must define it, or none.
#ifdef WVA_METRICS_SEPARATE_COMPILATION
#define WVA_METRICS_DECL
#else
#define WVA_METRICS_DECL inline
#endif

namespace wva_metrics::detail {

/// GNU ld and gold (not lld 14) refuse a variable that is thread-local in only some object files.
/// So a program of which only some source files define the macro does not link, and the message
/// says why. Hidden, because a plugin may differ from the program that loads it.
#ifdef WVA_METRICS_SEPARATE_COMPILATION
[[gnu::used, gnu::visibility("hidden")]] inline thread_local char
#else
[[gnu::used, gnu::visibility("hidden")]] inline char
#endif
    separate_compilation_must_be_defined_in_all_source_files_or_in_none = 0;

} // namespace wva_metrics::detail
