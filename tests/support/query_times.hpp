// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/reading.hpp"

#include <chrono>

namespace wva_metrics::test_support {

/// When the queries of a test are sent.
inline constexpr TimePoint requested_at{std::chrono::hours(1000)};

} // namespace wva_metrics::test_support
