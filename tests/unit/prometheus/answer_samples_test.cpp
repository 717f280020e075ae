// SPDX-License-Identifier: Apache-2.0
#include "unit/prometheus/answer_fixture.hpp"

#include "wva_metrics/prometheus/answer_decoder.hpp"

#include <catch2/catch_all.hpp>

#include <chrono>
#include <cmath>
#include <string>
#include <utility>
#include <vector>

using namespace wva_metrics;
using namespace wva_metrics::prometheus;
using namespace wva_metrics::prometheus::testing;
using namespace std::chrono_literals;
using Catch::Matchers::ContainsSubstring;

TEST_CASE("a matrix is decoded to all samples of each series") {
    const Decoded decoded = decode(
        success("matrix", R"([{"metric":{"pod":"p1"},"values":[[10,"1"],[20.5,"2"],[30,"NaN"]]},
                      {"metric":{"pod":"p2"},"values":[]}])"));
    REQUIRE(decoded.ok());
    REQUIRE(decoded.series.size() == 1);
    const std::vector<samples::Sample>& found = decoded.series[0].samples;
    REQUIRE(found.size() == 3);
    CHECK(found[0] == samples::Sample{samples::ServerTime(10s), 1});
    CHECK(found[1] == samples::Sample{samples::ServerTime(20'500ms), 2});
    CHECK(found[2].time == samples::ServerTime(30s));
    CHECK(std::isnan(found[2].value));
    CHECK(decoded.info->skipped == 1);
}

TEST_CASE("times of one series that do not ascend are rejected") {
    for (const char* values :
         {R"([[10,"1"],[30,"3"],[20,"2"]])", R"([[10,"1"],[10,"2"]])", R"([[10,"1"],[10,"NaN"]])",
          R"([[10,"1"],[10.0004,"2"]])", R"([[10,"1"],[20,"1"],[10,"1"]])"}) {
        const Decoded decoded = decode(
            success("matrix", R"([{"metric":{"pod":"p1"},"values":)" + std::string(values) + "}]"));
        CHECK(decoded.code() == Errc::bad_response);
        CHECK_THAT(decoded.error.message,
                   ContainsSubstring("the times of data.result[0] do not ascend"));
    }
    CHECK(decode(success("matrix", R"([{"metric":{},"histograms":[[7,{"count":"3","sum":"1.5"}],)"
                                   R"([7,{"count":"4","sum":"1.5"}]]}])"))
              .code() == Errc::bad_response);
}

TEST_CASE("a sample that is there twice counts once") {
    const std::string histogram = R"([7,{"count":"3","sum":"1.5"}])";
    const Decoded decoded = decode(success(
        "matrix", R"([{"metric":{"pod":"p1"},"values":[[10,"1"],[10,"1"],[20,"NaN"],[20,"NaN"]]},)"
                  R"({"metric":{"pod":"p2"},"histograms":[)" +
                      histogram + "," + histogram + "]}]"));
    REQUIRE(decoded.ok());
    REQUIRE(decoded.series.size() == 2);
    CHECK(decoded.series[0].samples.size() == 2);
    CHECK(decoded.series[1].histograms.size() == 1);
}

TEST_CASE("of several values at one time the highest counts, if that is asked for") {
    const auto decoded_values = [](const std::string& values) {
        const std::string body =
            success("matrix", R"([{"metric":{"pod":"p1"},"values":)" + values + "}]");
        std::vector<samples::Sample> found;
        const auto keep = [&found](const SeriesView& series) {
            found.assign(series.samples.begin(), series.samples.end());
        };
        const auto info = decode_answer(body, {}, keep, 200, Conflict::highest);
        return info ? found : std::vector<samples::Sample>{};
    };
    const samples::ServerTime first(10s), second(20s);
    const std::vector<samples::Sample> expected{{first, 3}, {second, 4}};
    for (const char* values :
         {R"([[10,"3"],[10,"1"],[20,"4"]])", R"([[10,"1"],[10,"3"],[20,"4"]])",
          R"([[10,"1"],[10,"3"],[10,"2"],[20,"4"],[20,"4"]])", R"([[10,"3"],[20,"NaN"],[20,"4"]])",
          R"([[10,"3"],[20,"4"],[20,"NaN"]])"}) {
        INFO(values);
        CHECK(decoded_values(values) == expected);
    }
    CHECK(decoded_values(R"([[10,"1"],[30,"3"],[20,"2"]])").empty());
}

TEST_CASE("a native histogram is decoded to its count and its sum") {
    const std::string histogram =
        R"([1700000000,{"count":"3","sum":"1.5","buckets":[[0,"0.5","1","2"],[0,"1","2","1"]]}])";
    const HistogramSample expected{samples::ServerTime(1'700'000'000s), 3, 1.5};
    const Series alone{{{"pod", "h"}}, {}, {expected}};
    const Decoded vector =
        decode(success("vector", R"([{"metric":{"pod":"h"},"histogram":)" + histogram +
                                     R"(},{"metric":{"pod":"f"},"value":[1,"2"]}])"));
    REQUIRE(vector.ok());
    CHECK(vector.series == std::vector{alone, series_of({{"pod", "f"}}, 2, 1)});
    CHECK(vector.info->skipped == 0);

    const Decoded matrix = decode(
        success("matrix", R"([{"metric":{"pod":"h"},"histograms":[)" + histogram +
                              R"(]},{"metric":{"pod":"b"},"values":[[1,"2"]],"histograms":[)" +
                              histogram + "]}]"));
    REQUIRE(matrix.ok());
    Series both = series_of({{"pod", "b"}}, 2, 1);
    both.histograms = {expected};
    CHECK(matrix.series == std::vector{alone, both});
}

TEST_CASE("a native histogram without a count or a sum, or with other types, is rejected") {
    for (const char* body :
         {R"({"count":"3"})", R"({"sum":"3"})", R"({})", R"({"count":3,"sum":"1"})",
          R"({"count":"3","count":"3","sum":"1"})", R"({"count":"x","sum":"1"})",
          R"({"count":null,"sum":"1"})", R"("3")", R"([])", "7", "null"}) {
        INFO(body);
        const std::string pair = "[5," + std::string(body) + "]";
        CHECK(decode(success("vector", R"([{"metric":{},"histogram":)" + pair + "}]")).code() ==
              Errc::bad_response);
        CHECK(decode(success("matrix", R"([{"metric":{},"histograms":[)" + pair + "]}]")).code() ==
              Errc::bad_response);
    }
    for (const char* pair : {"[5]", R"([{"count":"3","sum":"1"}])",
                             R"([5,{"count":"3","sum":"1"},6])", R"({"count":"3","sum":"1"})"}) {
        INFO(pair);
        CHECK(decode(success("vector", R"([{"metric":{},"histogram":)" + std::string(pair) + "}]"))
                  .code() == Errc::bad_response);
    }
}

TEST_CASE("an answer that holds a series twice is rejected, in whatever order its labels are") {
    const std::string first = R"({"pod":"p","engine":"0"})";
    for (const auto& [second, is_same] : {std::pair(R"({"pod":"p","engine":"0"})", true),
                                          {R"({"engine":"0","pod":"p"})", true},
                                          {R"({"pod":"0","engine":"p"})", false},
                                          {R"({"pod":"p","engine":"1"})", false},
                                          {R"({"pod":"p"})", false}}) {
        INFO(second);
        const auto result = [&, labels = second](const std::string& value) {
            return "[{\"metric\":" + first + "," + value + "},{\"metric\":" + labels + "," + value +
                   "}]";
        };
        for (const Decoded& decoded :
             {decode(success("vector", result(R"("value":[5,"6"])"))),
              decode(success("matrix", result(R"("values":[[5,"6"]])")))}) {
            CHECK(decoded.ok() != is_same);
            if (is_same)
                CHECK_THAT(decoded.error.message, ContainsSubstring("holds a series twice"));
        }
    }
}
