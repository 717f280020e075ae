// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/collector/detail/flight.hpp"
#include "wva_metrics/collector/detail/target.hpp"

#include <chrono>
#include <memory>
#include <string>

namespace wva_metrics::test_support::flights {

/// When the collector of a test starts.
inline constexpr TimePoint start{std::chrono::hours(24)};

/// A caller that ignores its answer.
struct SilentWaiter : detail::Waiter {
    void complete(const Result<detail::Answer>&) noexcept override {}
};

inline ModelKey model(const std::string& id) {
    return {"llm", id};
}

inline detail::TargetPtr replicas_of(const ModelKey& model) {
    return std::make_shared<const detail::Target>(detail::ReplicaTarget{model});
}

} // namespace wva_metrics::test_support::flights
