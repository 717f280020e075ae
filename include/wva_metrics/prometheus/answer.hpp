// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/samples/listed_native.hpp"
#include "wva_metrics/samples/sample.hpp"
#include "wva_metrics/samples/view.hpp"

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace wva_metrics::prometheus {

/// Bounds on the contents of a query's answer, in addition to the bound on its bytes: a body of a
/// few MiB can hold very many series or labels.
struct AnswerLimits {
    /// Series in one answer, including skipped ones.
    std::size_t max_series = 200'000;
    /// Samples of one series.
    std::size_t max_samples_per_series = 10'000;
    /// Buckets of the native histograms of one series, those of all samples together.
    std::size_t max_buckets_per_series = 1'000'000;
    /// Samples in one answer: those of all its series together.
    std::size_t max_samples = 4'000'000;
    /// Nesting depth of JSON arrays and objects; a native histogram needs 8.
    std::size_t max_depth = 32;
    /// Labels of one series.
    std::size_t max_labels = 64;
    /// Length of a label's name.
    std::size_t max_label_name_bytes = 256;
    /// Length of a label's value.
    std::size_t max_label_value_bytes = 4096;
    /// Length of a value's text. Prometheus writes the smallest numbers with more than 300 digits.
    std::size_t max_value_bytes = 512;
    /// Warnings that are kept, and separately infos. If there are more, one additional line has the
    /// number of those that were dropped.
    std::size_t max_warnings = 32;
    /// Length of one warning or info; the rest is cut off.
    std::size_t max_warning_bytes = 1024;
};

/// What becomes of an answer in which a series has two values at one time.
enum class Conflict : std::uint8_t {
    /// It is rejected: the API does not allow this.
    reject,
    /// The highest value counts, and a number before a NaN. VictoriaMetrics stores whatever two
    /// senders send, and sends all of it unless it deduplicates; then it chooses in this way, too.
    highest,
};

/// What a native histogram counted.
struct HistogramSample {
    samples::ServerTime time{}; ///< When it was scraped.
    double count = 0;           ///< Observations.
    double sum = 0;             ///< Their sum.
    std::size_t buckets = 0;    ///< How many of `SeriesView::buckets` are its buckets.
};

/// One series, as the sink receives it. Valid only during the call.
struct SeriesView {
    /// All labels as sent, `__name__` included. Empty for a scalar.
    std::span<const samples::LabelView> labels{};
    /// All samples, their times strictly ascending. A vector and a scalar have one, whose time is
    /// that of the evaluation.
    std::span<const samples::Sample> samples{};
    /// The samples of a native histogram, their times strictly ascending.
    std::span<const HistogramSample> histograms{};
    /// The buckets of the first histogram, then those of the second, and so on.
    std::span<const samples::ListedBucket> buckets{};

    /// The value of a label; "" if the series does not have it.
    std::string_view label(std::string_view name) const noexcept {
        for (const samples::LabelView& label : labels)
            if (label.name == name)
                return label.value;
        return {};
    }
};

/// The contents of an answer except its series.
struct AnswerInfo {
    /// One line each, without control characters. A partial answer always has a warning.
    std::vector<std::string> warnings{};
    /// Infos of Prometheus, one line each: remarks that are not warnings.
    std::vector<std::string> infos{};
    /// Series passed to the sink.
    std::size_t series = 0;
    /// Series without a sample: strings, ranges without a point.
    std::size_t skipped = 0;
    /// Bytes of the body, decompressed.
    std::size_t bytes = 0;
    /// `scheme://host:port` of the server that answered; empty if the answer was only decoded.
    std::string endpoint{};
};

/// Something that receives the series of an answer.
template <typename Sink>
concept SeriesSink = std::invocable<Sink&, const SeriesView&>;

/// The problems of the limits, one sentence each; empty if they are valid.
inline std::vector<std::string> validate(const AnswerLimits& limits) {
    std::vector<std::string> problems;
    const auto require = [&](bool holds, const char* sentence) {
        if (!holds)
            problems.emplace_back(sentence);
    };
    require(limits.max_series > 0, "answer.max_series must be positive");
    require(limits.max_samples_per_series > 0, "answer.max_samples_per_series must be positive");
    require(limits.max_buckets_per_series > 0, "answer.max_buckets_per_series must be positive");
    require(limits.max_samples > 0, "answer.max_samples must be positive");
    require(limits.max_depth >= 8 && limits.max_depth <= 1000,
            "answer.max_depth must be between 8 and 1000");
    require(limits.max_labels > 0, "answer.max_labels must be positive");
    require(limits.max_label_name_bytes > 0, "answer.max_label_name_bytes must be positive");
    require(limits.max_label_value_bytes > 0, "answer.max_label_value_bytes must be positive");
    require(limits.max_value_bytes >= 32 && limits.max_value_bytes <= 65'536,
            "answer.max_value_bytes must be between 32 and 65536");
    require(limits.max_warning_bytes >= 16 && limits.max_warning_bytes <= 65'536,
            "answer.max_warning_bytes must be between 16 and 65536");
    return problems;
}

} // namespace wva_metrics::prometheus
