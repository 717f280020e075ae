// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/exposition/native_histogram.hpp"
#include "wva_metrics/samples/packed_native.hpp"
#include "wva_metrics/samples/sample.hpp"
#include "wva_metrics/samples/view.hpp"
#include "wva_metrics/scrape/detail/sample_history.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace wva_metrics::scrape::detail {

/// One series of a store: its samples, and what the page that is being read says of it.
struct StoredSeries {
    /// With `__name__` and the labels of the target. They refer to texts of the store.
    std::vector<samples::LabelView> labels{};
    SampleHistory history{};
    /// The series that tells since when this one counts; may be null.
    const StoredSeries* start_series = nullptr;
    /// Since when it counted at the last scrape, in milliseconds since 1970.
    std::optional<std::int64_t> start{};
    /// The scrape that `added` is from.
    std::uint64_t seen_in = 0;
    samples::Sample added{};
    /// The buckets of `added`, if it is a native histogram.
    samples::PackedNative added_native{};
    std::optional<std::int64_t> added_start{};
    bool has_ended = false;

    /// Takes over what was added in this scrape. Keeps at most `max_samples`.
    void commit(std::size_t max_samples) {
        const std::optional<std::int64_t> new_start = find_start();
        if (!history.empty()) {
            if (added.time <= history.last().time)
                return;
            if (began_anew_unseen(new_start))
                history.push({time_of_zero(*new_start), 0}, max_samples, nothing_of(added_native));
        }
        start = new_start;
        history.push(added, max_samples, added_native);
    }

private:
    static constexpr samples::ServerDuration tick{1};

    /// The same histogram before its first observation.
    static samples::PackedNative nothing_of(const samples::PackedNative& native) {
        if (native.empty())
            return {};
        exposition::NativeHistogram histogram = native.unpack();
        histogram.zero_count = histogram.count = histogram.sum = 0;
        histogram.positive = histogram.negative = {};
        return samples::PackedNative(histogram);
    }

    /// It has begun anew, and has already reached what it was: no value shows it. But that it began
    /// at zero is a sample too.
    bool began_anew_unseen(std::optional<std::int64_t> new_start) const noexcept {
        return new_start && start && *new_start != *start && added.value >= history.last().value &&
               added.time - history.last().time > tick;
    }

    /// The server's clock need not agree with that of the scrapes.
    samples::ServerTime time_of_zero(std::int64_t new_start) const noexcept {
        return std::clamp(samples::ServerTime(samples::ServerDuration(new_start)),
                          history.last().time + tick, added.time - tick);
    }

    std::optional<std::int64_t> find_start() const noexcept {
        if (added_start)
            return added_start;
        // Beyond it a value in seconds is no time.
        constexpr double latest = 1e11;
        if (start_series == nullptr || start_series->seen_in != seen_in ||
            !(start_series->added.value > 0 && start_series->added.value < latest))
            return std::nullopt;
        return static_cast<std::int64_t>(start_series->added.value * 1000);
    }
};

} // namespace wva_metrics::scrape::detail
