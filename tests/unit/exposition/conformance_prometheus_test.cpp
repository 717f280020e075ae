// SPDX-License-Identifier: Apache-2.0

#include "unit/exposition/checked_page.hpp"

#include "wva_metrics/exposition/text_format.hpp"

#include <catch2/catch_all.hpp>

#include <string>
#include <string_view>

namespace wva_metrics::exposition {
namespace {

std::string old_problem(std::string_view page) {
    return strict_problem(page, TextFormat::prometheus_0_0_4);
}

TEST_CASE("the example of Prometheus' text format conforms") {
    CHECK(old_problem("# HELP http_requests_total The total number of HTTP requests.\n"
                      "# TYPE http_requests_total counter\n"
                      "http_requests_total{method=\"post\",code=\"200\"} 1027 1395066363000\n"
                      "http_requests_total{method=\"post\",code=\"400\"}    3 1395066363000\n"
                      "\n"
                      "# Escaping in label values:\n"
                      "msdos_file_access_time_seconds{path=\"C:\\\\DIR\\\\FILE.TXT\",error=\"no \\n"
                      "\\\"FILE.TXT\\\"\"} 1.458255915e9\n"
                      "\n"
                      "# Minimalistic line:\n"
                      "metric_without_timestamp_and_labels 12.47\n"
                      "\n"
                      "# A weird metric from before the epoch:\n"
                      "something_weird{problem=\"division by zero\"} +Inf -3982045\n"
                      "\n"
                      "# TYPE http_request_duration_seconds histogram\n"
                      "http_request_duration_seconds_bucket{le=\"0.05\"} 24054\n"
                      "http_request_duration_seconds_bucket{le=\"+Inf\"} 144320\n"
                      "http_request_duration_seconds_sum 53423\n"
                      "http_request_duration_seconds_count 144320\n"
                      "# TYPE rpc_duration_seconds summary\n"
                      "rpc_duration_seconds{quantile=\"0.01\"} 3102\n"
                      "rpc_duration_seconds{quantile=\"0.99\"} 76656\n"
                      "rpc_duration_seconds_sum 1.7560473e+07\n"
                      "rpc_duration_seconds_count 2693\n") == "");
    CHECK(old_problem("") == "");
    CHECK(old_problem("  \t\n#\n#x\n# EOF\n\t# HELP a\n  a { x = \"1\" , } \t 5 \t \n") == "");
}

TEST_CASE("Prometheus' text has its own grammar") {
    CHECK(old_problem("a 1") == "1:4: expected a line feed after the last line");
    CHECK(old_problem("a 1\r\n") == "1:4: expected a line feed without a carriage return");
    CHECK(old_problem("a 1 1.5\n") == "1:5: expected a time in whole milliseconds since 1970");
    CHECK(old_problem("a 1 1 1\n") == "1:7: expected the end of the line");
    CHECK(old_problem("a 1 # {} 1\n") == "1:5: expected a time in whole milliseconds since 1970");
    CHECK(old_problem("a 0x1\n") == "1:3: expected a number, NaN or Inf");
    CHECK(old_problem("{\"a\"} 1\n") == "1:1: expected the name of a metric");
    CHECK(old_problem("a{x=\"\\d\"} 1\n") == "1:6: expected one of the escapes \\\\, \\\" and \\n");
    CHECK(old_problem("a{__name__=\"b\"} 1\n") ==
          "1:3: the name of a label begins with an underscore, which is reserved");
    CHECK(old_problem("_a{_x=\"b\"} 1\n") == "");
    CHECK(old_problem("a{x=\"1\",,} 1\n") == "1:9: expected the name of a label");
    CHECK(old_problem("# HELP a \\d\n") == "1:10: expected one of the escapes \\\\ and \\n");
    CHECK(old_problem("# HELP a \\\\ \\n \"q\"\n") == "");
    CHECK(old_problem("# HELP\n") == "1:7: expected the name of a metric");
    CHECK(old_problem("# TYPE a\n") ==
          "1:9: expected counter, gauge, histogram, summary or untyped");
    CHECK(old_problem("# TYPE a info\n") ==
          "1:10: expected counter, gauge, histogram, summary or untyped");
    CHECK(old_problem("# TYPE a gauge gauge\n") ==
          "1:10: expected counter, gauge, histogram, summary or untyped");
    CHECK(old_problem(" #  TYPE  a\tgauge \n") == "");
}

TEST_CASE("Prometheus' text has one group of lines for each metric") {
    const std::string again =
        "the family a has been there before; families must not be interleaved";
    CHECK(old_problem("# TYPE a gauge\n# TYPE a gauge\n") ==
          "2:1: the family has such a line already");
    CHECK(old_problem("# HELP a x\n# HELP a x\n") == "2:1: the family has such a line already");
    CHECK(old_problem("a 1\n# TYPE a gauge\n") ==
          "2:1: metadata must come before the samples of its family");
    CHECK(old_problem("a 1\nb 1\na{x=\"1\"} 1\n") == "3:1: " + again);
    CHECK(old_problem("a 1\na 1\n") == "2:1: the sample is there already");
    CHECK(old_problem("a 1 1\na 1 2\n") == "2:1: the sample is there already");
    CHECK(old_problem("# TYPE a summary\n# TYPE a_sum gauge\n") ==
          "2:1: the name a_sum belongs to an earlier family");
    // Counters have no endings of their own, and may be created by another family.
    CHECK(old_problem("# TYPE a counter\na -1\n# TYPE a_created gauge\na_created 1\n") == "");
}

TEST_CASE("Prometheus' histograms and summaries are complete and in order") {
    const std::string type = "# TYPE a histogram\n";
    CHECK(old_problem(type + "a_bucket{x=\"1\",le=\"1\"} 1\na_bucket{x=\"2\",le=\"1\"} 1\n"
                             "a_bucket{x=\"1\",le=\"+Inf\"} 1\na_bucket{x=\"2\",le=\"+Inf\"} 2\n"
                             "a_count{x=\"2\"} 2\n") == "");
    CHECK(old_problem(type + "a_bucket{x=\"1\",le=\"1\"} 1\na_bucket{x=\"2\",le=\"+Inf\"} 2\n") ==
          "2:1: the histogram has no bucket le=\"+Inf\"");
    CHECK(old_problem(type + "a_bucket 1\n") == "2:1: the bucket has no label le");
    CHECK(old_problem(type + "a_bucket{le=\"x\"} 1\n") == "2:10: the label le is not a number");
    CHECK(old_problem(type + "a_bucket{le=\"inf\"} 1\na_count 1\n") == "");
    CHECK(old_problem(type + "a_bucket{le=\"2\"} 1\na_bucket{le=\"1\"} 1\n") ==
          "3:10: buckets must be in ascending order of le");
    CHECK(old_problem(type + "a_bucket{le=\"+Inf\"} 1\na_count 2\n") ==
          "3:1: the count is not that of the bucket le=\"+Inf\"");
    CHECK(old_problem("# TYPE a summary\na{quantile=\"0.9\"} 1\na{quantile=\"0.5\"} 1\n") ==
          "3:3: quantiles must be in ascending order");
    CHECK(old_problem("# TYPE a summary\na{quantile=\"0.9\"} -1\na_sum -5\n") == "");
    // As redis_exporter 1.45 writes them.
    CHECK(old_problem("# TYPE a summary\na{quantile=\"50\"} 1\na{quantile=\"99.9\"} 2\n") == "");
    CHECK(old_problem("# TYPE a summary\na{quantile=\"NaN\"} 1\n") ==
          "2:3: the label quantile is not a number");
}

TEST_CASE("Prometheus' newer text has names in quotes") {
    const auto problem = [](std::string_view page) {
        return strict_problem(page, TextFormat::prometheus_1_0_0);
    };
    CHECK(problem("# TYPE \"foo.bar\" gauge\n{\"foo.bar\",\"a.b\"=\"x\",c=\"d\"} 3\nfoo{\"a "
                  "b\"=\"\"} 1\n") == "");
    CHECK(problem("# HELP \"foo.bar\n") == "1:8: expected a name in double quotes");
    CHECK(problem("{c=\"d\"} 3\n") == "1:8: expected the name of the metric between { and }");
    CHECK(problem("{c=\"d\",\"foo.bar\"} 3\n") == "1:17: expected =");
    CHECK(problem("a{\"foo.bar\"} 3\n") == "1:12: expected =");
    CHECK(problem("{\"\"} 3\n") == "1:2: expected the name of a label");
    CHECK(problem("{\"foo.bar\"} 3\n{\"foo.bar\"} 3\n") == "2:1: the sample is there already");
}

} // namespace
} // namespace wva_metrics::exposition
