// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/exposition/open_metrics_2_checker.hpp"

#include <catch2/catch_all.hpp>

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

namespace wva_metrics::exposition::om2_checked {

namespace {

std::string problem_of_pieces(const std::vector<std::string>& pieces,
                              const PageLimits& limits = {}) {
    OpenMetrics2Checker checker(limits);
    for (const std::string& piece : pieces)
        static_cast<void>(checker.feed(std::string(piece)));
    const Result<void> result = checker.finish();
    return result ? "" : result.error().message;
}
std::string problem_of_lines(const std::string& lines) {
    return problem_of_pieces({lines + "\n# EOF\n"});
}

const std::string native = "h {count:3,sum:2,schema:0,zero_threshold:1e-4,zero_count:1";

} // namespace

TEST_CASE("a page that keeps every rule of OpenMetrics 2.0 is accepted") {
    for (const std::string lines :
         {"foo 42.23",
          "foo{} 0",
          "foo{a=\"b\"} 17.0 1520879607.789",
          "foo 1 -1.5",
          "foo NaN",
          "foo 17.0 123\nfoo 18.0 456",
          "foo{a=\"1\"} 1\nfoo{a=\"2\"} 1",
          "# TYPE foo_total counter\n# UNIT foo_total seconds\n# HELP foo_total \\n \\\" x",
          "# TYPE foo counter\nfoo 17.0 1520879607.789 st@1520430000.123 # {t=\"K\"} 0.67 1.5",
          "# HELP foo \nfoo 1",
          "# UNIT foo \nfoo 1",
          "{\"a.b\",\"c d\"=\"e\"} 1",
          "# TYPE \"a.b\" gauge\n{\"a.b\"} 1",
          "foo{a=\"\\a\\n\\\\\\\"\"} 1",
          "# TYPE foo stateset\nfoo{foo=\"a\"} 0\nfoo{foo=\"bb\"} 1.0",
          "# TYPE foo_info info\nfoo_info{version=\"1\"} 1",
          "# TYPE s summary\ns {count:17,sum:3.5,quantile:[]} st@1",
          "# TYPE s summary\ns {count:0,sum:0.0,quantile:[0.95:NaN,0.99:150]}",
          "# TYPE h histogram\nh {count:17,sum:3.5,bucket:[-Inf:0,0.0:0,1e+23:16,+Inf:17]}",
          "# TYPE h histogram\nh {count:0,sum:0,schema:3,zero_threshold:1e-4,zero_count:0}",
          "# TYPE h histogram\nh {count:2,sum:1.2e2,schema:0,zero_threshold:1e-4,zero_count:0,"
          "positive_spans:[1:2],positive_buckets:[1,1],bucket:[0.5:1,1:2,+Inf:2]} # {} 1 2 # {} 3 "
          "4",
          "# TYPE h histogram\nh {count:9,sum:NaN,schema:7,zero_threshold:0,zero_count:0,"
          "negative_spans:[1:1],negative_buckets:[5],positive_spans:[-1:1],positive_buckets:[3]}",
          "# TYPE g gaugehistogram\ng {gcount:42,gsum:3289.3,bucket:[0.01:20,+Inf:42]}",
          "u {count:1,sum:2,bucket:[+Inf:1]}"}) {
        CAPTURE(lines);
        CHECK(problem_of_lines(lines) == "");
    }
    CHECK(problem_of_pieces({"# EOF"}) == "");
    CHECK(problem_of_pieces({"# EOF\n"}) == "");
}

TEST_CASE("each rule of OpenMetrics 2.0 that a page breaks is told with its place") {
    const std::string h = "# TYPE h histogram\nh ";
    const std::string s = "# TYPE s summary\ns ";
    const std::vector<std::pair<std::string, std::string>> cases{
        {"foo", "line 1, column 4: expected one space and a value"},
        {"foo  1", "line 1, column 5: expected a number"},
        {" foo 1", "expected the name of a metric"},
        {"foo 1 ", "expected a time"},
        {"foo 1\n\nfoo 2", "line 2, column 1: expected the name of a metric"},
        {"foo 1\r", "carriage return"},
        {"foo{a=\"\xff\"} 1", "expected UTF-8"},
        {"foo 0x1", "expected a number"},
        {"foo 1e999", "expected a number"},
        {"foo 1 NaN", "expected a time"},
        {"foo 1 st@2 3", "expected the end of the line"},
        {"foo 1 2 3", "expected the end of the line"},
        {"foo{a=\"b\",} 1", "expected a label"},
        {"foo{a=\"b\" ,c=\"d\"} 1", "expected , or }"},
        {"foo{a=\"b\",a=\"c\"} 1", "the label comes twice"},
        {"foo{_a=\"b\"} 1", "begins with an underscore"},
        {"_foo 1", "begins with an underscore"},
        {"foo{a=b} 1", "expected a double quote"},
        {"foo{a=\"b} 1", "expected a closing double quote"},
        {"# a comment", "expected # TYPE"},
        {"#TYPE foo gauge", "expected # TYPE"},
        {"# TYPE foo untyped", "expected a type"},
        {"# TYPE foo Gauge", "expected a type"},
        {"# TYPE foo gauge\n# TYPE foo gauge", "a TYPE line already"},
        {"# HELP foo a\n# HELP foo b", "a HELP line already"},
        {"# UNIT foo a\n# UNIT foo a", "a UNIT line already"},
        {"foo 1\n# TYPE foo gauge", "line 2, column 1: the family has samples already"},
        {"foo 1\nbar 1\nfoo{a=\"b\"} 1", "line 3, column 1: the family has been there before"},
        {"foo 1\nfoo 2", "the metric has been there before"},
        {"foo 1 5\nfoo 2 5", "the metric has been there before"},
        {"foo{a=\"1\"} 1 1\nfoo{a=\"2\"} 1\nfoo{a=\"1\"} 1 2", "must not be interleaved"},
        {"# TYPE c counter\nc NaN", "the value of a counter"},
        {"# TYPE c counter\nc -1", "the value of a counter"},
        {"# TYPE foo info", "ends with _info"},
        {"# TYPE foo_info info\n# UNIT foo_info s", "has no unit"},
        {"# TYPE foo_info info\nfoo_info 2", "not 1"},
        {"# TYPE foo stateset\nfoo{foo=\"a\"} 2", "neither 0 nor 1"},
        {"# TYPE foo stateset\nfoo{bar=\"a\"} 1", "no label with the name of its family"},
        {"# TYPE foo gauge\nfoo 1 st@1", "no start time"},
        {"# TYPE foo gauge\nfoo 1 # {} 1 1", "no exemplars"},
        {"# TYPE c counter\nc 1 # {} 1", "expected one space and a time"},
        {"# TYPE c counter\nc 1 # 1 1", "expected an exemplar"},
        {"# TYPE foo gauge\nfoo {count:1,sum:2,bucket:[+Inf:1]}", "expected a number"},
        {h + "1", "expected a value in { and }"},
        {h + "{count:1,sum:2}", "expected the fields"},
        {h + "{sum:2,count:1,bucket:[+Inf:1]}", "expected the fields"},
        {h + "{count:1,sum:2,bucket:[+Inf:1],schema:0,zero_threshold:0,zero_count:1}",
         "expected the fields"},
        {h + "{gcount:1,gsum:2,bucket:[+Inf:1]}", "expected the fields"},
        {h + "{count:1,sum:2,new:1,bucket:[+Inf:1]}", "expected the fields"},
        {h + "{count:1, sum:2,bucket:[+Inf:1]}", "line 2, column 12: expected no blank"},
        {h + "{count:-1,sum:2,bucket:[+Inf:-1]}", "negative"},
        {h + "{count:1,sum:2,bucket:[1:1]}", "not that of +Inf"},
        {h + "{count:1,sum:2,bucket:[]}", "not that of +Inf"},
        {h + "{count:2,sum:2,bucket:[+Inf:1]}", "not that of the bucket +Inf"},
        {h + "{count:1,sum:2,bucket:[2:1,1:1,+Inf:1]}", "do not ascend"},
        {h + "{count:1,sum:2,bucket:[1:1,1:1,+Inf:1]}", "do not ascend"},
        {h + "{count:1,sum:2,bucket:[NaN:1,+Inf:1]}", "do not ascend"},
        {h + "{count:1,sum:2,bucket:[1:2,+Inf:1]}", "lower than that of the bucket before"},
        {"# TYPE h histogram\nh{le=\"1\"} {count:1,sum:2,bucket:[+Inf:1]}", "is le or quantile"},
        {h + "{count:1,sum:2,schema:9,zero_threshold:0,zero_count:1}", "schema"},
        {h + "{count:1,sum:2,schema:-53,zero_threshold:0,zero_count:1}", "schema"},
        {h + "{count:1,sum:2,schema:0,zero_threshold:-1,zero_count:1}", "zero threshold"},
        {"# TYPE h histogram\n" + native + "}", "not the sum of the native buckets"},
        {"# TYPE h histogram\n" + native + ",positive_spans:[0:1],positive_buckets:[1,1]}",
         "as many buckets"},
        {"# TYPE h histogram\n" + native + ",positive_spans:[0:2]}", "expected the fields"},
        {s + "{count:1.5,sum:2,quantile:[]}", "no whole number"},
        {s + "{count:1,sum:NaN,quantile:[]}", "the sum of a summary"},
        {s + "{count:1,sum:1,quantile:[1.5:1]}", "not from 0 to 1"},
        {s + "{count:1,sum:1,quantile:[0.9:1,0.5:1]}", "do not ascend"},
        {s + "{count:1,sum:1,quantile:[0.9:-1]}", "the value of a quantile is negative"},
        {s + "{count:1,sum:1}", "expected the fields"},
        {"# TYPE s summary\ns{quantile=\"1\"} {count:1,sum:1,quantile:[]}", "is le or quantile"},
        {"# TYPE g gaugehistogram\ng {gcount:1,gsum:1,bucket:[+Inf:1]} st@1", "no start time"},
        {"# EOF\nfoo 1", "expected nothing after # EOF"},
    };
    for (const auto& [lines, problem] : cases) {
        CAPTURE(lines);
        CHECK_THAT(problem_of_lines(lines), Catch::Matchers::ContainsSubstring(problem));
    }
}

TEST_CASE("a page of OpenMetrics 2.0 without its end does not conform") {
    for (const char* const page : {"", "foo 1", "foo 1\n", "foo 1\n# EO", "foo 1\n# EOF x"})
        CHECK_THAT(problem_of_pieces({page}), Catch::Matchers::ContainsSubstring("# EOF"));
}

TEST_CASE("a split of an OpenMetrics 2.0 page changes no verdict") {
    const std::string page =
        "# TYPE h histogram\nh {count:1,sum:2,bucket:[1:1,+Inf:1]} st@5 # {} 1 2\nfoo 1\n# EOF\n";
    for (std::size_t cut = 0; cut <= page.size(); ++cut)
        CHECK(problem_of_pieces({page.substr(0, cut), page.substr(cut)}) == "");
}

TEST_CASE("the checker of OpenMetrics 2.0 is bounded") {
    PageLimits limits;
    limits.max_page_bytes = 10;
    CHECK_THAT(problem_of_pieces({"foo 1\nbar 1\n"}, limits),
               Catch::Matchers::ContainsSubstring("max_page_bytes"));
    limits = {};
    limits.max_line_bytes = 4;
    CHECK_THAT(problem_of_pieces({"foo 1\n"}, limits),
               Catch::Matchers::ContainsSubstring("max_line_bytes"));
}

} // namespace wva_metrics::exposition::om2_checked
