// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "support/metric_family_bytes.hpp"
#include "support/real_server.hpp"
#include "wva_metrics/exposition/native_histogram.hpp"
#include "wva_metrics/samples/native_merge.hpp"
#include "wva_metrics/samples/sample.hpp"

#include <boost/json.hpp>
#include <catch2/catch_all.hpp>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <map>
#include <optional>
#include <random>
#include <string>

namespace wva_metrics::samples::judged_quantiles {

namespace bytes = test_support::family_bytes;
using namespace std::chrono_literals;

inline constexpr ServerTime window_end{std::chrono::milliseconds(1'700'000'000'123)};
inline constexpr ServerTime window_start = window_end - 60s;
inline constexpr double wanted_quantiles[] = {0, 0.1, 0.5, 0.9, 0.99, 1};

using Answers = std::map<std::size_t, double>;

inline Answers must_ask(const test_support::RealServer& server, const std::string& promql,
                        std::optional<double> time) {
    const auto answer = server.query(promql, time);
    CAPTURE(promql);
    REQUIRE(answer.status == 200);
    Answers values;
    const boost::json::value body = boost::json::parse(answer.body);
    for (const auto& row : body.at("data").at("result").as_array())
        values[std::stoul(std::string(row.at("metric").at("number").as_string()))] =
            std::strtod(row.at("value").at(1).as_string().c_str(), nullptr);
    return values;
}
inline double window_end_seconds() {
    return std::chrono::duration<double>(window_end.time_since_epoch()).count();
}

/// Equal within 1e-9, or the same NaN or infinity.
inline bool is_as_judged(double ours, double judged) {
    if (std::isnan(judged) || std::isinf(judged))
        return std::isnan(judged) ? std::isnan(ours) : ours == judged;
    return std::abs(ours - judged) <= 1e-9 * std::max({1e-9, std::abs(ours), std::abs(judged)});
}

inline void check_judged(double ours, double judged) {
    CAPTURE(ours, judged);
    CHECK(is_as_judged(ours, judged));
}

using Random = std::mt19937;

/// What the histograms of one series have in common.
struct NativeKind {
    bool is_custom = false;
    /// Without one, each has a schema of its own, and its zero bucket ends where a bucket of every
    /// schema does: else Prometheus 3.5 counts some observations twice.
    std::optional<int> schema{};

    static NativeKind any(Random& random) {
        NativeKind kind{.is_custom = random() % 4 == 0};
        if (random() % 2 == 0)
            kind.schema = static_cast<int>(random() % 13) - 4;
        return kind;
    }
};

/// The bounds of schema 8 from 0.5 to 1 as the server rounds them, by which it judges zero buckets.
using ServerBounds = std::vector<double>;

/// The zero bucket ends at the server's bound, where it does at ours.
inline void round_zero_bucket(NativeHistogram& histogram, const ServerBounds& bounds) {
    int exponent = 0;
    const double part = std::frexp(histogram.zero_threshold, &exponent);
    for (const double bound : bounds)
        if (std::abs(part - bound) < 1e-12)
            histogram.zero_threshold = std::ldexp(bound, exponent);
}

inline NativeHistogram random_native(Random& random, const NativeKind& kind) {
    NativeHistogram histogram;
    const auto fill = [&](NativeBuckets& buckets, std::int32_t first) {
        for (std::uint32_t spans = static_cast<std::uint32_t>(1 + random() % 3); spans > 0;
             --spans) {
            buckets.spans.push_back({first, 1 + static_cast<std::uint32_t>(random() % 4)});
            for (std::uint32_t i = 0; i < buckets.spans.back().length; ++i)
                buckets.counts.push_back(static_cast<double>(random() % 5));
            first = 1 + static_cast<std::int32_t>(random() % 3);
        }
        for (const double count : buckets.counts)
            histogram.count += count;
    };
    if (kind.is_custom) {
        histogram.schema = NativeHistogram::custom_schema;
        for (int i = 0; i < 24; ++i)
            histogram.custom_values.push_back(i * 0.5 - 1);
        fill(histogram.positive, static_cast<std::int32_t>(random() % 2));
    } else {
        histogram.schema = kind.schema.value_or(static_cast<int>(random() % 13) - 4);
        histogram.zero_count = static_cast<double>(random() % 3);
        histogram.count = histogram.zero_count;
        if (random() % 4 != 0)
            fill(histogram.positive, static_cast<std::int32_t>(random() % 30) - 15);
        if (random() % 3 == 0)
            fill(histogram.negative, static_cast<std::int32_t>(random() % 10) - 5);
        // No observation is in two buckets: those near zero move into its bucket.
        NativeHistogram wide;
        wide.schema = histogram.schema;
        const bool is_narrow = random() % 2 == 0;
        if (kind.schema)
            wide.zero_threshold = is_narrow ? 0.001 : 0.3;
        else
            wide.zero_threshold = is_narrow ? 0x1p-16 : 1;
        add_native(histogram, wide);
    }
    histogram.sum = histogram.count * 1.5;
    return histogram;
}

/// The message prometheus.Histogram of remote writes, with fractional counts.
inline std::string written_native(const NativeHistogram& histogram) {
    std::string message = bytes::real(2, histogram.count) + bytes::real(3, histogram.sum) +
                          bytes::signed_number(4, histogram.schema) +
                          bytes::real(5, histogram.zero_threshold) +
                          bytes::real(7, histogram.zero_count);
    const auto add = [&](const NativeBuckets& buckets, unsigned spans, unsigned counts) {
        for (const exposition::NativeSpan& span : buckets.spans)
            message += bytes::text(spans, bytes::span(span.offset, span.length));
        message += bytes::text(counts, bytes::packed_counts(buckets.counts));
    };
    add(histogram.negative, 8, 10);
    add(histogram.positive, 11, 13);
    if (histogram.has_custom_bounds())
        message += bytes::text(16, bytes::packed_counts(histogram.custom_values));
    return message;
}

} // namespace wva_metrics::samples::judged_quantiles
