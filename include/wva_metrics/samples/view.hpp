// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/label_view.hpp"
#include "wva_metrics/samples/detail/spacing.hpp"
#include "wva_metrics/samples/metric_set.hpp"
#include "wva_metrics/samples/packed_native.hpp"
#include "wva_metrics/samples/sample.hpp"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace wva_metrics::samples {

using wva_metrics::LabelView;

/// Labels by name, each name once.
using Labels = std::vector<std::pair<std::string, std::string>>;

/// The value of a label; empty if it is not there.
inline std::string_view find_label(const Labels& labels, std::string_view name) noexcept {
    const auto found = std::ranges::lower_bound(labels, name, {}, &Labels::value_type::first);
    return found == labels.end() || found->first != name ? std::string_view()
                                                         : std::string_view(found->second);
}

/// One series of a view.
struct Series {
    /// The metric, in the view's `MetricSet`.
    MetricId metric = 0;
    /// The labels that the server writes, such as the engine's number, except the model.
    Labels server_labels{};
    /// In ascending order of time, at least one. No staleness marker.
    std::vector<Sample> samples{};
    /// The series has no newer samples, although its target may still be scraped.
    bool has_ended = false;
    /// Which of several copies it is, by the labels that tell only copies apart; sorted by name.
    Labels copy{};
    /// Of a native histogram: one for each sample, whose value is the count of its observations. Else
    /// empty.
    std::vector<PackedNative> natives{};

    /// The newest sample.
    const Sample& last() const noexcept { return samples.back(); }
};

/// A number that stays the same while a process lives, such as the time of its start.
struct ProcessIdentity {
    std::string metric; ///< The metric's name.
    double value = 0;   ///< Its value.

    friend auto operator<=>(const ProcessIdentity&, const ProcessIdentity&) = default;
};

/// What one scrape target says of one model: all series that share every label that the server does
/// not write. Several views may be copies of one process.
struct View {
    /// The labels that the scrape and the storage added.
    Labels labels{};
    /// Sorted by metric, then by server labels, each once; at least one.
    std::vector<Series> series{};
    /// Sorted, each once. Empty if it was not asked for or is not exposed.
    std::vector<ProcessIdentity> identity{};
    /// The samples of the target's `up`: 1 if the scrape succeeded, 0 if not. May be empty. A last
    /// one that is NaN says that the target is no longer scraped.
    std::vector<Sample> up{};
    /// The pod's name; empty if no label names it.
    std::string pod{};
    /// The name of the label that names the pod; empty if none does.
    std::string pod_label{};
    /// `host:port`; empty if no label has it.
    std::string address{};
    /// The times of all samples of all series, ascending, each once.
    std::vector<ServerTime> times{};
    /// All of its series have ended.
    bool has_ended = false;
    /// It is known which of its series have ended, however old their samples are.
    bool is_end_known = false;

    /// The time of its oldest sample.
    ServerTime first() const noexcept { return times.front(); }
    /// The time of its newest sample.
    ServerTime last() const noexcept { return times.back(); }
    /// The address without its port.
    std::string_view host() const noexcept {
        return std::string_view(address).substr(0, std::min(address.rfind(':'), address.size()));
    }
    /// The address's port.
    std::string_view port() const noexcept {
        return address.empty() ? std::string_view()
                               : std::string_view(address).substr(address.rfind(':') + 1);
    }
    /// The lower median of the time between two samples: a missed scrape does not change it. Empty
    /// if there are fewer than two.
    std::optional<ServerDuration> spacing() const { return detail::median_spacing(times); }
};

/// The series of one metric in a view.
inline std::span<const Series> series_of(const View& view, MetricId metric) noexcept {
    const auto first = std::ranges::lower_bound(view.series, metric, {}, &Series::metric);
    const auto last =
        std::ranges::upper_bound(first, view.series.end(), metric, {}, &Series::metric);
    return {first, last};
}

} // namespace wva_metrics::samples
