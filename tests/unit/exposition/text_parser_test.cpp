// SPDX-License-Identifier: Apache-2.0

#include "wva_metrics/exposition/text_parser.hpp"

#include "wva_metrics/exposition/page_limits.hpp"
#include "wva_metrics/exposition/text_format.hpp"
#include "wva_metrics/exposition/wanted_metrics.hpp"

#include "unit/exposition/read_samples.hpp"

#include <catch2/catch_all.hpp>

#include <cmath>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

namespace wva_metrics::exposition {
namespace {

using enum TextFormat;
using Lines = std::vector<std::string>;

TEST_CASE("a page of text becomes samples with their families") {
    const ReadPage page = read_page("# HELP vllm:ttft Time to first token.\n"
                                    "# TYPE vllm:ttft histogram\n"
                                    "vllm:ttft_bucket{le=\"0.5\",model_name=\"m\"} 3\n"
                                    "vllm:ttft_bucket{le=\"+Inf\",model_name=\"m\"} 4\n"
                                    "vllm:ttft_sum{model_name=\"m\"} 2.5\n"
                                    "vllm:ttft_count{model_name=\"m\"} 4\n"
                                    "# TYPE running gauge\n"
                                    "running 7 1700000000123\n"
                                    "untold 1e3\n");
    CHECK(page.problem == "");
    CHECK(page.lines() == Lines{
                              "vllm:ttft histogram vllm:ttft_bucket le=0.5 model_name=m 3",
                              "vllm:ttft histogram vllm:ttft_bucket le=+Inf model_name=m 4",
                              "vllm:ttft histogram vllm:ttft_sum model_name=m 2.5",
                              "vllm:ttft histogram vllm:ttft_count model_name=m 4",
                              "running gauge running 7 @1700000000123",
                              "untold unknown untold 1000",
                          });
    CHECK(page.families == Lines{"vllm:ttft histogram", "running gauge"});
}

TEST_CASE("the endings of each type belong to its family, and others do not") {
    const ReadPage page = read_page("# TYPE c counter\nc_total 1\nc_created 2\nc 3\nc_sum 4\n"
                                    "# TYPE s summary\ns{quantile=\"0.5\"} 1\ns_sum 2\ns_bucket 3\n"
                                    "# TYPE i info\ni_info 1\n# TYPE x stateset\nx{x=\"on\"} 1\n"
                                    "# TYPE g gaugehistogram\ng_gcount 1\ng_gsum 2\ng_count 3\n"
                                    "# TYPE t_total counter\nt_total 1\n"
                                    "# TYPE w strange\nw 1\n");
    CHECK(page.problem == "");
    CHECK(page.lines() ==
          Lines{"c counter c_total 1", "c counter c_created 2", "c counter c 3",
                "c_sum unknown c_sum 4", "s summary s quantile=0.5 1", "s summary s_sum 2",
                "s_bucket unknown s_bucket 3", "i info i_info 1", "x stateset x x=on 1",
                "g gaugehistogram g_gcount 1", "g gaugehistogram g_gsum 2",
                "g_count unknown g_count 3", "t_total counter t_total 1", "w unknown w 1"});
}

TEST_CASE("families may be interleaved, come again, and be typed before any sample") {
    const ReadPage page = read_page("# TYPE a counter\n# TYPE b histogram\na_total 1\nb_sum 2\n"
                                    "a_total 1\n# TYPE a counter\na_total 3\nb_count 4\nb_sum 2\n");
    CHECK(page.problem == "");
    CHECK(page.lines() == Lines{"a counter a_total 1", "b histogram b_sum 2", "a counter a_total 1",
                                "a counter a_total 3", "b histogram b_count 4",
                                "b histogram b_sum 2"});
}

TEST_CASE("what real servers write is read") {
    const std::string_view page =
        "\n  \t\n# TYPE\n# TYPE a\n# HELP a x\n# HELP a x\n#comment\n# EOF\n"
        "#TYPE a gauge\r\n  a { x = \"1\" , y=\"2\" , }   7   \r\n"
        "a{}1\n\ta\t2\t3\t\na 4 # {trace_id=\"5\"} 6\na 5";
    const ReadPage read = read_page(page);
    CHECK(read.problem == "");
    CHECK(read.last_line_is_open);
    CHECK(read.lines() == Lines{"a gauge a x=1 y=2 7", "a gauge a 1", "a gauge a 2 @3",
                                "a gauge a 4", "a gauge a 5"});
    CHECK_FALSE(read_page("a 5\n").last_line_is_open);
    CHECK(read_page("").problem == "");
}

TEST_CASE("names may be in quotes, with any characters") {
    const ReadPage page = read_page("# TYPE \"foo.bar\" counter\n"
                                    "{\"foo.bar\",\"a.b\"=\"x\",c=\"\"} 3\n"
                                    "{\"foo.bar_total\"} 4\n"
                                    "# TYPE \"q\\\"\\n\\\\\" gauge\n"
                                    "{ \"q\\\"\\n\\\\\" , a=\"b\" } 5\n",
                                    prometheus_1_0_0);
    CHECK(read_page("# TYPE \"foo.bar\" gauge\nfoo.bar 1\n", prometheus_1_0_0).problem ==
          "line 2, column 4: expected {, a blank, or a character of a metric's name");
    const WantedMetrics wanted({"a"});
    CHECK(read_page("# TYPE \"b\\na\" gauge\nb\na 1\n", prometheus_1_0_0, wanted).lines() ==
          Lines{"a unknown a 1"});
    CHECK(page.problem == "");
    CHECK(page.lines() == Lines{"foo.bar counter foo.bar a.b=x c= 3",
                                "foo.bar counter foo.bar_total 4", "q\"\n\\ gauge q\"\n\\ a=b 5"});
}

TEST_CASE("a name in quotes may stand after labels, as Prometheus reads it") {
    const ReadPage page = read_page("{c=\"d\",\"foo.bar\"} 1\n{c=\"e\",\"foo.bar\",f=\"g\"} 2\n"
                                    "{c=\"e\",f=\"g\",\"foo.bar\"} 3\n",
                                    prometheus_1_0_0);
    CHECK(page.problem == "");
    CHECK(page.lines() == Lines{"foo.bar unknown foo.bar c=d 1",
                                "foo.bar unknown foo.bar c=e f=g 2",
                                "foo.bar unknown foo.bar c=e f=g 3"});
    CHECK(read_page("{\"a\",b=\"1\",\"c\"} 1\n", prometheus_1_0_0).problem ==
          "line 1, column 15: expected =");
}

TEST_CASE("zeros that end a text in C are no line of Prometheus' text") {
    using namespace std::string_view_literals;
    CHECK(read_page("a 1\n\0"sv).lines() == Lines{"a unknown a 1"});
    CHECK(read_page("a 1\n\0\0"sv).problem == "");
    CHECK(read_page("a 1\n\0b 2\n"sv).problem == "line 2, column 1: expected the name of a metric");
    CHECK(read_page("a 1\n\0\n# EOF\n"sv, open_metrics_1_0).problem ==
          "line 2, column 1: expected the name of a metric");
}

TEST_CASE("escapes in labels are removed, unknown ones stay") {
    const ReadPage page = read_page("a{x=\"\\\\ \\\" \\n \\d\",y=\"plain\",z=\"a\\\\\"} 1\n");
    REQUIRE(page.samples.size() == 1);
    CHECK(page.samples[0].labels == std::vector<std::pair<std::string, std::string>>{
                                        {"x", "\\ \" \n \\d"}, {"y", "plain"}, {"z", "a\\"}});
}

TEST_CASE("labels are read whether they are those of the line before or others") {
    const ReadPage page = read_page("a{long_name_of_a_label=\"1\",y=\"2\"} 1\n"
                                    "a{long_name_of_a_label=\"3\",y=\"4\"} 2\n"
                                    "a{long_name_of_a_label=\"5\"} 3\na{y=\"6\"} 4\n"
                                    "a{long_name_of_a_label2=\"7\",y=\"8\",z=\"9\"} 5\na 6\n"
                                    "a{long_name_of_a_label2=\"7\",yy=\"8\",z=\"9\",y=\"\"} 7\n");
    CHECK(page.problem == "");
    CHECK(page.lines() == Lines{"a unknown a long_name_of_a_label=1 y=2 1",
                                "a unknown a long_name_of_a_label=3 y=4 2",
                                "a unknown a long_name_of_a_label=5 3", "a unknown a y=6 4",
                                "a unknown a long_name_of_a_label2=7 y=8 z=9 5", "a unknown a 6",
                                "a unknown a long_name_of_a_label2=7 yy=8 z=9 y= 7"});
    // What was accepted in quotes is not accepted without.
    CHECK(read_page("{\"a\",\"b.c\"=\"1\"} 1\na{b.c=\"1\"} 1\n", prometheus_1_0_0).problem ==
          "line 2, column 4: expected =");
    CHECK(read_page("a{x=\"1\",y=\"2\"} 1\na{x=\"1\",x=\"2\"} 1\n").problem ==
          "line 2, column 9: expected a label that is not there yet");
    CHECK(read_page("a{x=\"1\"} 1\na{x=").problem ==
          "line 2, column 5: expected the value of a label in double quotes");
}

TEST_CASE("every spelling of a number is read") {
    const auto value = [](std::string_view text) {
        const ReadPage page = read_page("a " + std::string(text) + "\n");
        REQUIRE(page.problem == "");
        REQUIRE(page.samples.size() == 1);
        return page.samples[0].value;
    };
    const double infinity = std::numeric_limits<double>::infinity();
    CHECK(value("0") == 0);
    CHECK(std::signbit(value("-0")));
    CHECK(value("+5") == 5);
    CHECK(value("0042") == 42);
    CHECK(value("5.") == 5);
    CHECK(value(".5") == 0.5);
    CHECK(value("123456789012345") == 123456789012345.0);
    CHECK(value("9007199254740993") == 9007199254740992.0);
    CHECK(value("18446744073709551616") == 18446744073709551616.0);
    CHECK(value("0.1") == 0.1);
    CHECK(value("-1234.5678") == -1234.5678);
    CHECK(value("0.000000000000001") == 1e-15);
    CHECK(value("0.123456789012345678") == 0.123456789012345678);
    CHECK(value("4.20072246e+06") == 4200722.46);
    CHECK(value("1E-3") == 0.001);
    CHECK(value("1e999") == infinity);
    CHECK(value("-1e999") == -infinity);
    CHECK(value("1e-999") == 0);
    CHECK(value("1" + std::string(400, '0')) == infinity);
    CHECK(value("1" + std::string(400, '0') + "e-50") == infinity);
    CHECK(value("0." + std::string(400, '0') + "1") == 0);
    CHECK(value("0." + std::string(400, '0') + "1e50") == 0);
    for (const std::string_view text : {"Inf", "+Inf", "inf", "INF", "infinity", "+Infinity"})
        CHECK(value(text) == infinity);
    CHECK(value("-Inf") == -infinity);
    for (const std::string_view text : {"NaN", "nan", "NAN", "+NaN"})
        CHECK(std::isnan(value(text)));
    for (const std::string text : {"", "x", "1x", "1_000", "0x10", "0x1p3", "1e", "e1", "--1",
                                   "+-1", "1..2", ".", "-", "infi", "nana", "1,5"}) {
        INFO(text);
        CHECK(read_page("a " + text + "\n").problem == "line 1, column 3: expected a number");
    }
}

TEST_CASE("times are seconds in OpenMetrics and milliseconds elsewhere") {
    const auto time = [](std::string_view text, TextFormat format) {
        const ReadPage page = read_page("a 1 " + std::string(text) + "\n# EOF\n", format);
        return page.samples.size() == 1 && page.problem.empty()
                   ? std::to_string(page.samples[0].timestamp_ms.value())
                   : page.problem;
    };
    CHECK(time("1520879607.789", open_metrics_1_0) == "1520879607789");
    CHECK(time("-1.5", open_metrics_1_0) == "-1500");
    CHECK(time("1.5e3", open_metrics_1_0) == "1500000");
    CHECK(time("12345678901234567890.1234567890", open_metrics_1_0) == "9000000000000000");
    CHECK(time("-1e300", open_metrics_1_0) == "-9000000000000000");
    const std::string seconds = "line 1, column 5: expected a time in seconds since 1970";
    for (const std::string_view text : {"NaN", "Inf", "1e999", "x"})
        CHECK(time(text, open_metrics_1_0) == seconds);
    CHECK(time("1520879607789", prometheus_0_0_4) == "1520879607789");
    CHECK(time("-5", prometheus_1_0_0) == "-5");
    const std::string milliseconds =
        "line 1, column 5: expected a time in whole milliseconds since 1970";
    for (const std::string_view text : {"1.5", "NaN", "1e3", "99999999999999999999", "-", "+-5"})
        CHECK(time(text, prometheus_0_0_4) == milliseconds);
}

TEST_CASE("a line that cannot be read is an error with its place") {
    const auto problem = [](std::string_view line) {
        return read_page("ok 1\n" + std::string(line) + "\nok 2\n").problem;
    };
    CHECK(problem("0a 1") == "line 2, column 1: expected the name of a metric");
    CHECK(problem("  %") == "line 2, column 3: expected the name of a metric");
    CHECK(problem("a.b 1") ==
          "line 2, column 2: expected {, a blank, or a character of a metric's name");
    CHECK(problem("a") == "line 2, column 2: expected a number");
    CHECK(problem("a{") == "line 2, column 3: expected the name of a label, or }");
    CHECK(problem("a{x") == "line 2, column 4: expected =");
    CHECK(problem("a{x=") == "line 2, column 5: expected the value of a label in double quotes");
    CHECK(problem("a{x='1'} 1") ==
          "line 2, column 5: expected the value of a label in double quotes");
    CHECK(problem("a{x=\"1} 1") == "line 2, column 5: expected a closing double quote");
    CHECK(problem("a{x=\"1\\\"} 1") == "line 2, column 5: expected a closing double quote");
    CHECK(problem("a{x=\"1\\") == "line 2, column 5: expected a closing double quote");
    CHECK(problem("a{x=\"1\"") == "line 2, column 8: expected , or }");
    CHECK(problem("a{x=\"1\"y=\"2\"} 1") == "line 2, column 8: expected , or }");
    CHECK(problem("a{,} 1") == "line 2, column 3: expected the name of a label, or }");
    CHECK(problem("a{x=\"1\",x=\"2\"} 1") ==
          "line 2, column 9: expected a label that is not there yet");
    CHECK(problem("a{__name__=\"b\"} 1") == "line 2, column 3: expected another name of a label");
    CHECK(problem("a{\"\"=\"b\"} 1") == "line 2, column 3: expected another name of a label");
    CHECK(problem("a{\"b\"} 1") == "line 2, column 6: expected =");
    CHECK(problem("{} 1") == "line 2, column 3: expected the name of the metric between { and }");
    CHECK(problem("{\"\"} 1") == "line 2, column 2: expected the name of a metric");
    CHECK(problem("a{x=\"\xC3\"} 1") == "line 2, column 6: expected UTF-8");
    CHECK(problem("a{x=\"1234567\xFF\"} 1") == "line 2, column 6: expected UTF-8");
    CHECK(problem("a{x=\"\\n\xFF\"} 1") == "line 2, column 6: expected UTF-8");
    CHECK(problem("a 1 2 3") == "line 2, column 7: expected the end of the line");
    CHECK(problem("a{x=\"\xC3\xA9 and \xE2\x82\xAC\"} 1") == "");
}

TEST_CASE("an OpenMetrics page without its end is an error, and nothing follows it") {
    CHECK(read_page("a 1\n# EOF\n", open_metrics_1_0).problem == "");
    CHECK(read_page("a 1\n# EOF", open_metrics_1_0).problem == "");
    CHECK(read_page("a 1\r\n# EOF\r\n\n", open_metrics_1_0).problem == "");
    const std::string cut = "column 1: expected # EOF; the page was cut off";
    CHECK(read_page("", open_metrics_1_0).problem == "line 1, " + cut);
    CHECK(read_page("a 1\n", open_metrics_1_0).problem == "line 2, " + cut);
    CHECK(read_page("a 1\n# EO", open_metrics_1_0).problem == "line 3, " + cut);
    CHECK(read_page("a 1\n# EOF\nb 2\n", open_metrics_1_0).problem ==
          "line 3, column 1: expected nothing after # EOF");
    const std::string page = "# TYPE a counter\na_total{x=\"1\"} 1 5\n# EOF";
    for (std::size_t size = 0; size < page.size(); ++size) {
        INFO(page.substr(0, size));
        CHECK(read_page(page.substr(0, size), open_metrics_1_0).problem != "");
    }
}

TEST_CASE("only wanted samples are passed on, wherever they are") {
    const WantedMetrics wanted({"h_sum", "h_count", "g", "late_total", "dot.ted", "g"});
    CHECK(wanted.names().size() == 5);
    const ReadPage page =
        read_page("# TYPE un counter\nun_total 1\nun_total broken\ng 1\n"
                  "# TYPE h histogram\nh_bucket{le=\"1\"} broken\nh_sum 2\nh_count 3\n"
                  "# TYPE gg gauge\ngg 1\n{\"dot.ted\"} 7\n{\"dot.less\"} broken\n"
                  "# TYPE late counter\nlate_total 4\nlate_created 5\n"
                  "# TYPE other gauge\nother 8\ng 6\n",
                  prometheus_1_0_0, wanted);
    CHECK(page.problem == "");
    CHECK(page.lines() == Lines{"g unknown g 1", "h histogram h_sum 2", "h histogram h_count 3",
                                "dot.ted unknown dot.ted 7", "late counter late_total 4",
                                "g unknown g 6"});
    // What a server exposes is told, wanted or not.
    CHECK(page.families ==
          Lines{"un counter", "h histogram", "gg gauge", "late counter", "other gauge"});
}

TEST_CASE("a family that is not wanted hides none that begins alike") {
    const std::string_view page = "# TYPE a gauge\na 1\na_b 2\na_b{x=\"1\"} 3\nab 4\n";
    for (const std::string name : {"a_b", "ab"})
        CHECK(read_page(page, prometheus_0_0_4, WantedMetrics({name})).samples.size() ==
              (name == "ab" ? 1 : 2));
    CHECK(read_page(page, prometheus_0_0_4, WantedMetrics({"b"})).samples.empty());
    CHECK(
        read_page("# TYPE h histogram\nh_bucket 1\nh_bucketful 2\nh_bucket{le=\"1\"} 3\nh_sum 4\n",
                  prometheus_0_0_4, WantedMetrics({"h_sum", "h_bucketful"}))
            .lines() == Lines{"h_bucketful unknown h_bucketful 2", "h histogram h_sum 4"});
}

} // namespace
} // namespace wva_metrics::exposition
