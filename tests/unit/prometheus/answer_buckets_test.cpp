// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/prometheus/answer_decoder.hpp"

#include <catch2/catch_all.hpp>

#include <cstddef>
#include <limits>
#include <string>
#include <vector>

namespace wva_metrics::prometheus::answer_buckets {

using samples::ListedBucket;

namespace {

struct ListedSeriesCopy {
    std::vector<std::size_t> sizes{};
    std::vector<ListedBucket> buckets{};
};

struct DecodedBuckets {
    std::vector<ListedSeriesCopy> series{};
    std::string problem{};
    bool is_too_large = false;
};

/// In pieces of so many bytes.
DecodedBuckets decode_buckets(const std::string& body, std::size_t piece = 1 << 20,
                              const AnswerLimits& limits = {}) {
    DecodedBuckets decoded;
    auto sink = [&decoded](const SeriesView& series) {
        ListedSeriesCopy& copy = decoded.series.emplace_back();
        for (const HistogramSample& sample : series.histograms)
            copy.sizes.push_back(sample.buckets);
        copy.buckets.assign(series.buckets.begin(), series.buckets.end());
    };
    AnswerDecoder<decltype(sink)> decoder(limits, sink);
    for (std::size_t at = 0; at < body.size(); at += piece)
        decoder.write(std::string(body.substr(at, piece)));
    const Result<AnswerInfo> info = decoder.finish();
    if (info.has_error()) {
        decoded.problem = info.error().message;
        decoded.is_too_large = info.error().is(Errc::too_large);
    }
    return decoded;
}

std::string matrix_of(const std::string& histograms) {
    return R"({"status":"success","data":{"resultType":"matrix","result":[)"
           R"({"metric":{"pod":"p"},"histograms":[)" +
           histograms + "]}]}}";
}

const std::string zero_and_two =
    R"([10,{"count":"5","sum":"1","buckets":[[3,"-0.5","0.5","1"],[0,"1","+Inf","4"]]}])";

} // namespace

TEST_CASE("the buckets of native histograms are decoded, wherever the answer is split") {
    const std::string body =
        matrix_of(zero_and_two + R"(,[20,{"count":"0","sum":"0"}],)" +
                  R"([30,{"buckets":[[1,"-2","-1","7"]],"count":"7",)" + R"("sum":"9"}])");
    constexpr double infinity = std::numeric_limits<double>::infinity();
    for (std::size_t piece = 1; piece < body.size(); ++piece) {
        CAPTURE(piece);
        const DecodedBuckets decoded = decode_buckets(body, piece);
        CHECK(decoded.problem.empty());
        REQUIRE(decoded.series.size() == 1);
        CHECK(decoded.series[0].sizes == std::vector<std::size_t>{2, 0, 1});
        CHECK(decoded.series[0].buckets ==
              std::vector<ListedBucket>{{-0.5, 0.5, 1, true}, {1, infinity, 4}, {-2, -1, 7}});
    }
}

TEST_CASE("the buckets of a native histogram that is there twice count once") {
    const DecodedBuckets decoded = decode_buckets(matrix_of(zero_and_two + "," + zero_and_two));
    CHECK(decoded.problem.empty());
    REQUIRE(decoded.series.size() == 1);
    CHECK(decoded.series[0].sizes == std::vector<std::size_t>{2});
    CHECK(decoded.series[0].buckets.size() == 2);
}

TEST_CASE("the buckets of one series are not those of the next") {
    const std::string second = R"({"metric":{"pod":"q"},"histograms":[)" + zero_and_two + "]}";
    std::string body = matrix_of(zero_and_two);
    body.insert(body.size() - 3, "," + second);
    const DecodedBuckets decoded = decode_buckets(body);
    CHECK(decoded.problem.empty());
    REQUIRE(decoded.series.size() == 2);
    CHECK(decoded.series[0].buckets == decoded.series[1].buckets);
}

TEST_CASE("a bucket of a native histogram that is written otherwise is rejected") {
    for (const char* buckets :
         {"7", "\"7\"", "{}", "null", "[7]", "[[]]", R"([[0,"1","2"]])", R"([[0,"1","2","3","4"]])",
          R"([["0","1","2","3"]])", R"([[4,"1","2","3"]])", R"([[00,"1","2","3"]])",
          R"([[0,1,2,3]])", R"([[0,"x","2","3"]])", R"([[0,"1","2",{}]])",
          R"([[0,"1","2","3"],7])"}) {
        CAPTURE(buckets);
        const DecodedBuckets decoded = decode_buckets(
            matrix_of(R"([10,{"count":"5","sum":"1","buckets":)" + std::string(buckets) + "}]"));
        CHECK_FALSE(decoded.problem.empty());
        CHECK(decoded.series.empty());
    }
}

TEST_CASE("the buckets of one series are bounded") {
    AnswerLimits limits;
    limits.max_buckets_per_series = 2;
    CHECK(decode_buckets(matrix_of(zero_and_two), 100, limits).problem.empty());
    std::string later = zero_and_two;
    later.replace(1, 2, "20");
    const DecodedBuckets decoded =
        decode_buckets(matrix_of(zero_and_two + "," + later), 100, limits);
    CHECK(decoded.is_too_large);
    CHECK(decoded.problem.find("max_buckets_per_series") != std::string::npos);
}

} // namespace wva_metrics::prometheus::answer_buckets
