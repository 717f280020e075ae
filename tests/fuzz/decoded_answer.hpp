// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/prometheus/answer_decoder.hpp"

#include "fuzz/properties.hpp"
#include "support/parser_alone.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/parse_options.hpp>
#include <boost/json/value.hpp>

#include <bit>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace wva_metrics::fuzz {

/// A sample with the bits of its value, so that NaN equals itself.
struct DecodedSample {
    std::int64_t time = 0;
    std::uint64_t bits = 0;

    friend bool operator==(const DecodedSample&, const DecodedSample&) = default;
};

struct DecodedSeries {
    std::vector<std::pair<std::string, std::string>> labels;
    std::vector<DecodedSample> samples;
    std::size_t histograms = 0;

    friend bool operator==(const DecodedSeries&, const DecodedSeries&) = default;
};

/// All that a decoder made of an answer.
struct DecodedAnswer {
    std::vector<DecodedSeries> series;
    prometheus::AnswerInfo info;
    std::optional<Error> error;
    std::optional<prometheus::ApiError> api_error;

    std::string describe() const {
        return error ? error->describe() : std::to_string(series.size()) + " series";
    }
};

inline DecodedSeries copy_of(const prometheus::SeriesView& view) {
    DecodedSeries series;
    for (const samples::LabelView& label : view.labels)
        series.labels.emplace_back(label.name, label.value);
    for (const samples::Sample& sample : view.samples) {
        const auto since_epoch = sample.time.time_since_epoch();
        series.samples.push_back(
            {std::chrono::duration_cast<std::chrono::milliseconds>(since_epoch).count(),
             std::bit_cast<std::uint64_t>(sample.value)});
    }
    series.histograms = view.histograms.size();
    return series;
}

/// Decodes an answer that arrives in these pieces. The decoder's sink adds the series.
template <typename Decoder>
void decode_by(Decoder& decoder, std::vector<std::string> pieces, DecodedAnswer& answer) {
    bool wants_more = true;
    for (std::string& piece : pieces) {
        wants_more = wants_more && decoder.write(piece);
        std::string().swap(piece); // Nothing may refer to it any more.
    }
    Result<prometheus::AnswerInfo> info = decoder.finish({}, 200);
    answer.api_error = decoder.api_error();
    if (info) {
        answer.info = *std::move(info);
        expect(answer.series.size() == answer.info.series, "series are counted wrongly");
    } else {
        answer.error = info.error();
    }
}

/// Throws unless Boost.JSON's parser alone, without the scanner, comes to the same result: it hands
/// out the same series, even if the answer is rejected later, with the same words.
inline void check_against_parser(const DecodedAnswer& scanned,
                                 const std::vector<std::string>& pieces,
                                 const prometheus::AnswerLimits& limits) {
    DecodedAnswer parsed;
    auto keep = [&](const prometheus::SeriesView& view) { parsed.series.push_back(copy_of(view)); };
    test_support::ParserAlone<decltype(keep)> decoder(limits, keep);
    decode_by(decoder, pieces, parsed);
    expect(scanned.error == parsed.error,
           "the scanner says " + scanned.describe() + ", the parser " + parsed.describe());
    expect(scanned.series == parsed.series, "the scanner reads other series than the parser");
    expect(scanned.api_error == parsed.api_error, "the scanner finds another error of the API");
    expect(scanned.info.skipped == parsed.info.skipped && scanned.info.bytes == parsed.info.bytes &&
               scanned.info.warnings == parsed.info.warnings &&
               scanned.info.infos == parsed.info.infos,
           "the scanner finds other facts about the answer");
}

/// Decodes an answer that arrives in these pieces. Of a rejected one, the series are dropped, as a
/// user must do.
inline DecodedAnswer decode_pieces(const std::vector<std::string>& pieces,
                                   const prometheus::AnswerLimits& limits) {
    DecodedAnswer answer;
    auto keep = [&](const prometheus::SeriesView& view) { answer.series.push_back(copy_of(view)); };
    prometheus::AnswerDecoder<decltype(keep)> decoder(limits, keep);
    decode_by(decoder, pieces, answer);
    check_against_parser(answer, pieces, limits);
    if (answer.error)
        answer.series.clear();
    return answer;
}

/// The samples in `value` or `values` of a document, each once. Of several with the same time, the
/// decoder accepts only equal ones.
inline void add_model_sample(const boost::json::value& pair, std::vector<double>& seconds,
                             DecodedSeries& series) {
    const boost::json::array& both = pair.as_array();
    const double time = both.at(0).to_number<double>();
    const double value = std::strtod(both.at(1).as_string().c_str(), nullptr);
    const auto bits = std::bit_cast<std::uint64_t>(value);
    const auto milliseconds = std::llround(time * 1000);
    if (!series.samples.empty() && series.samples.back().time >= milliseconds - 1 &&
        std::llabs(series.samples.back().time - milliseconds) <= 1 && seconds.back() == time)
        return;
    seconds.push_back(time);
    series.samples.push_back({milliseconds, bits});
}

/// Throws unless the decoded series are those that Boost.JSON finds in the answer.
inline void check_against_document(const DecodedAnswer& answer, std::string_view body,
                                   const prometheus::AnswerLimits& limits) {
    boost::json::parse_options options;
    options.max_depth = limits.max_depth;
    options.numbers = boost::json::number_precision::precise;
    boost::system::error_code error;
    const boost::json::value document =
        boost::json::parse(body, error, boost::json::storage_ptr(), options);
    if (error == boost::json::error::exponent_overflow)
        return; // The decoder reads no numbers where it skips, and times as text.
    expect(!error, "what Boost.JSON rejects is accepted: " + error.message());

    const boost::json::object& data = document.at("data").as_object();
    expect(document.at("status").as_string() == "success", "an error is taken for an answer");
    const std::string_view type = data.at("resultType").as_string();
    const boost::json::array& result = data.at("result").as_array();
    if (type != "vector" && type != "matrix")
        return expect(answer.series.size() == (type == "scalar" ? 1U : 0U), "not one scalar");
    std::size_t next = 0;
    for (const boost::json::value& item : result) {
        DecodedSeries model;
        std::vector<double> seconds;
        for (const auto& [name, value] : item.at("metric").as_object())
            model.labels.emplace_back(std::string(name), std::string(value.as_string()));
        if (const boost::json::value* pair = item.as_object().if_contains("value"))
            add_model_sample(*pair, seconds, model);
        if (const boost::json::value* pairs = item.as_object().if_contains("values"))
            for (const boost::json::value& pair : pairs->as_array())
                add_model_sample(pair, seconds, model);
        const bool has_histogram =
            item.as_object().contains("histogram") ||
            (item.as_object().contains("histograms") && !item.at("histograms").as_array().empty());
        if (model.samples.empty() && !has_histogram)
            continue;
        expect(next < answer.series.size(), "a series is missing");
        const DecodedSeries& decoded = answer.series[next++];
        expect(decoded.labels == model.labels, "other labels than in the document");
        expect((decoded.histograms > 0) == has_histogram, "a histogram is missing");
        expect(decoded.samples.size() == model.samples.size(), "other samples than the document's");
        for (std::size_t i = 0; i < model.samples.size(); ++i) {
            expect(std::llabs(decoded.samples[i].time - model.samples[i].time) <= 1,
                   "another time");
            const auto is_nan = [](std::uint64_t bits) {
                return std::isnan(std::bit_cast<double>(bits));
            };
            expect(decoded.samples[i].bits == model.samples[i].bits ||
                       (is_nan(decoded.samples[i].bits) && is_nan(model.samples[i].bits)),
                   "another value");
        }
    }
    expect(next == answer.series.size(), "series that the document does not have");
}

} // namespace wva_metrics::fuzz
