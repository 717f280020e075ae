// SPDX-License-Identifier: Apache-2.0
//
// Series are read by a scanner or by Boost.JSON's parser. Nobody may notice by which.
#include "support/parser_alone.hpp"
#include "support/property_cases.hpp"
#include "unit/prometheus/answer_fixture.hpp"
#include "unit/prometheus/raw_answers.hpp"

#include <catch2/catch_all.hpp>

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

using namespace wva_metrics;
using namespace wva_metrics::prometheus;
using namespace wva_metrics::prometheus::testing;

namespace {

/// Decodes an answer whose pieces have memory of their own, each freed before the next comes.
template <typename Decoder, typename Collect>
Decoded decode_freed(Decoder& decoder, Collect& collected, std::string_view body,
                     const std::vector<std::size_t>& cuts) {
    std::size_t begin = 0;
    for (const std::size_t end : cuts) {
        decoder.write(std::string(body.substr(begin, end - begin)));
        begin = end;
    }
    const Result<AnswerInfo> result = decoder.finish(std::string(body.substr(begin)), 200);
    Decoded decoded{collected.series, {}, {}};
    if (result)
        decoded.info = *result;
    else
        decoded.error = result.error();
    return decoded;
}

/// Counts what it has read.
class CountingScanner : public prometheus::detail::SeriesScanner {
public:
    using SeriesScanner::SeriesScanner;

    std::size_t read(std::string_view text, std::size_t max_samples) {
        const std::size_t size = SeriesScanner::read(text, max_samples);
        scanned += size > 0 ? 1U : 0U;
        return size;
    }

    static inline std::size_t scanned = 0;
};

struct CollectSeries {
    std::vector<Series> series{};

    void operator()(const SeriesView& view) { series.push_back(copy_of(view)); }
};

/// Requires that the answer, cut at these places, gives the same with the scanner and without: every
/// series that was handed out, even if the answer is rejected later, and every word of the error.
/// Returns whether it was accepted.
bool require_no_difference(std::string_view body, const std::vector<std::size_t>& cuts = {},
                           const AnswerLimits& limits = {}) {
    CollectSeries of_scanner;
    const auto collect = [&](const SeriesView& view) { of_scanner(view); };
    AnswerDecoder scanning(limits, collect);
    const Decoded scanned = decode_freed(scanning, of_scanner, body, cuts);
    CollectSeries of_parser;
    test_support::ParserAlone<CollectSeries> alone(limits, of_parser);
    const Decoded parsed = decode_freed(alone, of_parser, body, cuts);
    INFO(body);
    INFO("scanned: " << scanned.error.message << ", parsed: " << parsed.error.message);
    REQUIRE(scanned.same_as(parsed));
    REQUIRE(scanned.series == parsed.series);
    REQUIRE(scanning.api_error() == alone.api_error());
    return parsed.ok();
}

std::vector<std::size_t> random_cuts(RawAnswers& random, std::size_t size) {
    std::vector<std::size_t> cuts(random.below(6));
    for (std::size_t& cut : cuts)
        cut = random.below(size + 1);
    std::ranges::sort(cuts);
    return cuts;
}

AnswerLimits random_limits(RawAnswers& random) {
    AnswerLimits limits;
    if (random.below(2) == 0)
        return limits;
    limits.max_series = 1 + random.below(8);
    limits.max_samples_per_series = 1 + random.below(4);
    limits.max_samples = 1 + random.below(24);
    limits.max_labels = 1 + random.below(6);
    limits.max_label_name_bytes = 4 + random.below(10);
    limits.max_label_value_bytes = 1 + random.below(24);
    limits.max_value_bytes = 32;
    limits.max_depth = 4 + random.below(8);
    return limits;
}

/// Changes, inserts, removes, repeats or cuts off some bytes.
void corrupt(RawAnswers& random, std::string& body) {
    const std::string_view alphabet = "{}[]\",:0123456789.eE-\\ntu \x01\x7f\xc3\xff";
    const std::size_t at = random.below(body.size());
    const char byte = alphabet[random.below(alphabet.size())];
    switch (random.below(6)) {
    case 0:
    case 1:
        body[at] = byte;
        break;
    case 2:
        body.insert(at, 1, byte);
        break;
    case 3:
        body.erase(at, 1 + random.below(3));
        break;
    case 4:
        body.insert(random.below(body.size()), std::string(body, at, 1 + random.below(60)));
        break;
    default:
        if (random.below(4) == 0)
            body.resize(at + 1);
        else
            body.insert(at, R"({"metric":{"a":"b"},"value":[1,"2"]},)");
        break;
    }
}

} // namespace

TEST_CASE("whether the scanner or the parser reads a series makes no difference") {
    RawAnswers answers(20261129);
    const unsigned rounds = test_support::property_cases(4000);
    std::size_t accepted = 0;
    for (unsigned round = 0; round < rounds; ++round) {
        const std::string body = answers.next(round % 2 == 0 ? 5 : 40);
        accepted += require_no_difference(body) ? 1U : 0U;
        require_no_difference(body, random_cuts(answers, body.size()), random_limits(answers));
        INFO(body);
        // In pieces of one byte, no series is complete in a piece.
        REQUIRE(decode(body).same_as(decode_in_steps(body, 1)));
    }
    CHECK(accepted > rounds * 3 / 8);
    CHECK(accepted < rounds * 19 / 20);
}

TEST_CASE("a corrupted answer is rejected by scanner and parser in the same words") {
    RawAnswers answers(4);
    const unsigned rounds = test_support::property_cases(8000);
    std::size_t accepted = 0;
    for (unsigned round = 0; round < rounds; ++round) {
        std::string body = answers.next(0);
        for (std::size_t i = 0, changes = 1 + answers.below(2); i < changes; ++i)
            corrupt(answers, body);
        accepted += require_no_difference(body) ? 1U : 0U;
        require_no_difference(body, random_cuts(answers, body.size()), random_limits(answers));
        INFO(body);
        // Which of several errors is found first may depend on where the text is cut.
        REQUIRE(decode(body).ok() == decode_in_steps(body, 1).ok());
    }
    CHECK(accepted > rounds / 20);
    CHECK(accepted < rounds / 2);
}

TEST_CASE("an answer that is cut at any byte is the same with the scanner and without") {
    RawAnswers answers(5);
    for (unsigned round = 0; round < test_support::property_cases(20); ++round) {
        std::string body = answers.next(round % 2 == 0 ? 0 : 40);
        if (round % 3 == 2)
            corrupt(answers, body);
        for (std::size_t at = 0; at <= body.size(); ++at) {
            require_no_difference(body, {at});
            require_no_difference(body, {at, std::min(at + 1, body.size())});
            require_no_difference(std::string_view(body).substr(0, at));
        }
    }
}

TEST_CASE("what looks like a series is not scanned where none can begin") {
    const std::string one = R"({"metric":{"a":"b"},"value":[1,"2"]})";
    const std::string other = R"({"metric":{"a":"c"},"value":[1,"2"]})";
    for (const std::string& result :
         {"[" + one + ",\"x," + other + "]", "[" + one + ",\"x," + other + "\"]",
          "[\"x," + one + "]", "[\"x[" + one + ",\"]", "[[" + one + "]]", "[1," + one + "]",
          "[1,\"2\"," + one + "]", "[null," + one + "]", "[" + one + ",null," + other + "]",
          "[" + one + ",]", "[," + one + "]", "[" + one + ",," + other + "]",
          "[" + one + other + "]", "[" + one + "," + one + "]", "{\"x\":[" + one + "]}",
          "[" + one + "," + other + ",null]", "[" + one}) {
        const std::string body = success("vector", result);
        CHECK_FALSE(require_no_difference(body));
        for (std::size_t at = 0; at <= body.size(); ++at)
            require_no_difference(body, {at});
    }
    const std::string skipped = R"({"x":[)" + one + "," + one + R"(],"status":"success","data":)" +
                                R"({"y":[)" + one + R"(],"resultType":"vector","result":[)" + one +
                                "]}}";
    CHECK(require_no_difference(skipped));
    CHECK(decode(skipped).series.size() == 1);
}

TEST_CASE("every ordinary series is scanned, the first too, unless it is cut") {
    const auto scanned_of = [](std::string_view body, const std::vector<std::size_t>& cuts) {
        CollectSeries collected;
        test_support::DecoderWith<CountingScanner, CollectSeries> decoder({}, collected);
        CountingScanner::scanned = 0;
        CHECK(decode_freed(decoder, collected, body, cuts).ok());
        return CountingScanner::scanned;
    };
    const std::string one = R"({"metric":{"a":"b"},"values":[[1,"2"],[2,"3"]]})";
    // Its first label is the last of the series before.
    const std::string two = R"({"metric":{"a":"b","d":"e"},"values":[[1,"2"]]})";
    const std::string three = R"({"metric":{},"values":[[1,"2"]]})";
    CHECK(scanned_of(success("matrix", "[" + one + "]"), {}) == 1);
    const std::string body = success("matrix", "[" + one + "," + two + "," + three + "]");
    CHECK(scanned_of(body, {}) == 3);
    const std::size_t begin = body.find(two);
    CHECK(scanned_of(body, {begin}) == 3);
    CHECK(scanned_of(body, {begin + 1}) == 2);
    CHECK(scanned_of(body, {begin + two.size() - 1}) == 2);
    CHECK(scanned_of(body, {begin + 1, begin + 2}) == 2);
    const std::string odd = R"({"metric":{"a":"\u0062"},"values":[[1,"2"]]})";
    CHECK(scanned_of(success("matrix", "[" + odd + "," + two + "," + three + "]"), {}) == 2);
    CHECK(scanned_of(success("matrix", "[" + two + "," + odd + "," + three + "]"), {}) == 2);
}
