// SPDX-License-Identifier: Apache-2.0
#include "unit/prometheus/answer_fixture.hpp"

#include "wva_metrics/prometheus/answer_decoder.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

#include <catch2/catch_all.hpp>

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <random>
#include <string>
#include <string_view>
#include <vector>

using namespace wva_metrics;
using namespace wva_metrics::prometheus;
using namespace wva_metrics::prometheus::testing;
using Catch::Matchers::ContainsSubstring;

namespace {

/// One answer of every kind, with everything that could be split at a bad place.
const std::vector<std::string>& answers() {
    static const std::vector<std::string> all{
        success(
            "vector",
            R"( [ {"metric":{"__name__":"vllm:x","pod":"a\u00e9\"\\/\ud83d\ude00é","namespace":"n"}, "value" : [ 1700000000.123 , "0.25" ] },)"
            R"({"value":[1.7E+9,"+Inf"],"histogram":[1,{"count":"4","buckets":[[0,"1","2","3"]],"sum":"2.5"}],"metric":{"model_name":"x/y","pod":""}},)"
            R"({"metric":{"pod":"h"},"histogram":[12.5e-3,{"sum":"-0","count":"1"}]},{"metric":{},"value":[0,"NaN"]}] )"),
        success(
            "matrix",
            R"([{"metric":{"pod":"p"},"values":[[1,"1"],[20.5,"2e-3"],[30,"3"]],"histograms":[[1,{"count":"1","sum":"2"}],[2,{"sum":"3","count":"2"}]]},{"metric":{},"values":[]}])"),
        R"({"data":{"result":[1700000000,"-17.25"],"stats":{"a":[true,false,null,-0,1e5]},"resultType":"scalar"},"status":"success"})",
        success("string", R"([1.25,"text\n"])"),
        R"({"warnings":["w\u0001é","x"],"infos":["i"],"isPartial":true,"status":"success","data":{"resultType":"vector","result":[]}})"
        " \r\n\t ",
        R"({"status":"error","errorType":"execution","error":"query processing would load too many samples","data":null})",
        R"({"status":"success","data":{"resultType":"vector","result":[{"metric":{"pod":7},"value":[1,"2"]}]}})",
        R"({"status":"success","data":{"resultType":"vector","result":[{"metric":{},"value":[1,"2x"]}]}})",
        "<html><body>Sign in</body></html>",
    };
    return all;
}

} // namespace

TEST_CASE("an answer is decoded the same wherever it is split") {
    for (const std::string& body : answers()) {
        INFO(body);
        const Decoded whole = decode(body);
        for (std::size_t at = 0; at <= body.size(); ++at) {
            INFO("split at " << at);
            const std::vector<std::string_view> pieces{std::string_view(body).substr(0, at), "",
                                                       std::string_view(body).substr(at)};
            REQUIRE(decode_pieces(pieces).same_as(whole));
        }
        for (std::size_t step = 1; step <= 9; ++step)
            REQUIRE(decode_in_steps(body, step).same_as(whole));
    }
    CHECK(decode(answers()[0]).series.size() == 4);
}

TEST_CASE("an answer that is cut off is an error, wherever it is cut") {
    for (const std::string& body : answers()) {
        const std::string_view text(body);
        const std::size_t end = text.find_last_not_of(" \r\n\t") + 1;
        for (std::size_t length = 0; length < end; ++length) {
            INFO(text.substr(0, length));
            const Decoded decoded = decode(text.substr(0, length));
            REQUIRE_FALSE(decoded.ok());
            REQUIRE(decoded.code() == Errc::bad_response);
            REQUIRE(decode_in_steps(text.substr(0, length), 1).same_as(decoded));
        }
    }
    CHECK_THAT(decode(answers()[0].substr(0, 30)).error.message,
               ContainsSubstring("cut off after 30 bytes"));
    CHECK_THAT(decode("").error.message, ContainsSubstring("empty"));
}

TEST_CASE("after a refusal nothing more is decoded, and the reason is kept") {
    int calls = 0;
    AnswerDecoder decoder(AnswerLimits{}, [&](const SeriesView&) { ++calls; });
    CHECK(decoder.write(R"({"status":"success","data":{"resultType":"vector","result":[)"));
    CHECK(decoder.write(R"({"metric":{},"value":[1,"2"]},)"));
    CHECK_FALSE(decoder.write(R"(7,)"));
    CHECK_FALSE(decoder.write(R"({"metric":{},"value":[1,"2"]}]}})"));
    CHECK_FALSE(decoder.write(""));
    const Result<AnswerInfo> result = decoder.finish();
    REQUIRE(result.has_error());
    CHECK_THAT(result.error().message,
               ContainsSubstring("data.result[1] is a number, not an object"));
    CHECK(calls == 1);
}

TEST_CASE("each bound holds, and the error names it") {
    const std::string body = success(
        "vector",
        R"([{"metric":{"pod":"1234567890","namespace":"n","x":"y"},"value":[1,"1.234567890123456789012345678901234567890"]},)"
        R"({"metric":{"name_of_a_label_nobody_asked_for":"v"},"value":[1,"2"]}])");
    struct Case {
        const char* name;
        std::size_t AnswerLimits::*bound;
        std::size_t enough;
    };
    for (const auto& [name, bound, enough] :
         {Case{"max_series", &AnswerLimits::max_series, 2},
          Case{"max_samples", &AnswerLimits::max_samples, 2},
          Case{"max_labels", &AnswerLimits::max_labels, 3},
          Case{"max_label_name_bytes", &AnswerLimits::max_label_name_bytes, 32},
          Case{"max_label_value_bytes", &AnswerLimits::max_label_value_bytes, 10},
          Case{"max_value_bytes", &AnswerLimits::max_value_bytes, 41},
          Case{"max_depth", &AnswerLimits::max_depth, 5}}) {
        INFO(name);
        AnswerLimits limits;
        limits.*bound = enough;
        CHECK(decode(body, limits).ok());
        limits.*bound = enough - 1;
        for (const std::size_t step : {std::size_t{1}, std::size_t{7}, body.size()}) {
            const Decoded refused = decode_in_steps(body, step, limits);
            CHECK(refused.code() == Errc::too_large);
            CHECK_THAT(refused.error.message,
                       ContainsSubstring("answer." + std::string(name) + " = " +
                                         std::to_string(enough - 1)));
        }
    }
}

TEST_CASE("values of 512 characters are accepted and longer ones are not") {
    const std::string longest = "0." + std::string(509, '0') + "1";
    CHECK(decode(vector_with_value('"' + longest + '"')).ok());
    CHECK(decode(vector_with_value('"' + longest + "0\"")).code() == Errc::too_large);
    CHECK(decode(success("scalar", "[1,\"" + longest + "\"]")).ok());
    CHECK(decode(success("scalar", "[1,\"" + longest + "0\"]")).code() == Errc::too_large);
}

TEST_CASE("warnings and infos are bounded in number and length, and the number of dropped ones is "
          "reported") {
    std::string notes = "[";
    for (int i = 0; i < 100; ++i)
        notes += (i > 0 ? "," : "") + ("\"" + std::to_string(i) + std::string(3000, 'x') + "\"");
    notes += "]";
    const std::string body =
        R"({"status":"success","data":{"resultType":"vector","result":[]},"warnings":)" + notes +
        R"(,"infos":)" + notes + "}";
    for (const std::size_t step : {std::size_t{100}, body.size()}) {
        const Decoded decoded = decode_in_steps(body, step);
        REQUIRE(decoded.ok());
        for (const std::vector<std::string>* kept :
             {&decoded.info->warnings, &decoded.info->infos}) {
            REQUIRE(kept->size() == 33);
            CHECK(kept->front().size() == 1024);
            CHECK_THAT(kept->back(),
                       ContainsSubstring("68 more were dropped (answer.max_warnings = 32)"));
        }
    }

    // Text is never cut within a character, here of 3 bytes.
    std::string euros;
    while (euros.size() < 2000)
        euros += "\u20ac";
    AnswerLimits limits;
    for (limits.max_warning_bytes = 16; limits.max_warning_bytes < 32; ++limits.max_warning_bytes) {
        const Decoded decoded = decode(
            R"({"status":"success","data":{"resultType":"vector","result":[]},"warnings":[")" +
                euros + "\"]}",
            limits);
        REQUIRE(decoded.ok());
        const std::string& warning = decoded.info->warnings.at(0);
        CHECK(warning.size() <= limits.max_warning_bytes);
        CHECK(warning.size() > limits.max_warning_bytes - 3);
        CHECK(warning.size() % 3 == 0);
        CHECK(warning.ends_with("\u20ac..."));
    }
}

TEST_CASE("nesting beyond the bound is refused, in known and in skipped members") {
    const std::string deep(1'000'000, '[');
    const std::string objects = [] {
        std::string text;
        for (int i = 0; i < 100'000; ++i)
            text += R"({"a":)";
        return text;
    }();
    for (const std::string& nested : {deep, objects}) {
        CHECK(decode(R"({"status":"success","extra":)" + nested).code() == Errc::too_large);
        CHECK_FALSE(decode(success("vector", nested)).ok());
        CHECK_FALSE(decode(nested).ok());
    }
    CHECK_THAT(decode(R"({"extra":)" + deep).error.message,
               ContainsSubstring("answer.max_depth = 32"));
}

TEST_CASE("a MiB of zeros is refused or skipped, but never stored") {
    std::string zeros = "[0";
    while (zeros.size() < std::size_t{1} << 20)
        zeros += ",0";
    zeros += "]";
    CHECK(decode(zeros).code() == Errc::bad_response);
    CHECK(decode(success("vector", zeros)).code() == Errc::bad_response);
    CHECK(decode(success("vector", R"([{"metric":{},"value":)" + zeros + "}]")).code() ==
          Errc::bad_response);
    CHECK(decode(success("matrix", R"([{"metric":{},"values":)" + zeros + "}]")).code() ==
          Errc::bad_response);
    CHECK(decode(R"({"warnings":)" + zeros + "}").code() == Errc::bad_response);
    CHECK(decode(R"({"stats":)" + zeros + "," + success("vector", "[]").substr(1)).ok());

    std::string empty_series = "[";
    for (int i = 0; i < 50'001; ++i)
        empty_series += std::string(i > 0 ? "," : "") + R"({"metric":{"x":")" + std::to_string(i) +
                        R"("},"values":[]})";
    const Decoded refused =
        decode(success("matrix", empty_series + "]"), AnswerLimits{.max_series = 50'000});
    CHECK(refused.code() == Errc::too_large);
    CHECK_THAT(refused.error.message, ContainsSubstring("answer.max_series = 50000"));

    const std::string long_text(std::size_t{1} << 20, 'x');
    CHECK(decode(R"({")" + long_text + R"(":1,)" + success("vector", "[]").substr(1)).ok());
    CHECK(decode(R"({"status":")" + long_text + R"("})").error.message.size() < 200);
    CHECK(decode(vector_with_value('"' + long_text + '"')).code() == Errc::too_large);
    CHECK(decode(success("vector", R"([{"metric":{"x":")" + long_text + R"("},"value":[1,"2"]}])"))
              .code() == Errc::too_large);
    CHECK(decode(success("vector", R"([{"metric":{")" + long_text + R"(":""},"value":[1,"2"]}])"))
              .code() == Errc::too_large);
    CHECK(decode(success("vector",
                         R"([{"metric":{},"value":[)" + std::string(1'000'000, '1') + R"(,"2"]}])"))
              .code() == Errc::too_large);
}

TEST_CASE("a corrupted answer is decoded only if it is valid JSON, and the same in pieces") {
    std::mt19937 random(20240607);
    const auto below = [&](std::size_t bound) {
        return std::uniform_int_distribution<std::size_t>(0, bound - 1)(random);
    };
    const std::string_view alphabet = "{}[]\",:0123456789.eE+-\\u\"\"tfn \x01\x7f\xc3\xa9\xff";
    std::size_t accepted = 0;
    for (int round = 0; round < 40'000; ++round) {
        std::string body = answers()[below(answers().size())];
        for (std::size_t change = 0, changes = 1 + below(3); change < changes && !body.empty();
             ++change) {
            const std::size_t at = below(body.size());
            const std::size_t length = std::min(body.size() - at, below(20));
            switch (below(6)) {
            case 0:
                body[at] = alphabet[below(alphabet.size())];
                break;
            case 1:
                body.insert(at, 1, alphabet[below(alphabet.size())]);
                break;
            case 2:
                body.erase(at, 1 + length);
                break;
            case 3:
                body.insert(below(body.size()), body.substr(at, length));
                break;
            case 4:
                std::swap(body[at], body[below(body.size())]);
                break;
            default:
                body[at] = static_cast<char>(below(256));
                break;
            }
        }
        const Decoded whole = decode(body);
        const Decoded pieces = decode_in_steps(body, 1 + below(16));
        boost::system::error_code invalid;
        boost::json::parse(body, invalid);
        // The parser's error message may depend on where the text is split.
        const bool is_same = invalid ? !pieces.ok() : whole.same_as(pieces);
        if (!is_same || (whole.ok() && invalid))
            FAIL("round " << round << ": " << body << " / " << whole.error.message << " / "
                          << pieces.error.message);
        accepted += whole.ok() ? 1U : 0U;
    }
    // Otherwise the test would prove nothing.
    CHECK(accepted > 500);
}

TEST_CASE("random answers are decoded to the series that they were made from") {
    std::mt19937 random(7);
    const auto below = [&](std::size_t bound) {
        return std::uniform_int_distribution<std::size_t>(0, bound - 1)(random);
    };
    const auto text = [&] {
        std::string made;
        const std::vector<std::string> parts{"a",          "b/c",  "\"", "\\", "\n", "\u00e9",
                                             "\U0001F600", "\x01", "{",  "]",  ","};
        for (std::size_t i = 0, n = below(12); i < n; ++i)
            made += parts[below(parts.size())];
        return made;
    };
    for (int round = 0; round < 500; ++round) {
        std::vector<Series> expected;
        boost::json::array result;
        for (std::size_t i = 0, n = below(6); i < n; ++i) {
            LabelTexts labels{{"number", std::to_string(i)}};
            boost::json::object metric{{"number", std::to_string(i)}};
            for (const std::string name : {"namespace", "model_name", "pod", "x1", "x2"}) {
                if (below(3) == 0)
                    continue;
                labels.emplace_back(name, text());
                metric[name] = labels.back().second;
            }
            const double value = std::uniform_real_distribution<double>(-1e6, 1e6)(random);
            const std::size_t timestamp = below(2'000'000'000);
            std::string written(32, '\0');
            written.resize(static_cast<std::size_t>(
                std::to_chars(written.data(), written.data() + written.size(), value).ptr -
                written.data()));
            const boost::json::array sample{static_cast<std::int64_t>(timestamp), written};
            boost::json::object one;
            if (below(2) > 0)
                one["value"] = sample;
            one["metric"] = metric;
            if (!one.contains("value"))
                one["value"] = sample;
            result.push_back(one);
            expected.push_back(series_of(labels, value, static_cast<double>(timestamp)));
        }
        const std::string body = success("vector", boost::json::serialize(result));
        const Decoded decoded = decode_in_steps(body, 1 + below(64));
        INFO(body);
        REQUIRE(decoded.ok());
        REQUIRE(decoded.series == expected);
    }
}
