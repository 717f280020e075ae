// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/detail/utf8.hpp"

namespace wva_metrics::promql::detail {

// The library's text helper, by its short name.
using wva_metrics::detail::find_invalid_utf8;

} // namespace wva_metrics::promql::detail
