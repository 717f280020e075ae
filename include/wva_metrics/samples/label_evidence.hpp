// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/samples/detail/server_labels.hpp"
#include "wva_metrics/samples/sample_rules.hpp"
#include "wva_metrics/samples/value_evidence.hpp"
#include "wva_metrics/samples/view.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

// What the labels, the times and the identities of two views say about whether they are of one
// process.

namespace wva_metrics::samples {

/// The names of the labels in which two views differ, sorted. The names are those of the views.
inline std::vector<std::string_view> differing_labels(const Labels& a, const Labels& b) {
    std::vector<std::string_view> names;
    const auto add_missing = [&names](const Labels& from, const Labels& in) {
        for (const auto& [name, value] : from)
            if (find_label(in, name) != value)
                names.push_back(name);
    };
    add_missing(a, b);
    add_missing(b, a);
    std::ranges::sort(names);
    names.erase(std::unique(names.begin(), names.end()), names.end());
    return names;
}

namespace detail {

inline bool is_listed(std::span<const std::string> list, std::string_view name) noexcept {
    return std::ranges::find(list, name) != list.end();
}

/// True for a label that tells which of several Prometheus servers, or receivers, has scraped or
/// stored a series. Their clocks may disagree.
inline bool names_scraper(std::string_view name) noexcept {
    constexpr std::array<std::string_view, 7> names = {
        "prometheus", "prometheus_replica", "replica", "__replica__",
        "receive",    "receive_replica",    "monitor"};
    return std::ranges::find(names, name) != names.end();
}

/// True for a label whose meaning the rules know. Another may be one that the server writes.
inline bool is_known_label(std::string_view name, const SampleRules& rules) noexcept {
    return is_listed(rules.copy_only, name) || is_listed(rules.maybe, name) ||
           is_listed(rules.pod, name) || is_listed(rules.address, name) ||
           is_listed(rules.boundary, name);
}

/// True if the view with fewer times has none that the other lacks.
inline bool has_times_of(const View& a, const View& b) {
    const View& shorter = a.times.size() < b.times.size() ? a : b;
    const View& longer = &shorter == &a ? b : a;
    return std::ranges::includes(longer.times, shorter.times);
}

/// True if the series have a sample of the same time and another value.
inline bool differ_at_one_time(const Series& a, const Series& b) noexcept {
    auto other = b.samples.begin();
    for (const Sample& sample : a.samples) {
        while (other != b.samples.end() && other->time < sample.time)
            ++other;
        if (other == b.samples.end())
            return false;
        const bool is_equal =
            other->value == sample.value || (std::isnan(other->value) && std::isnan(sample.value));
        if (other->time == sample.time && !is_equal)
            return true;
    }
    return false;
}

} // namespace detail

/// True if two views are parts of one page, which a label of the server tells apart that is in no
/// list: they have the same times, and other metrics or other values. Equal values at equal times
/// may also be a copy that was written twice.
inline bool is_one_page(const View& a, const View& b, const SampleRules& rules) {
    const std::vector<std::string_view> names = differing_labels(a.labels, b.labels);
    const auto is_known = [&rules](std::string_view name) {
        return detail::is_known_label(name, rules);
    };
    if (names.empty() || std::ranges::any_of(names, is_known) || !detail::has_times_of(a, b))
        return false;
    bool has_common = false;
    bool differs = false;
    detail::for_common_series(a, b, [&](const Series& one, const Series& other) {
        has_common = true;
        differs = differs || detail::differ_at_one_time(one, other);
    });
    return differs || !has_common;
}

/// The engines that a view names, by metric; sorted, each once.
using Engines = std::vector<std::pair<MetricId, Labels>>;

/// The engines of all series that name one.
inline Engines engines_of(const View& view) {
    Engines engines;
    for (const Series& series : view.series)
        if (Labels engine = detail::engine_of(series.server_labels); !engine.empty())
            engines.emplace_back(series.metric, std::move(engine));
    std::ranges::sort(engines);
    engines.erase(std::unique(engines.begin(), engines.end()), engines.end());
    return engines;
}

/// True if two views name engines of the same metric, but none that is in both. Copies of one
/// process have the same engines.
inline bool has_other_engines(const Engines& a, const Engines& b) {
    bool has_common_metric = false;
    auto other = b.begin();
    for (const auto& engine : a) {
        while (other != b.end() && *other < engine)
            ++other;
        if (other != b.end() && *other == engine)
            return false;
        const auto is_of_metric = [&](auto position) { return position->first == engine.first; };
        has_common_metric = has_common_metric || (other != b.end() && is_of_metric(other)) ||
                            (other != b.begin() && is_of_metric(other - 1));
    }
    return has_common_metric;
}

/// What the identities of two views say.
enum class IdentityVerdict : std::uint8_t {
    unknown, ///< One has none, or they have none of the same kind.
    same,    ///< They share one that is exact enough to prove one process.
    likely,  ///< They share the time of the start, which is the same for twins that start at once.
    other,   ///< They share none, although they have one of the same kind.
};

/// Compares the identities of two views.
inline IdentityVerdict compare_identities(const View& a, const View& b) {
    IdentityVerdict verdict = IdentityVerdict::unknown;
    for (const ProcessIdentity& one : a.identity) {
        if (std::ranges::binary_search(b.identity, one)) {
            if (one.metric != "process_start_time_seconds")
                return IdentityVerdict::same;
            verdict = IdentityVerdict::likely;
        } else if (verdict == IdentityVerdict::unknown &&
                   std::ranges::binary_search(b.identity, one.metric, {},
                                              &ProcessIdentity::metric)) {
            verdict = IdentityVerdict::other;
        }
    }
    return verdict;
}

} // namespace wva_metrics::samples
