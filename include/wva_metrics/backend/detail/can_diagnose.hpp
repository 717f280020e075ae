// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/concepts.hpp"

namespace wva_metrics::detail {

/// Whether a backend can say why a model has no metrics. One that holds others of any type knows it at
/// run time only.
template <MetricsBackend Backend>
bool can_diagnose(const Backend& backend) noexcept {
    if constexpr (requires { backend.can_diagnose(); })
        return backend.can_diagnose();
    else
        return DiagnosingBackend<Backend>;
}

} // namespace wva_metrics::detail
