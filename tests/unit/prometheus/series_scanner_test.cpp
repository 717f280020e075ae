// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/prometheus/detail/series_scanner.hpp"

#include "unit/prometheus/answer_fixture.hpp"

#include <catch2/catch_all.hpp>

#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

using namespace wva_metrics;
using namespace wva_metrics::prometheus;
using namespace wva_metrics::prometheus::testing;
using namespace std::chrono_literals;
using prometheus::detail::Member;
using prometheus::detail::SeriesScanner;

namespace {

constexpr std::size_t any_number = 1000;

std::string raw_series(const std::string& labels, const std::string& samples) {
    return R"({"metric":{)" + labels + "}," + samples + "}";
}

/// In pieces of one byte, no series is complete in one piece, so the scanner reads none.
Decoded decode_by_parser(std::string_view body, const AnswerLimits& limits = {}) {
    return decode_in_steps(body, 1, limits);
}

} // namespace

TEST_CASE("a series is scanned as Prometheus writes it, and what follows is left") {
    SeriesScanner scanner{AnswerLimits{}};
    const std::string first = raw_series(R"("__name__":"up","pod":"a")",
                                         R"("values":[[1700000000.25,"1"],[1700000015,"2.5"]])");
    const std::string with_end = first + "]}}"; // The labels point into it.
    CHECK(scanner.read(with_end, any_number) == first.size());
    REQUIRE(scanner.labels().size() == 2);
    CHECK(scanner.labels()[0].name == "__name__");
    CHECK(scanner.labels()[1].value == "a");
    CHECK(scanner.member() == Member::values);
    REQUIRE(scanner.samples().size() == 2);
    CHECK(scanner.samples()[0] == samples::Sample{samples::ServerTime(1'700'000'000'250ms), 1});
    CHECK(scanner.samples()[1] == samples::Sample{samples::ServerTime(1'700'000'015s), 2.5});

    const auto hash = scanner.hash();
    const std::string second = raw_series(R"("__name__":"up")", R"("value":[5,"-Inf"])");
    CHECK(scanner.read(second, any_number) == second.size());
    CHECK(scanner.labels().size() == 1);
    CHECK(scanner.member() == Member::value);
    CHECK_FALSE(scanner.hash() == hash);
    const std::string third = raw_series("", R"("value":[0,"0"])");
    CHECK(scanner.read(third, any_number) == third.size());
    CHECK(scanner.labels().empty());
    CHECK(scanner.read(first, any_number) == first.size());
    CHECK(scanner.hash() == hash);
}

TEST_CASE("a series that is written otherwise, incomplete or wrong is not scanned") {
    const std::string labels = R"("a":"b")";
    const std::string value = R"("value":[1,"2"])";
    std::vector<std::string> refused{
        "," + raw_series(labels, value),
        raw_series(R"("a" :"b")", value),
        raw_series(R"("a":"b",)", value),
        raw_series(R"("a":"b","a":"c")", value),
        raw_series(R"("a":"b","c":"d","a":"e")", value),
        raw_series(R"("a":"\n")", value),
        raw_series(R"("\u0061":"b")", value),
        raw_series("\"a\":\"\u00e9\"", value),
        raw_series("\"a\":\"\xff\"", value),
        raw_series("\"a\":\"12345678\x1f\"", value),
        raw_series("\"a\":\"\x7f\"", value),
        raw_series(R"("a":7)", value),
        raw_series(labels, R"("value":["1","2"])"),
        raw_series(labels, R"("value":[1,2])"),
        raw_series(labels, R"("value":[1,"x"])"),
        raw_series(labels, R"("value":[1,""])"),
        raw_series(labels, R"("value":[1,"2",3])"),
        raw_series(labels, R"("values":[])"),
        raw_series(labels, R"("values":[[2,"1"],[1,"1"]])"),
        raw_series(labels, R"("values":[[2,"1"],[2,"1"]])"),
        raw_series(labels, R"("values":[[2,"1"],])"),
        raw_series(labels, R"("histogram":[1,{"count":"1","sum":"1"}])"),
        raw_series(labels, value + R"(,"histogram":[1,{"count":"1","sum":"1"}])"),
    };
    for (const char* time :
         {"-1", "01", "00", "1.", ".5", "1e3", "1.2345", "17000000000", "1 ", ""})
        refused.push_back(raw_series(labels, "\"value\":[" + std::string(time) + ",\"2\"]"));
    SeriesScanner scanner{AnswerLimits{}};
    for (const std::string& text : refused) {
        INFO(text);
        CHECK(scanner.read(text, any_number) == 0);
    }
    const std::string good = raw_series(labels, R"("values":[[1,"2"],[2,"0.5"]])");
    for (std::size_t size = 0; size < good.size(); ++size)
        CHECK(scanner.read(std::string_view(good).substr(0, size), any_number) == 0);
    CHECK(scanner.read(good, 2) == good.size());
    CHECK(scanner.read(good, 1) == 0);
    scanner.forget();
    CHECK(scanner.read(raw_series(labels, value), 0) == 0);
}

TEST_CASE("a refused series does not change how the next is read") {
    SeriesScanner scanner{AnswerLimits{}};
    const std::string good = raw_series(R"("a":"1","b":"2")", R"("value":[1,"2"])");
    REQUIRE(scanner.read(good, any_number) == good.size());
    const auto hash = scanner.hash();
    for (const std::string& bad : {raw_series(R"("b":"1","b":"2")", R"("value":[1,"2"])"),
                                   raw_series(R"("a":"3","b":"\n")", R"("value":[1,"2"])"),
                                   raw_series(R"("c":"3")", R"("value":[1,"x"])")}) {
        REQUIRE(scanner.read(bad, any_number) == 0);
        REQUIRE(scanner.read(good, any_number) == good.size());
        CHECK(scanner.hash() == hash);
        CHECK(scanner.labels()[0].name == "a");
        CHECK(scanner.labels()[1].value == "2");
    }
}

TEST_CASE("a scanned series must match the type of the result") {
    const std::string instant = R"({"metric":{"a":"1"},"value":[1,"2"]})";
    const std::string range = R"({"metric":{"a":"2"},"values":[[1,"2"]]})";
    for (const char* type : {"vector", "matrix"}) {
        CHECK(decode(success(type, "[" + instant + "," + range + "]")).code() ==
              Errc::bad_response);
        CHECK(decode(success(type, "[" + range + "," + instant + "]")).code() ==
              Errc::bad_response);
    }
}

TEST_CASE("a comma too many or too few between series is an error") {
    const auto series = [](const std::string& label) {
        return R"({"metric":{"a":")" + label + R"("},"value":[1,"2"]})";
    };
    const std::string begin =
        R"({"status":"success","data":{"resultType":"vector","result":[)" + series("1");
    for (const auto& [first, rest] : std::vector<std::pair<std::string, std::string>>{
             {",", "," + series("2")},
             {",", "," + series("2") + series("3")}, // As many commas as there should be.
             {"", series("2")},
             {"", "," + series("2") + series("3")},
             {"", "," + series("2") + ","}}) {
        INFO(first << " / " << rest);
        AnswerDecoder decoder(AnswerLimits{}, [](const SeriesView&) {});
        CHECK(decoder.write(begin + first));
        const std::string end = rest + "]}}";
        CHECK(decoder.finish(end).has_error());
    }
}

TEST_CASE("each bound holds for series that could be scanned") {
    const std::string body = success(
        "matrix",
        R"([{"metric":{"a":"1"},"values":[[1,"1"]]},)"
        R"({"metric":{"a":"12345","b_long":"2"},"values":[[1,"1"],[2,"1"],[3,"1.00000001"]]}])");
    struct Case {
        std::string name;
        std::size_t AnswerLimits::*bound;
        std::size_t enough;
    };
    for (const auto& [name, bound, enough] :
         {Case{"max_series", &AnswerLimits::max_series, 2},
          Case{"max_samples_per_series", &AnswerLimits::max_samples_per_series, 3},
          Case{"max_samples", &AnswerLimits::max_samples, 4},
          Case{"max_labels", &AnswerLimits::max_labels, 2},
          Case{"max_label_name_bytes", &AnswerLimits::max_label_name_bytes, 6},
          Case{"max_label_value_bytes", &AnswerLimits::max_label_value_bytes, 5},
          Case{"max_value_bytes", &AnswerLimits::max_value_bytes, 10},
          Case{"max_depth", &AnswerLimits::max_depth, 6}}) {
        INFO(name);
        AnswerLimits limits;
        limits.*bound = enough;
        CHECK(decode(body, limits).ok());
        limits.*bound = enough - 1;
        const Decoded refused = decode(body, limits);
        CHECK(refused.code() == Errc::too_large);
        CHECK_THAT(refused.error.message,
                   Catch::Matchers::ContainsSubstring("answer." + name + " = " +
                                                      std::to_string(enough - 1)));
        CHECK(refused.same_as(decode_by_parser(body, limits)));
    }
}
