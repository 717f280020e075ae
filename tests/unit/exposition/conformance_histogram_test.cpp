// SPDX-License-Identifier: Apache-2.0

#include "unit/exposition/checked_page.hpp"

#include <catch2/catch_all.hpp>

#include <initializer_list>
#include <string>
#include <string_view>

namespace wva_metrics::exposition {
namespace {

void check_histograms(std::string_view type, std::initializer_list<RefusedPage> pages) {
    for (const RefusedPage& one : pages) {
        INFO(type << '\n' << one.page);
        CHECK(strict_problem("# TYPE a " + std::string(type) + "\n" + std::string(one.page) +
                             "# EOF\n") == one.problem);
    }
}

TEST_CASE("both kinds of histograms have ascending cumulative buckets up to +Inf") {
    for (const std::string_view type : {"histogram", "gaugehistogram"})
        check_histograms(
            type,
            {
                {"", ""},
                {"a_bucket{le=\"+Inf\"} 0\n", ""},
                {"a_bucket{le=\"-1.0\"} 0\na_bucket{le=\"1.0\"} 1\na_bucket{le=\"+Inf\"} 3\n", ""},
                {"a_bucket{le=\"0\"} 0\na_bucket{le=\"0.00000000001\"} 0\na_bucket{le=\"1.1e-4\"} "
                 "0\n"
                 "a_bucket{le=\"1e+05\"} 0\na_bucket{le=\"100000000000.0\"} 0\n"
                 "a_bucket{le=\"+Inf\"} 3.0\n",
                 ""},
                {"a_bucket{x=\"1\",le=\"+Inf\"} 1\na_bucket{le=\"+Inf\",x=\"2\"} 0\n", ""},
                {"a_bucket{le=\"1\"} 1 1\na_bucket{le=\"+Inf\"} 2 1\na_bucket{le=\"1\"} 3 2\n"
                 "a_bucket{le=\"+Inf\"} 4 2\n",
                 ""},
                {"a_bucket 0\n", "2:1: the bucket has no label le"},
                {"a_bucket{le=\"\"} 0\n", "2:10: the label le is not a number"},
                {"a_bucket{le=\"x\"} 0\n", "2:10: the label le is not a number"},
                {"a_bucket{le=\"NaN\"} 0\n", "2:10: the label le is not a number"},
                {"a_bucket{le=\" 1\"} 0\n", "2:10: the label le is not a number"},
                {"a_bucket{le=\"+INF\"} 0\n", "2:10: infinity must be written +Inf"},
                {"a_bucket{le=\"Inf\"} 0\n", "2:10: infinity must be written +Inf"},
                {"a_bucket{le=\"-Inf\"} 0\n", "2:1: the histogram has no bucket le=\"+Inf\""},
                {"a_bucket{le=\"1\"} 0\n", "2:1: the histogram has no bucket le=\"+Inf\""},
                {"a_bucket{le=\"2\"} 0\na_bucket{le=\"1\"} 0\na_bucket{le=\"+Inf\"} 0\n",
                 "3:10: buckets must be in ascending order of le"},
                {"a_bucket{le=\"+Inf\"} 0\na_bucket{le=\"1\"} 0\n",
                 "3:10: buckets must be in ascending order of le"},
                {"a_bucket{le=\"1\"} 0\na_bucket{le=\"1.0\"} 0\n",
                 "3:10: the bucket is there already"},
                {"a_bucket{le=\"1\"} 1\na_bucket{le=\"2\"} 1\na_bucket{le=\"+Inf\"} 0\n",
                 "4:21: buckets must be cumulative: the one before has more"},
                {"a_bucket{le=\"+Inf\"} NaN\n", "2:21: the value must not be NaN"},
                {"a_bucket{le=\"+Inf\"} -1\n", "2:21: the value must not be negative"},
                {"a_bucket{le=\"+Inf\"} 0.5\n", "2:21: the count must be a whole number"},
                {"a_bucket{le=\"+Inf\"} +Inf\n", "2:21: the count must be finite"},
            });
}

TEST_CASE("the count of a histogram is that of its last bucket, and comes with the sum") {
    check_histograms(
        "histogram",
        {
            {"a_bucket{le=\"1\"} 0\na_bucket{le=\"+Inf\"} 3\na_count 3\na_sum 2\na_created 5\n",
             ""},
            {"a_sum 2\na_count 3\na_bucket{le=\"+Inf\"} 3\n", ""},
            {"a_sum 1\n", "2:1: the histogram has no bucket"},
            {"a_created 1\n", "2:1: the histogram has no bucket"},
            {"a_bucket{le=\"+Inf\"} 0\na_sum 0\n", "3:1: _sum without _count"},
            {"a_bucket{le=\"+Inf\"} 0\na_count 0\n", "3:1: _count without _sum"},
            {"a_bucket{le=\"-1\"} 0\na_bucket{le=\"+Inf\"} 0\na_sum 0\na_count 0\n",
             "5:1: a histogram with negative buckets must not have a sum"},
            {"a_count 1\na_bucket{le=\"+Inf\"} 0\na_sum 0\n",
             "4:1: the count is not that of the bucket le=\"+Inf\""},
            {"a_bucket{le=\"+Inf\"} 0\na_count 1\n",
             "3:1: the count is not that of the bucket le=\"+Inf\""},
            {"a_sum NaN\n", "2:7: the value must not be NaN"},
            {"a_count NaN\n", "2:9: the value must not be NaN"},
            {"a_sum -1\n", "2:7: the value must not be negative"},
            {"a_count -1\n", "2:9: the value must not be negative"},
            {"a_count 0.5\n", "2:9: the count must be a whole number"},
            {"a_sum{le=\"1\"} 1\n", "2:7: the label le is reserved for this type"},
            {"a_created{le=\"1\"} 1\n", "2:11: the label le is reserved for this type"},
        });
}

TEST_CASE("a gauge histogram has _gcount and _gsum, which is negative only with negative buckets") {
    check_histograms(
        "gaugehistogram",
        {
            {"a_bucket{le=\"1.0\"} 0\na_bucket{le=\"+Inf\"} 3\na_gcount 3\na_gsum 2\n", ""},
            {"a_bucket{le=\"-1.0\"} 1\na_bucket{le=\"+Inf\"} 3\na_gcount 3\na_gsum -5\n", ""},
            {"a_gsum 1\n", "2:1: the histogram has no bucket"},
            {"a_bucket{le=\"+Inf\"} 0\na_gsum 0\n", "3:1: _gsum without _gcount"},
            {"a_bucket{le=\"+Inf\"} 0\na_gcount 0\n", "3:1: _gcount without _gsum"},
            {"a_bucket{le=\"+Inf\"} 1\na_gcount 2\na_gsum 1\n",
             "4:1: the count is not that of the bucket le=\"+Inf\""},
            {"a_bucket{le=\"+Inf\"} 1\na_gsum -1\na_gcount 1\n",
             "4:1: the sum is negative, but no bucket is"},
            {"a_bucket{le=\"+Inf\"} 1\na_gsum NaN\n", "3:8: a sum must not be NaN"},
            {"a_bucket{le=\"+Inf\"} 1\na_gcount -1\n", "3:10: the value must not be negative"},
            {"a_bucket{le=\"+Inf\"} 1\na_gcount{le=\"1\"} 1\n",
             "3:10: the label le is reserved for this type"},
        });
    // Those of a histogram are other families.
    CHECK(strict_problem("# TYPE a gaugehistogram\na_bucket{le=\"+Inf\"} 1\na_count 1\n# EOF\n") ==
          "");
}

TEST_CASE("an exemplar lies within its bucket") {
    const std::string outside = "the exemplar is not within the bucket";
    check_histograms(
        "histogram",
        {
            {"a_bucket{le=\"1\"} 0 # {x=\"y\"} 1\na_bucket{le=\"+Inf\"} 3 # {x=\"z\"} 4 123\n", ""},
            {"a_bucket{le=\"2\"} 2 123 # {} 0.5\na_bucket{le=\"+Inf\"} 3 123\n", ""},
            {"a_bucket{le=\"1\"} 1 # {x=\"y\"} 1.5\na_bucket{le=\"+Inf\"} 3\n", "2:20: " + outside},
            {"a_bucket{le=\"+Inf\"} 1 # {x=\"y\"} NaN\n", "2:23: " + outside},
        });
}

TEST_CASE("the examples of the OpenMetrics specification conform") {
    CHECK(strict_problem(
              "# TYPE acme_http_router_request_seconds summary\n"
              "# UNIT acme_http_router_request_seconds seconds\n"
              "# HELP acme_http_router_request_seconds Latency of ACME's router.\n"
              "acme_http_router_request_seconds_sum{path=\"/api/v1\",method=\"GET\"} 9036.32\n"
              "acme_http_router_request_seconds_count{path=\"/api/v1\",method=\"GET\"} 807283.0\n"
              "acme_http_router_request_seconds_created{path=\"/api/v1\",method=\"GET\"} 1605.0\n"
              "acme_http_router_request_seconds_sum{path=\"/api/v2\",method=\"POST\"} 479.3\n"
              "acme_http_router_request_seconds_count{path=\"/api/v2\",method=\"POST\"} 34.0\n"
              "# TYPE go_goroutines gauge\n"
              "# HELP go_goroutines Number of goroutines that currently exist.\n"
              "go_goroutines 69\n"
              "# TYPE process_cpu_seconds counter\n"
              "# UNIT process_cpu_seconds seconds\n"
              "process_cpu_seconds_total 4.20072246e+06\n"
              "# EOF\n") == "");
    CHECK(
        strict_problem("# TYPE foo histogram\n"
                       "foo_bucket{le=\"0.01\"} 0\n"
                       "foo_bucket{le=\"0.1\"} 8 # {} 0.054\n"
                       "foo_bucket{le=\"1\"} 11 # {trace_id=\"KOO5S4vxi0o\"} 0.67\n"
                       "foo_bucket{le=\"10\"} 17 # {trace_id=\"oHg5SJYRHA0\"} 9.8 1520879607.789\n"
                       "foo_bucket{le=\"+Inf\"} 17\n"
                       "foo_count 17\n"
                       "foo_sum 324789.3\n"
                       "foo_created 1520430000.123\n"
                       "# EOF\n") == "");
}

} // namespace
} // namespace wva_metrics::exposition
