// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/any_collector.hpp"

#include "support/collector_fixture.hpp"

#include <optional>
#include <utility>

namespace wva_metrics::test_support {

/// A `CollectorFixture` whose collector is in an `AnyCollector`.
struct AnyCollectorFixture : CollectorFixture {
    explicit AnyCollectorFixture(const CollectorConfig& config = {}) : CollectorFixture(config) {}

    /// The collector under test, under the name that `CollectorFixture` uses too.
    AnyCollector& target() { return *any; }
    void destroy() { any.reset(); }

    std::optional<AnyCollector> any{std::move(*collector)};
};

} // namespace wva_metrics::test_support
