// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/backend/detail/chunk_size_limit.hpp"
#include "wva_metrics/prometheus/answer.hpp"
#include "wva_metrics/promql/density.hpp"
#include "wva_metrics/reading.hpp"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <mutex>

namespace wva_metrics::detail {

/// The highest densities of recent answers, from which plans choose the sizes of their chunks.
///
/// The highest, and not the last: chunks of one round differ, and a size that follows each answer
/// would change the texts of the queries, by which servers cache.
///
/// Pure: the time is passed in.
///
/// **Threads:** safe.
class SeenDensity {
public:
    /// An answer counts for this time at least, and for twice as long at most.
    static constexpr Duration forget_after = std::chrono::minutes(10);

    /// The series of an answer about a chunk of `members` models or namespaces.
    void learn(QuerySubject subject, std::size_t members, const prometheus::AnswerInfo& answer,
               TimePoint now) {
        if (members == 0)
            return;
        const auto each = [members](std::size_t count) {
            return static_cast<double>(count) / static_cast<double>(members);
        };
        const std::lock_guard lock(mutex_);
        forget(now);
        promql::Density& highest = of(recent_, subject);
        highest.series = std::max(highest.series, each(answer.series + answer.skipped));
        highest.bytes = std::max(highest.bytes, each(answer.bytes));
    }

    promql::PlanDensity highest() const {
        const std::lock_guard lock(mutex_);
        return {highest_of(recent_.models, older_.models),
                highest_of(recent_.namespaces, older_.namespaces)};
    }

private:
    static promql::Density& of(promql::PlanDensity& density, QuerySubject subject) noexcept {
        return subject == QuerySubject::models ? density.models : density.namespaces;
    }
    static promql::Density highest_of(const promql::Density& a, const promql::Density& b) noexcept {
        return {std::max(a.series, b.series), std::max(a.bytes, b.bytes)};
    }

    void forget(TimePoint now) {
        const auto period = now.time_since_epoch() / forget_after;
        // A round that began in the period before may end in this one.
        if (period <= period_)
            return;
        older_ = period == period_ + 1 ? recent_ : promql::PlanDensity();
        recent_ = {};
        period_ = period;
    }

    mutable std::mutex mutex_;
    promql::PlanDensity recent_;
    /// Of the period before.
    promql::PlanDensity older_;
    /// That of `recent_`, counted in `forget_after` since the clock's epoch.
    Duration::rep period_ = 0;
};

} // namespace wva_metrics::detail
