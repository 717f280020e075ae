// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/availability.hpp"
#include "wva_metrics/error.hpp"
#include "wva_metrics/metrics.hpp"

#include <cstddef>
#include <variant>
#include <vector>

namespace wva_metrics::detail {

/// The backend's answers to the targets of a batch, in order. They stay where the backend has put
/// them: an answer takes 0.6 KB, and those of a large batch do not fit into a processor's cache.
using Answers =
    std::variant<std::vector<Result<OptimizerMetrics>>, std::vector<Result<ReplicaSamples>>,
                 std::vector<Result<Availability>>>;
/// One answer per flight; or the error of the whole batch.
using BatchAnswers = Result<Answers>;

inline std::size_t count(const Answers& answers) noexcept {
    return std::visit([](const auto& all) { return all.size(); }, answers);
}

/// Returns what `visitor(answer)` returns for one answer, a `Result` of its kind.
template <typename Visitor>
auto visit_answer(Answers& answers, std::size_t index, const Visitor& visitor) {
    return std::visit([&](auto& all) { return visitor(all[index]); }, answers);
}

/// Appends answers with this error until there are `size`, or drops the last ones.
inline void resize(Answers& answers, std::size_t size, const Error& missing) {
    std::visit([&](auto& all) { all.resize(size, missing); }, answers);
}

} // namespace wva_metrics::detail
