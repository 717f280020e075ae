// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/error.hpp"
#include "wva_metrics/scrape/store_limits.hpp"

#include <cstddef>
#include <string>
#include <string_view>

namespace wva_metrics::scrape::detail {

/// What the series of a store take.
struct StoreUse {
    std::size_t series = 0;
    /// Of their names and labels.
    std::size_t bytes = 0;
};

/// The beginning of a metric's name, for messages.
inline std::string shown_name(std::string_view name) {
    constexpr std::size_t max_shown = 100;
    return std::string(name.substr(0, max_shown));
}

inline Error too_large(const std::string& what, std::size_t most, const char* limit) {
    return {Errc::too_large, what + std::to_string(most) + " (StoreLimits::" + limit + ")"};
}

inline Error too_many_native_bytes(std::string_view name, const StoreLimits& limits) {
    return too_large("with those of " + shown_name(name) +
                         " the native histograms of all samples have more bytes than ",
                     limits.max_histogram_bytes, "max_histogram_bytes");
}

/// Whether another series fits, whose name and `labels` labels have so many bytes.
inline Result<void> check_series(std::string_view name, std::size_t labels, std::size_t bytes,
                                 const StoreUse& use, const StoreLimits& limits) {
    const std::string metric = shown_name(name);
    if (labels > limits.max_labels)
        return too_large("a series of " + metric + " has " + std::to_string(labels) +
                             " labels, more than ",
                         limits.max_labels, "max_labels");
    if (bytes > limits.max_series_bytes)
        return too_large("name and labels of a series of " + metric + " have " +
                             std::to_string(bytes) + " bytes, more than ",
                         limits.max_series_bytes, "max_series_bytes");
    if (use.series >= limits.max_series)
        return too_large("with those of " + metric + " there are more series than ",
                         limits.max_series, "max_series");
    if (bytes > limits.max_total_bytes - use.bytes)
        return too_large("with those of " + metric +
                             " the labels of all series have more bytes than ",
                         limits.max_total_bytes, "max_total_bytes");
    return {};
}

} // namespace wva_metrics::scrape::detail
