// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace wva_metrics::detail {

/// Tries an action up to three times, because what is not posted is lost, and memory may be short for
/// a moment only. Returns whether an attempt did not throw.
template <typename Action>
bool succeeds_in_three(const Action& action) noexcept {
    for (int attempt = 0; attempt < 3; ++attempt) {
        try {
            action();
            return true;
        } catch (...) { // The next attempt, or false.
        }
    }
    return false;
}

} // namespace wva_metrics::detail
