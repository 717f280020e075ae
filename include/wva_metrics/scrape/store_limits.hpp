// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/samples/sample.hpp"
#include "wva_metrics/samples/sample_rules.hpp"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <string>
#include <vector>

namespace wva_metrics::scrape {

/// How much of one target a `SampleStore` keeps. A page that exceeds one of them is not taken over.
struct StoreLimits {
    /// Series, also of those that have ended and are still within the window.
    std::size_t max_series = 10'000;
    /// Samples of one series; the oldest make room. 3600 are an hour at a scrape per second.
    std::size_t max_samples_per_series = 3600;
    /// Labels of one series on the page.
    std::size_t max_labels = 64;
    /// Bytes of the name and the labels of one series.
    std::size_t max_series_bytes = std::size_t{16} << 10;
    /// Bytes of the names and the labels of all series.
    std::size_t max_total_bytes = std::size_t{16} << 20;
    /// Bytes of the buckets of all native histograms, of all samples together. One sample takes 50 to
    /// 500 bytes; they are kept only if a quantile is chosen.
    std::size_t max_histogram_bytes = std::size_t{16} << 20;
};

/// All problems of the limits, one sentence each; empty if they are valid.
inline std::vector<std::string> validate(const StoreLimits& limits) {
    std::vector<std::string> problems;
    const auto require = [&](bool holds, const char* sentence) {
        if (!holds)
            problems.emplace_back(sentence);
    };
    require(limits.max_series > 0, "max_series must be positive");
    require(limits.max_samples_per_series >= 2,
            "max_samples_per_series must be at least 2, because a rate needs two samples");
    require(limits.max_series_bytes > 0, "max_series_bytes must be positive");
    require(limits.max_series_bytes <= (std::size_t{1} << 30),
            "max_series_bytes must be at most 1 GiB");
    require(limits.max_total_bytes >= limits.max_series_bytes,
            "max_total_bytes must not be below max_series_bytes");
    return problems;
}

/// How long samples are kept: as long as a computation in `samples/` may need them.
struct Retention {
    /// All samples that are not older than this, at the newest scrape.
    samples::ServerDuration usual = std::chrono::seconds(70);
    /// Of a target that is scraped rarely, the newest ones are kept for longer: so many...
    std::size_t kept = 8;
    /// ...but none for longer than this.
    samples::ServerDuration longest = std::chrono::seconds(310);

    /// What the rules need: the windows of rates and peaks, and a few spacings of a target that is
    /// scraped so rarely that its window is widened.
    static Retention of(const samples::SampleRules& rules) {
        // A window ends when a call asks, which is later than the newest scrape.
        constexpr samples::ServerDuration margin = std::chrono::seconds(10);
        Retention retention;
        retention.usual = std::max(rules.window, rules.peak) + margin;
        retention.kept = static_cast<std::size_t>(std::max(rules.widened_spacings, 0)) + 4;
        retention.longest = std::max(retention.usual, rules.longest_window + margin);
        return retention;
    }
};

} // namespace wva_metrics::scrape
