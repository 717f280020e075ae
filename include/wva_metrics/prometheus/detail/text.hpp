// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/detail/clean_text.hpp"

namespace wva_metrics::prometheus::detail {

// The library's text helpers, by their short names.
using wva_metrics::detail::clean_text;
using wva_metrics::detail::contains_ignoring_case;
using wva_metrics::detail::cut_text;
using wva_metrics::detail::is_same_name;

} // namespace wva_metrics::prometheus::detail
