// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/prometheus/answer_decoder.hpp"

#include <algorithm>
#include <bit>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace wva_metrics::prometheus::testing {

using LabelTexts = std::vector<std::pair<std::string, std::string>>;

/// A copy of a series as the sink received it.
struct Series {
    LabelTexts labels{};
    std::vector<samples::Sample> samples{};
    std::vector<HistogramSample> histograms{};

    /// Those of the newest sample; the time in Unix seconds.
    double value() const { return samples.back().value; }
    double timestamp() const { return samples::unix_seconds(samples.back().time); }

    /// NaN equals NaN: only its arrival matters.
    friend bool operator==(const Series& a, const Series& b) {
        const auto same_bits = [](double x, double y) {
            return std::bit_cast<std::uint64_t>(x) == std::bit_cast<std::uint64_t>(y);
        };
        return a.labels == b.labels &&
               std::equal(a.samples.begin(), a.samples.end(), b.samples.begin(), b.samples.end(),
                          [&](const samples::Sample& x, const samples::Sample& y) {
                              return x.time == y.time && same_bits(x.value, y.value);
                          }) &&
               std::equal(a.histograms.begin(), a.histograms.end(), b.histograms.begin(),
                          b.histograms.end(),
                          [&](const HistogramSample& x, const HistogramSample& y) {
                              return x.time == y.time && same_bits(x.count, y.count) &&
                                     same_bits(x.sum, y.sum);
                          });
    }
};

inline Series copy_of(const SeriesView& series) {
    Series copy;
    for (const samples::LabelView& label : series.labels)
        copy.labels.emplace_back(label.name, label.value);
    copy.samples.assign(series.samples.begin(), series.samples.end());
    copy.histograms.assign(series.histograms.begin(), series.histograms.end());
    return copy;
}

/// A series with one sample. `timestamp`: Unix seconds.
inline Series series_of(LabelTexts labels, double value, double timestamp) {
    const auto time = std::chrono::milliseconds(std::llround(timestamp * 1000));
    return {std::move(labels), {{samples::ServerTime(time), value}}, {}};
}

/// The result of a decoder.
struct Decoded {
    std::vector<Series> series{};
    std::optional<AnswerInfo> info{};
    Error error{};

    bool ok() const { return info.has_value(); }
    Errc code() const { return static_cast<Errc>(error.code.value()); }
    /// The series are compared only if they are valid.
    bool same_as(const Decoded& other) const {
        if (ok() != other.ok())
            return false;
        if (!ok())
            return error == other.error;
        return series == other.series && info->warnings == other.info->warnings &&
               info->infos == other.info->infos && info->series == other.info->series &&
               info->skipped == other.info->skipped && info->bytes == other.info->bytes;
    }
};

/// Decodes an answer that arrives in these pieces.
inline Decoded decode_pieces(std::span<const std::string_view> pieces,
                             const AnswerLimits& limits = {}) {
    Decoded decoded;
    const auto collect = [&](const SeriesView& series) {
        decoded.series.push_back(copy_of(series));
    };
    AnswerDecoder decoder(limits, collect);
    for (const std::string_view piece : pieces)
        decoder.write(piece);
    Result<AnswerInfo> result = decoder.finish();
    if (result)
        decoded.info = *result;
    else
        decoded.error = result.error();
    return decoded;
}

inline Decoded decode(std::string_view body, const AnswerLimits& limits = {}) {
    return decode_pieces(std::span(&body, 1), limits);
}

/// Decodes the answer in pieces of `step` bytes; the last may be shorter.
inline Decoded decode_in_steps(std::string_view body, std::size_t step,
                               const AnswerLimits& limits = {}) {
    std::vector<std::string_view> pieces;
    for (std::size_t at = 0; at < body.size(); at += step)
        pieces.push_back(body.substr(at, step));
    return decode_pieces(pieces, limits);
}

inline std::string success(std::string_view result_type, std::string_view result) {
    return R"({"status":"success","data":{"resultType":")" + std::string(result_type) +
           R"(","result":)" + std::string(result) + "}}";
}

/// A vector of one series with this text as its value.
inline std::string vector_with_value(std::string_view value) {
    return success("vector",
                   R"([{"metric":{"pod":"p"},"value":[1700000000.5,)" + std::string(value) + "]}]");
}

} // namespace wva_metrics::prometheus::testing
