// SPDX-License-Identifier: Apache-2.0
#include "unit/prometheus/answer_fixture.hpp"

#include <boost/json/serialize.hpp>
#include <boost/json/string.hpp>

#include <catch2/catch_all.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <random>
#include <string>
#include <string_view>
#include <vector>

using namespace wva_metrics;
using namespace wva_metrics::prometheus;
using namespace wva_metrics::prometheus::testing;

namespace {

/// Generates answers whose series are sometimes like the previous one and sometimes not, in
/// everything that a decoder might predict.
class Generator {
public:
    explicit Generator(unsigned seed) : random_(seed) {}

    std::size_t below(std::size_t bound) {
        return std::uniform_int_distribution<std::size_t>(0, bound - 1)(random_);
    }

    /// Appends the expected series to `expected`.
    std::string answer(std::size_t series, std::vector<Series>& expected) {
        std::string result;
        std::vector<std::string> names = new_names();
        std::string time = new_time();
        for (std::size_t i = 0; i < series; ++i) {
            if (below(3) == 0)
                change(names);
            if (below(3) == 0)
                time = new_time();
            result += (i > 0 ? "," : "[") + one(names, time, expected);
        }
        return success("vector", result + "]");
    }

private:
    std::string one(const std::vector<std::string>& names, const std::string& time,
                    std::vector<Series>& expected) {
        LabelTexts labels;
        std::string metric;
        const auto add = [&](const std::string& name, const std::string& value) {
            labels.emplace_back(name, value);
            metric += (metric.empty() ? "" : ",") + written(name) + ":" + written(value);
        };
        for (const std::string& name : names)
            add(name, new_text());
        add("number", std::to_string(expected.size())); // No two series are the same.
        const double number = static_cast<double>(below(1000)) / 8;
        const std::string value = "\"" + std::to_string(number) + "\"";
        expected.push_back(series_of(labels, number, std::stod(time)));
        return R"({"metric":{)" + metric + R"(},"value":[)" + time + "," + value + "]}";
    }

    /// Some with similar names, sometimes many.
    std::vector<std::string> new_names() {
        std::vector<std::string> names = {"namespace", "model_name",      "pod", "pods",
                                          "po",        "model_nam\u00e9", "",    "instance"};
        for (std::size_t i = 0, more = below(4) == 0 ? 20 : 0; i < more; ++i)
            names.push_back("label_" + std::to_string(i));
        std::ranges::shuffle(names, random_);
        return names;
    }

    void change(std::vector<std::string>& names) {
        switch (below(4)) {
        case 0:
            names = new_names();
            break;
        case 1:
            if (!names.empty())
                names.erase(names.begin() + static_cast<std::ptrdiff_t>(below(names.size())));
            break;
        case 2:
            if (names.size() > 1)
                std::swap(names[below(names.size())], names[below(names.size())]);
            break;
        default:
            std::rotate(names.begin(),
                        names.begin() + static_cast<std::ptrdiff_t>(names.size() / 2), names.end());
            break;
        }
    }

    std::string new_time() {
        constexpr std::array<const char*, 6> times{
            "1700000000.123",        "1700000000.124", "1700000000", "1.7e9", "0",
            "1700000000.12300000001"};
        return times[below(times.size())];
    }

    std::string new_text() {
        constexpr std::array<std::string_view, 8> parts{
            "pod", "a-rather-long-part-of-a-name", "\"", "\\", "\n", "\u00e9", "\U0001F600",
            "{,:]"};
        std::string text;
        for (std::size_t i = 0, count = below(5); i < count; ++i)
            text += parts[below(parts.size())];
        return text;
    }

    /// As JSON, sometimes with redundant escapes.
    std::string written(std::string_view text) {
        std::string json = boost::json::serialize(boost::json::string(text));
        if (json.size() > 2 && json[1] == 'p' && below(3) == 0)
            json.replace(1, 1, "\\u0070");
        return json;
    }

    std::mt19937 random_;
};

/// Decodes a complete answer.
Decoded decode_at_once(std::string_view body) {
    Decoded decoded;
    Result<AnswerInfo> result = decode_answer(
        body, {}, [&](const SeriesView& series) { decoded.series.push_back(copy_of(series)); });
    if (result)
        decoded.info = *result;
    else
        decoded.error = result.error();
    return decoded;
}

} // namespace

TEST_CASE("the result for a series does not depend on the series before it") {
    Generator generator(20241125);
    for (int round = 0; round < 300; ++round) {
        std::vector<Series> expected;
        const std::string body = generator.answer(1 + generator.below(20), expected);
        INFO(body);
        const Decoded whole = decode_at_once(body);
        REQUIRE(whole.ok());
        REQUIRE(whole.series == expected);
        REQUIRE(decode_in_steps(body, 1 + generator.below(64)).same_as(whole));
    }
}

TEST_CASE("series that differ are decoded the same wherever the answer is split") {
    Generator generator(7);
    for (int round = 0; round < 10; ++round) {
        std::vector<Series> expected;
        const std::string body = generator.answer(4, expected);
        INFO(body);
        for (std::size_t at = 0; at <= body.size(); ++at) {
            // Each piece has its own memory, which is freed before the next piece.
            Decoded decoded;
            AnswerDecoder decoder(AnswerLimits{}, [&](const SeriesView& series) {
                decoded.series.push_back(copy_of(series));
            });
            decoder.write(std::string(body, 0, at));
            REQUIRE(decoder.finish(std::string(body, at)).has_value());
            REQUIRE(decoded.series == expected);
        }
    }
}

TEST_CASE("a complete answer is refused with the same error as one that arrives in pieces") {
    Generator generator(3);
    std::vector<Series> ignored;
    const std::string body = generator.answer(3, ignored);
    for (std::size_t length = 0; length <= body.size(); ++length) {
        const std::string_view part = std::string_view(body).substr(0, length);
        INFO(part);
        REQUIRE(decode_at_once(part).same_as(decode(part)));
    }
    const std::string_view alphabet = "{}[]\",:0.eE-\\utfn \x01\xc3\xff";
    for (std::size_t at = 0; at < body.size(); ++at) {
        for (const char changed : alphabet) {
            std::string broken = body;
            broken[at] = changed;
            INFO(broken);
            REQUIRE(decode_at_once(broken).same_as(decode(broken)));
            broken.resize(at + 1);
            INFO(broken);
            REQUIRE(decode_at_once(broken).same_as(decode(broken)));
        }
    }
}
