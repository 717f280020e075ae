// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/reading.hpp"

#include <algorithm>
#include <optional>

namespace wva_metrics::orca::detail {

/// A number of a pod's reports, and when it was reported.
struct Reported {
    double value = 0;
    TimePoint at{};
};

/// The number that counts among those that a pod reports: the highest of a short time, because they
/// may be those of several engines.
class ReportedValue {
public:
    void add(double value, TimePoint now, Duration hold) noexcept {
        if (!current_ || value > current_->value || now - current_->at > hold)
            current_ = Reported{value, now};
        else if (value >=
                 current_->value) // The same; reports of several threads may come out of order.
            current_->at = std::max(current_->at, now);
    }
    /// What was reported up to then does not count any more.
    void drop_until(TimePoint time) noexcept {
        if (current_ && current_->at <= time)
            current_.reset();
    }

    /// Empty if nothing was reported within `expiration`.
    std::optional<Reported> at(TimePoint now, Duration expiration) const noexcept {
        return current_ && now - current_->at <= expiration ? current_ : std::nullopt;
    }

private:
    std::optional<Reported> current_;
};

/// A reading, raised or made fresher by what the pod reported itself. Reports are those of one engine
/// of perhaps several, and an idle server sends none: so a lower number, and one that is not newer than
/// the last sample, change nothing, and 0 is no value where there is none.
inline Reading<double> raise(const Reading<double>& reading, const Reported& reported,
                             MetricName metric) noexcept {
    ReadingDetails<double> details;
    details.statistic = Statistic::last_sample;
    details.last_sample_at = reported.at;
    details.is_lower_bound = true;
    const std::optional<TimePoint> sampled = reading.last_sample_at();
    if (sampled && *sampled >= reported.at)
        return reading;
    if (!reading.has_value()) {
        if (reported.value <= 0)
            return reading;
        return Reading<double>::measured(reported.value, reported.at, metric, details);
    }
    if (reported.value < reading.latest())
        return reading;
    details.latest = reported.value;
    details.statistic = reading.statistic();
    details.window = reading.window();
    details.spacing = reading.spacing();
    // What equals the sample makes it fresher and says no more of the other engines than it did.
    details.is_lower_bound = reading.is_lower_bound() || reported.value > reading.latest();
    const bool is_highest = reported.value >= reading.value();
    return Reading<double>::measured(is_highest ? reported.value : reading.value(),
                                     is_highest ? reported.at : reading.sampled_at(),
                                     is_highest ? metric : MetricName(reading.metric()), details);
}

} // namespace wva_metrics::orca::detail
