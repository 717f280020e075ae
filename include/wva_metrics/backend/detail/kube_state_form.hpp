// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/engine/engine_profile.hpp"
#include "wva_metrics/promql/kube_state_query.hpp"
#include "wva_metrics/reading.hpp"

#include <chrono>
#include <cstddef>
#include <mutex>
#include <span>
#include <utility>

namespace wva_metrics::detail {

/// Under which label names the series of kube-state-metrics are stored: as configured, or with
/// `exported_`, if their scrape does not honour labels. The form that had series is kept.
///
/// Pure: the time is passed in.
///
/// **Threads:** safe.
class KubeStateForm {
public:
    /// One way to name the labels.
    struct Form {
        KubeStateNames names;
        promql::KubeStateQueries queries;
    };

    /// The other form is tried once in this time, because it costs another query.
    static constexpr Duration try_again_after = std::chrono::minutes(1);

    KubeStateForm(const KubeStateNames& names, std::span<const promql::Matcher> matchers)
        : configured_{names, {names, matchers}}, exported_{promql::without_honor_labels(names),
                                                           {promql::without_honor_labels(names),
                                                            matchers}} {}

    /// The form to query.
    const Form& current() const {
        const std::lock_guard lock(mutex_);
        return is_exported_ ? exported_ : configured_;
    }

    /// The form to query after the current one had no series; null if it was tried recently.
    const Form* other(TimePoint now) {
        const std::lock_guard lock(mutex_);
        if (was_tried_ && now - tried_at_ < try_again_after)
            return nullptr;
        was_tried_ = true;
        tried_at_ = now;
        return is_exported_ ? &configured_ : &exported_;
    }

    /// This form had series.
    void keep(const Form& form) {
        const std::lock_guard lock(mutex_);
        is_exported_ = &form == &exported_;
    }

private:
    const Form configured_;
    const Form exported_;
    mutable std::mutex mutex_;
    bool is_exported_ = false;
    bool was_tried_ = false;
    TimePoint tried_at_{};
};

} // namespace wva_metrics::detail
