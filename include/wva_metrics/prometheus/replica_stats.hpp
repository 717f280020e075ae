// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/resilience/protection_stats.hpp"

#include <cstdint>
#include <string>

namespace wva_metrics::prometheus {

/// One of the servers that a client may ask, at one moment. The counters begin with the client.
struct ReplicaStats {
    /// `scheme://host:port`, without credentials.
    std::string endpoint{};
    /// Whether it is asked first.
    bool is_current = false;
    /// Whether it has not failed since it last answered.
    bool is_healthy = true;
    /// Queries that it answered, trials included.
    std::uint64_t answered = 0;
    /// Queries that failed by a fault of the server or on the way to it.
    std::uint64_t failed = 0;
    /// Its last such failure, for people; empty if there was none. Never contains a secret.
    std::string last_failure{};
    /// What protects it, and what that has done so far.
    resilience::ProtectionStats protection{};
};

} // namespace wva_metrics::prometheus
