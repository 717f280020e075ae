// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace wva_metrics {

/// Which of the requests that wait for a server is sent first.
enum class Priority : std::uint8_t {
    /// Somebody waits for the answer.
    interactive,
    /// Nobody waits. Sent when no interactive request waits, and never on the last connection that
    /// is free.
    background,
};

} // namespace wva_metrics
