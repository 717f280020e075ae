// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/detail/describe_exception.hpp"
#include "wva_metrics/error.hpp"

namespace wva_metrics::detail {

/// The error of every operation that outlives its collector.
inline Error collector_destroyed() noexcept {
    return error_with(Errc::aborted, "the collector has been destroyed");
}

/// The error of every operation that needs the collector's executor after its context's end.
inline Error context_destroyed() noexcept {
    return error_with(Errc::aborted, "the collector's io_context has been destroyed");
}

} // namespace wva_metrics::detail
