// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/exposition/open_metrics_2_parser.hpp"

#include "unit/exposition/protobuf_pages.hpp"
#include "wva_metrics/exposition/page_parser.hpp"

#include <catch2/catch_all.hpp>

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

namespace wva_metrics::exposition::om2_pages {

using protobuf_pages::ProtobufPage;
using protobuf_pages::read_with;
using Samples = std::vector<std::string>;

namespace {

/// Reads lines and the mark of the end.
ProtobufPage read_om2(const std::string& lines, const WantedMetrics& wanted = {},
                      const PageLimits& limits = {}) {
    return read_with(OpenMetrics2Parser(wanted, limits), {lines + "\n# EOF\n"});
}

const std::string both_kinds =
    "# TYPE h histogram\nh{path=\"/a\"} "
    "{count:2,sum:1.2e2,schema:0,zero_threshold:1e-4,zero_count:0,"
    "positive_spans:[1:2],positive_buckets:[1,1],bucket:[0.5:1,1:2,+Inf:2]} 3 st@1605301325.0 "
    "# {trace=\"a\"} 0.67 1520879607.789 # {} 1.2 1520879608.589";

} // namespace

TEST_CASE("each valid line of OpenMetrics 2.0 gives its samples") {
    const std::vector<std::pair<std::string, Samples>> cases{
        {"", {}},
        {"foo 42.23", {"foo{} 42.23"}},
        {"foo{} 0", {"foo{} 0"}},
        {"foo{a=\"b\"} 17.0 1520879607.789", {"foo{a=b} 17 @1520879607789"}},
        {"foo 17.0 -1.5", {"foo{} 17 @-1500"}},
        {"foo 17.0 123\nfoo 18.0 456", {"foo{} 17 @123000", "foo{} 18 @456000"}},
        {"# TYPE foo_total counter\nfoo_total 17.0 st@1520430000.123",
         {"foo_total{} 17 st@1520430000123"}},
        {"# TYPE foo counter\nfoo 17.0 1520879607.789 st@1520430000.123",
         {"foo{} 17 @1520879607789 st@1520430000123"}},
        {"foo_total 1 2 st@3 # {trace_id=\"KOO5S4vxi0o\"} 0.67 1520879606.1",
         {"foo_total{} 1 @2000 st@3000"}},
        {"foo_total 1 # {} 0.67 1520879606.1", {"foo_total{} 1"}},
        {"foo NaN", {"foo{} nan"}},
        {"foo -Inf", {"foo{} -inf"}},
        {"foo +infinity", {"foo{} inf"}},
        {"foo 0042", {"foo{} 42"}},
        {"foo .5e1", {"foo{} 5"}},
        {"# TYPE foo stateset\nfoo{foo=\"a\"} 0\nfoo{foo=\"bb\"} 1",
         {"foo{foo=a} 0", "foo{foo=bb} 1"}},
        {"# TYPE foo_info info\nfoo_info{name=\"pretty name\"} 1",
         {"foo_info{name=pretty name} 1"}},
        {"{\"foodb.read.errors\",\"service.name\"=\"my_service\"} 3482",
         {"foodb.read.errors{service.name=my_service} 3482"}},
        {"# TYPE \"a.b\" counter\n{\"a.b\"} 1", {"a.b{} 1"}},
        {"foo{a=\"x\\n\\\"\\\\\"} 1", {"foo{a=x\n\"\\} 1"}},
        {"foo{a=\"\\a\"} 1", {"foo{a=\\a} 1"}},
        {"foo{\"a\"=\"b\"} 1", {"foo{a=b} 1"}},
        {"# HELP foo Some text and \\n some \\\" escaping\nfoo 1", {"foo{} 1"}},
        {"# UNIT foo_seconds seconds\nfoo_seconds 1", {"foo_seconds{} 1"}},
        {"# UNIT foo_seconds\n# HELP foo_seconds \nfoo_seconds 1", {"foo_seconds{} 1"}},
        {"# TYPE s summary\ns {count:17,sum:324789.3,quantile:[]} st@1520430000.123",
         {"s_sum{} 324789.3 st@1520430000123", "s_count{} 17 st@1520430000123"}},
        {"# TYPE s summary\ns{a=\"b\"} {count:0,sum:0.0,quantile:[0.95:123.7,0.99:NaN]}",
         {"s{a=b,quantile=0.95} 123.7", "s{a=b,quantile=0.99} nan", "s_sum{a=b} 0",
          "s_count{a=b} 0"}},
        {"# TYPE h histogram\nh {count:17,sum:3.5,bucket:[0.0:0,1e-05:0,1e+06:15,+Inf:17]}",
         {"h_bucket{le=0} 0", "h_bucket{le=1e-05} 0", "h_bucket{le=1e+06} 15",
          "h_bucket{le=+Inf} 17", "h_sum{} 3.5", "h_count{} 17"}},
        {"# TYPE h histogram\nh {count:1,sum:NaN,bucket:[-Inf:0,+Inf:1]} 5",
         {"h_bucket{le=-Inf} 0 @5000", "h_bucket{le=+Inf} 1 @5000", "h_sum{} nan @5000",
          "h_count{} 1 @5000"}},
        {"# TYPE h histogram\nh {count:0,sum:0,schema:3,zero_threshold:1e-4,zero_count:0}",
         {"h{} 0 native", "h_bucket{le=+Inf} 0", "h_sum{} 0", "h_count{} 0"}},
        {"# TYPE g gaugehistogram\ng {gcount:42,gsum:3289.3,bucket:[0.01:20,+Inf:42]}",
         {"g_bucket{le=0.01} 20", "g_bucket{le=+Inf} 42", "g_gsum{} 3289.3", "g_gcount{} 42"}},
        {"# TYPE g gaugehistogram\ng {gcount:-1,gsum:2,schema:0,zero_threshold:0,zero_count:-1}",
         {"g{} -1 native", "g_bucket{le=+Inf} -1", "g_gsum{} 2", "g_gcount{} -1"}},
        // Without a type the fields say what it is.
        {"u {count:1,sum:2,bucket:[+Inf:1]}", {"u_bucket{le=+Inf} 1", "u_sum{} 2", "u_count{} 1"}},
        {"u {count:1,sum:2,quantile:[0.5:2]}", {"u{quantile=0.5} 2", "u_sum{} 2", "u_count{} 1"}},
        {"u {gcount:1,gsum:2,bucket:[+Inf:1]}",
         {"u_bucket{le=+Inf} 1", "u_gsum{} 2", "u_gcount{} 1"}},
        // What real servers may send.
        {"foo  1 \t 2\r", {"foo{} 1 @2000"}},
        {"# a comment\n\nfoo 1", {"foo{} 1"}},
        {"h { count:1, sum:2, bucket:[ 1:1, +Inf:1 ] }",
         {"h_bucket{le=1} 1", "h_bucket{le=+Inf} 1", "h_sum{} 2", "h_count{} 1"}},
        {"h {sum:2,later:[1,2],count:1,new:3,bucket:[+Inf:1]}",
         {"h_bucket{le=+Inf} 1", "h_sum{} 2", "h_count{} 1"}},
    };
    for (const auto& [lines, samples] : cases) {
        CAPTURE(lines);
        const ProtobufPage page = read_om2(lines);
        CHECK(page.problem == "");
        CHECK(page.samples == samples);
    }
}

TEST_CASE("a value of OpenMetrics 2.0 may be a native and a classic histogram") {
    const ProtobufPage page = read_om2(both_kinds);
    CHECK(page.problem == "");
    const std::string times = " @3000 st@1605301325000";
    CHECK(page.samples ==
          Samples{"h{path=/a} 2" + times + " native", "h_bucket{path=/a,le=0.5} 1" + times,
                  "h_bucket{path=/a,le=1} 2" + times, "h_bucket{path=/a,le=+Inf} 2" + times,
                  "h_sum{path=/a} 120" + times, "h_count{path=/a} 2" + times});
    REQUIRE(page.histograms.size() == 1);
    CHECK(page.histograms[0].zero_threshold == 1e-4);
    CHECK(page.histograms[0].count == 2);
    CHECK(page.histograms[0].sum == 120);
    CHECK(page.histograms[0].positive == NativeBuckets{{{1, 2}}, {1, 1}});
}

TEST_CASE(
    "the buckets of a native histogram in OpenMetrics 2.0 are absolute counts of both signs") {
    const ProtobufPage page =
        read_om2("h {count:59,sum:1.2e2,schema:7,zero_threshold:1e-4,zero_count:0,"
                 "negative_spans:[1:2],negative_buckets:[5,7],positive_spans:[-1:2,3:4],"
                 "positive_buckets:[5,7,10,9,8,8]}",
                 WantedMetrics({"h"}));
    CHECK(page.problem == "");
    REQUIRE(page.histograms.size() == 1);
    CHECK(page.histograms[0].schema == 7);
    CHECK(page.histograms[0].negative == NativeBuckets{{{1, 2}}, {5, 7}});
    CHECK(page.histograms[0].positive == NativeBuckets{{{-1, 2}, {3, 4}}, {5, 7, 10, 9, 8, 8}});
}

TEST_CASE("each fault of an OpenMetrics 2.0 page is told with its place") {
    const std::vector<std::pair<std::string, std::string>> cases{
        {"foo", "line 1, column 4: expected a number or {"},
        {"foo x", "line 1, column 5: expected a number or {"},
        {"foo 0x1", "line 1, column 5: expected a number or {"},
        {"foo 1_0", "line 1, column 5: expected a number or {"},
        {"foo 1 x", "line 1, column 7: expected a time"},
        {"foo 1 NaN", "line 1, column 7: expected a time"},
        {"foo 1 st@", "line 1, column 10: expected a time"},
        {"foo 1 st@x", "line 1, column 10: expected a time"},
        {"foo 1 2 3", "line 1, column 9: expected the end of the line"},
        {"foo 1 st@1 2", "line 1, column 12: expected the end of the line"},
        {"foo 1 st@1 st@2", "line 1, column 12: expected the end of the line"},
        {"foo{a=\"b\" 1", "line 1, column 11: expected , or }"},
        {"foo{a=\"b\",a=\"c\"} 1", "a label that is not there yet"},
        {"foo{a=\"b} 1", "expected a closing double quote"},
        {"foo{a=\"\xff\"} 1", "expected UTF-8"},
        {"\x01 1", "expected the name of a metric"},
        {"{} 1", "expected the name of the metric"},
        {"ok 1\nh {}", "line 2, column 4: expected the name of a field"},
        {"h {count}", "expected :"},
        {"h {count:}", "expected a number"},
        {"h {count:1", "expected , or }"},
        {"h {count:1,sum:2", "expected , or }"},
        {"h {count:1,}", "expected the name of a field"},
        {"h {count:1,sum:2}x", "expected a time"},
        {"h {count:1}", "expected a value with the fields count and sum"},
        {"h {sum:1}", "expected a value with the fields count and sum"},
        {"h {count:1,sum:2,bucket:1}", "expected ["},
        {"h {count:1,sum:2,bucket:[1]}", "expected :"},
        {"h {count:1,sum:2,bucket:[1:1}", "expected , or ]"},
        {"h {count:1,sum:2,bucket:[x:1]}", "expected a number"},
        {"h {count:1,sum:2,bucket:[1:1,]}", "expected a number"},
        {"h {count:1,sum:2,schema:0.5}", "column 25: expected a whole number"},
        {"h {count:1,sum:2,schema:99}", "a schema that is not"},
        {"h {count:1,sum:2,schema:0,positive_spans:[1:-1]}", "expected a whole number"},
        {"h {count:1,sum:2,schema:0,positive_spans:[1:2],positive_buckets:[1]}", "as many buckets"},
        {"h {count:1,sum:2,schema:0,positive_buckets:[1]}", "as many buckets"},
        {"h {count:1,sum:2,schema:0,zero_threshold:-1}", "zero threshold"},
        {"h {count:1,sum:2,schema:0,positive_spans:[0:1,-1:1],positive_buckets:[1,0]}",
         "begins before the end"},
        {"h {count:1,sum:2,new:[1}", "expected ]"},
        {"h{le=\"1\"} {count:1,sum:2,bucket:[+Inf:1]}", "is le or quantile"},
        {"# TYPE h histogram\nh 1", "expected a value in { and }"},
        {"# TYPE h histogram\nh {count:1,sum:2,quantile:[]}", "expected a value of its family"},
        {"# TYPE s summary\ns {count:1,sum:2,bucket:[+Inf:1]}", "expected a value of its family"},
        {"# TYPE c counter\nc {count:1,sum:2,bucket:[+Inf:1]}", "expected a value of its family"},
        {"# EOF\nfoo 1", "line 2, column 1: expected nothing after # EOF"},
    };
    for (const auto& [lines, problem] : cases) {
        CAPTURE(lines);
        CHECK_THAT(read_om2(lines).problem, Catch::Matchers::ContainsSubstring(problem));
    }
}

TEST_CASE("an OpenMetrics 2.0 page that is cut off fails, wherever") {
    const std::string page = "foo 1\n" + both_kinds + "\n# EOF\n";
    for (std::size_t size = 0; size < page.size() - 1; ++size) {
        CAPTURE(size);
        CHECK(read_with(OpenMetrics2Parser(), {page.substr(0, size)}).problem != "");
    }
    CHECK(read_with(OpenMetrics2Parser(), {page.substr(0, page.size() - 1)}).problem == "");
}

TEST_CASE("an OpenMetrics 2.0 page split at every byte has the same samples") {
    const std::string page = "foo 1\n" + both_kinds + "\n# EOF\n";
    const ProtobufPage whole = read_with(OpenMetrics2Parser(), {page});
    CHECK(whole.samples.size() == 7);
    for (std::size_t cut = 0; cut <= page.size(); ++cut)
        CHECK(read_with(OpenMetrics2Parser(), {page.substr(0, cut), page.substr(cut)}) == whole);
}

TEST_CASE("only what is wanted of an OpenMetrics 2.0 page is passed on") {
    CHECK(read_om2("broken{\n" + both_kinds, WantedMetrics({"h_sum"})).samples ==
          Samples{"h_sum{path=/a} 120 @3000 st@1605301325000"});
    CHECK(read_om2(both_kinds, WantedMetrics({"other"})).families == Samples{"h histogram"});
}

TEST_CASE("each bound of an OpenMetrics 2.0 page is an error that names it") {
    const auto limited = [](std::size_t PageLimits::*bound, std::size_t most) {
        PageLimits limits;
        limits.*bound = most;
        return limits;
    };
    for (const auto& [limits, name] : std::vector<std::pair<PageLimits, std::string>>{
             {limited(&PageLimits::max_page_bytes, 50), "max_page_bytes"},
             {limited(&PageLimits::max_line_bytes, 50), "max_line_bytes"},
             {limited(&PageLimits::max_samples, 5), "max_samples"},
             {limited(&PageLimits::max_families, 0), "max_families"},
             {limited(&PageLimits::max_labels, 0), "max_labels"},
             {limited(&PageLimits::max_name_bytes, 3), "max_name_bytes"},
             {limited(&PageLimits::max_label_value_bytes, 1), "max_label_value_bytes"},
             {limited(&PageLimits::max_buckets, 2), "max_buckets"}}) {
        CAPTURE(name);
        CHECK_THAT(read_om2(both_kinds, {}, limits).problem,
                   Catch::Matchers::StartsWith("too_large: ") &&
                       Catch::Matchers::ContainsSubstring("PageLimits::" + name + " = "));
    }
}

TEST_CASE("a page of OpenMetrics 2.0 is read by its content type, and again after a restart") {
    PageParser parser("application/openmetrics-text; version=2.0.0; charset=utf-8");
    for (int i = 0; i < 2; ++i) {
        protobuf_pages::ProtobufSink sink;
        CHECK(parser.feed(both_kinds + "\n# EOF\n", sink).has_value());
        CHECK(parser.finish(sink).has_value());
        CHECK(parser.samples() == 6);
        parser.restart();
    }
}

} // namespace wva_metrics::exposition::om2_pages
