// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "http_exchange.hpp"

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace wva_metrics::test_support {

/// A series with its samples in time order, for `remote_write`.
struct WrittenSeries {
    struct Sample {
        std::int64_t time_ms;
        double value;
    };
    /// Sorted by name, `__name__` included.
    std::vector<std::pair<std::string, std::string>> labels;
    std::vector<Sample> samples;

    /// A native histogram, all of whose observations are in one bucket.
    struct Histogram {
        std::int64_t time_ms;
        std::uint64_t count;
        double sum;
    };
    /// In time order. A series has samples or histograms.
    std::vector<Histogram> histograms{};

    /// A message prometheus.Histogram without its time.
    struct EncodedHistogram {
        std::int64_t time_ms;
        std::string message;
    };
    /// In time order, instead of `histograms`.
    std::vector<EncodedHistogram> encoded_histograms{};
};

/// The NaN that marks the end of a series in Prometheus.
inline double staleness_marker() {
    return std::bit_cast<double>(std::uint64_t{0x7FF0000000000002});
}

namespace detail {

inline void append_varint(std::string& out, std::uint64_t value) {
    for (; value >= 0x80; value >>= 7U)
        out += static_cast<char>(0x80U | (value & 0x7FU));
    out += static_cast<char>(value);
}

/// A length-delimited protobuf field.
inline void append_bytes(std::string& out, unsigned field, std::string_view bytes) {
    append_varint(out, (field << 3U) | 2U);
    append_varint(out, bytes.size());
    out += bytes;
}

/// A protobuf field of eight bytes.
inline void append_double(std::string& out, unsigned field, double value) {
    append_varint(out, (field << 3U) | 1U);
    auto bits = std::bit_cast<std::uint64_t>(value);
    for (int i = 0; i < 8; ++i, bits >>= 8U)
        out += static_cast<char>(bits & 0xFFU);
}

/// A protobuf field with an unsigned number. A signed one of the type `sint` is passed as twice its
/// value.
inline void append_number(std::string& out, unsigned field, std::uint64_t value) {
    append_varint(out, field << 3U);
    append_varint(out, value);
}

inline std::string encode(const WrittenSeries::Histogram& histogram) {
    std::string span;
    append_number(span, 1, 0);
    append_number(span, 2, 1);
    std::string deltas;
    append_varint(deltas, 2 * histogram.count);
    std::string message;
    append_number(message, 1, histogram.count);
    append_double(message, 3, histogram.sum);
    append_number(message, 4, 0); // the schema
    append_double(message, 5, 1e-128);
    append_number(message, 6, 0); // observations near zero
    append_bytes(message, 11, span);
    append_bytes(message, 12, deltas);
    append_number(message, 15, static_cast<std::uint64_t>(histogram.time_ms));
    return message;
}

inline std::string encode(const WrittenSeries& series, std::int64_t from, std::int64_t until) {
    std::string encoded;
    for (const auto& [name, value] : series.labels) {
        std::string label;
        append_bytes(label, 1, name);
        append_bytes(label, 2, value);
        append_bytes(encoded, 1, label);
    }
    bool any = false;
    for (const auto& sample : series.samples) {
        if (sample.time_ms < from || sample.time_ms >= until)
            continue;
        any = true;
        std::string message;
        append_double(message, 1, sample.value);
        append_number(message, 2, static_cast<std::uint64_t>(sample.time_ms));
        append_bytes(encoded, 2, message);
    }
    for (const auto& histogram : series.histograms) {
        if (histogram.time_ms < from || histogram.time_ms >= until)
            continue;
        any = true;
        append_bytes(encoded, 4, encode(histogram));
    }
    for (const auto& histogram : series.encoded_histograms) {
        if (histogram.time_ms < from || histogram.time_ms >= until)
            continue;
        any = true;
        std::string message = histogram.message;
        append_number(message, 15, static_cast<std::uint64_t>(histogram.time_ms));
        append_bytes(encoded, 4, message);
    }
    return any ? encoded : std::string();
}

/// Snappy's block format, as literals only: valid, and not compressed.
inline std::string wrap_in_snappy(std::string_view bytes) {
    std::string block;
    append_varint(block, bytes.size());
    while (!bytes.empty()) {
        const std::string_view chunk = bytes.substr(0, 0x10000);
        const std::size_t length_code = chunk.size() - 1;
        block += static_cast<char>(61U << 2U);
        block += static_cast<char>(length_code & 0xFFU);
        block += static_cast<char>(length_code >> 8U);
        block += chunk;
        bytes.remove_prefix(chunk.size());
    }
    return block;
}

} // namespace detail

/// Writes series into a Prometheus that runs with `--web.enable-remote-write-receiver` and has no
/// newer data, or into VictoriaMetrics; times and values are stored exactly. Throws
/// std::runtime_error if a request is rejected.
inline void remote_write(std::uint16_t port, const std::vector<WrittenSeries>& all) {
    std::int64_t first = std::numeric_limits<std::int64_t>::max();
    std::int64_t last = std::numeric_limits<std::int64_t>::min();
    for (const WrittenSeries& series : all) {
        const auto include = [&](const auto& values) {
            if (!values.empty()) {
                first = std::min(first, values.front().time_ms);
                last = std::max(last, values.back().time_ms);
            }
        };
        include(series.samples);
        include(series.histograms);
        include(series.encoded_histograms);
    }
    // Prometheus rejects samples that are an hour older than its newest one.
    constexpr std::int64_t slice = 20 * 60 * 1000;
    for (std::int64_t from = first; from <= last; from += slice) {
        std::string request;
        for (const WrittenSeries& series : all) {
            const std::string encoded = detail::encode(series, from, from + slice);
            if (!encoded.empty())
                detail::append_bytes(request, 1, encoded);
        }
        const HttpAnswer answer =
            exchange(port, "POST", "/api/v1/write", detail::wrap_in_snappy(request),
                     "application/x-protobuf", "X-Prometheus-Remote-Write-Version", "0.1.0");
        if (answer.status / 100 != 2)
            throw std::runtime_error("Prometheus rejected a remote write: " + answer.body);
    }
}

} // namespace wva_metrics::test_support
