// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/prometheus/answer_decoder.hpp"

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace wva_metrics::prometheus::testing {

struct Series {
    std::vector<std::string> labels{};
    double value = 0;
    double timestamp = 0;

    /// NaN equals NaN: only its arrival matters.
    friend bool operator==(const Series& a, const Series& b) {
        return a.labels == b.labels &&
               std::bit_cast<std::uint64_t>(a.value) == std::bit_cast<std::uint64_t>(b.value) &&
               a.timestamp == b.timestamp;
    }
};

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
               info->skipped == other.info->skipped;
    }
};

inline const std::vector<std::string>& wanted_labels() {
    static const std::vector<std::string> names{"namespace", "model_name", "pod"};
    return names;
}

/// Decodes an answer that arrives in these pieces.
inline Decoded decode_pieces(std::span<const std::string_view> pieces,
                             const AnswerLimits& limits = {}) {
    Decoded decoded;
    const auto collect = [&](const SeriesView& series) {
        decoded.series.push_back(
            Series{{series.labels.begin(), series.labels.end()}, series.value, series.timestamp});
    };
    AnswerDecoder decoder(wanted_labels(), limits, collect);
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
