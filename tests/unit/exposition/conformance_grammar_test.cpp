// SPDX-License-Identifier: Apache-2.0

#include "unit/exposition/checked_page.hpp"

#include <catch2/catch_all.hpp>

#include <string>
#include <string_view>

namespace wva_metrics::exposition {
namespace {

void check_refused(std::initializer_list<RefusedPage> pages) {
    for (const RefusedPage& one : pages) {
        INFO(one.page);
        CHECK(strict_problem(std::string(one.page) + "# EOF\n") == one.problem);
    }
}

TEST_CASE("an OpenMetrics page ends with # EOF and nothing else") {
    CHECK(strict_problem("# EOF\n") == "");
    CHECK(strict_problem("# EOF") == "");
    CHECK(strict_problem("a 1\n# EOF") == "");
    CHECK(strict_problem("") == "1:1: expected # EOF; the page was cut off");
    CHECK(strict_problem("a 1\n") == "2:1: expected # EOF; the page was cut off");
    CHECK(strict_problem("a 1") == "1:1: expected # EOF; the page was cut off");
    CHECK(strict_problem("a 1\n# EO") == "2:1: expected # EOF; the page was cut off");
    CHECK(strict_problem("a 1\n# EOF\nblah") == "3:1: expected nothing after # EOF");
    CHECK(strict_problem("a 1\n# EOF\n\n") == "3:1: expected nothing after # EOF");
    CHECK(strict_problem("a 1\n# EOF\n# EOF\n") == "3:1: expected nothing after # EOF");
    const std::string metadata = "expected # TYPE, # HELP, # UNIT or # EOF, with one space each";
    CHECK(strict_problem("a 1\n# EOFblah\n") == "2:1: " + metadata);
    CHECK(strict_problem("# EOF \n") == "1:1: " + metadata);
    CHECK(strict_problem("#EOF\n") == "1:1: " + metadata);
}

TEST_CASE("OpenMetrics has no blanks, empty lines and carriage returns but those of its grammar") {
    check_refused({
        {"a 1\n\n", "2:1: expected no empty line"},
        {" a 1\n", "1:1: expected the name of a metric"},
        {"\ta 1\n", "1:1: expected the name of a metric"},
        {"a  1\n", "1:3: expected a number, NaN or Inf"},
        {"a\t1\n", "1:2: expected one space and a value"},
        {"a 1 \n", "1:5: expected a time in seconds since 1970, or #"},
        {"a 1\t\n", "1:4: expected the end of the line"},
        {"a 1 2 \n", "1:6: expected the end of the line"},
        {"a {} 1\n", "1:3: expected a number, NaN or Inf"},
        {"a{ x=\"1\"} 1\n", "1:3: expected the name of a label"},
        {"a{x =\"1\"} 1\n", "1:4: expected ="},
        {"a{x= \"1\"} 1\n", "1:5: expected a text in double quotes"},
        {"a{x=\"1\" } 1\n", "1:8: expected , or }"},
        {"a{x=\"1\", y=\"1\"} 1\n", "1:9: expected the name of a label"},
        {"a{}1\n", "1:4: expected one space and a value"},
        {"a 1\r\n", "1:4: expected a line feed without a carriage return"},
        {"# TYPE a gauge\r\n", "1:15: expected a line feed without a carriage return"},
        {"\xEF\xBB\xBF# TYPE a gauge\n", "1:1: expected the name of a metric"},
        {" # HELP a x\n", "1:1: expected the name of a metric"},
    });
}

TEST_CASE("names and labels follow OpenMetrics' grammar") {
    check_refused({
        {"0a 1\n", "1:1: expected the name of a metric"},
        {"a.b 1\n", "1:2: expected one space and a value"},
        {"a-b 1\n", "1:2: expected one space and a value"},
        {"\"a\" 1\n", "1:1: expected the name of a metric"},
        {"{\"a\"} 1\n", "1:1: expected the name of a metric"},
        {"_a 1\n", "1:1: the name of a family begins with an underscore, which is reserved"},
        {"a{1=\"1\"} 1\n", "1:3: expected the name of a label"},
        {"a{x:y=\"1\"} 1\n", "1:4: expected ="},
        {"a{\"x\"=\"1\"} 1\n", "1:3: expected the name of a label"},
        {"a{=\"1\"} 1\n", "1:3: expected the name of a label"},
        {"a{_x=\"1\"} 1\n",
         "1:3: the name of a label begins with an underscore, which is reserved"},
        {"a{__name__=\"b\"} 1\n",
         "1:3: the name of a label begins with an underscore, which is reserved"},
        {"a{x=\"1\",x=\"1\"} 1\n", "1:9: the label is there already"},
        {"a{x} 1\n", "1:4: expected ="},
        {"a{x\"v\"} 1\n", "1:4: expected ="},
        {"a{x=} 1\n", "1:5: expected a text in double quotes"},
        {"a{x=1} 1\n", "1:5: expected a text in double quotes"},
        {"a{x='1'} 1\n", "1:5: expected a text in double quotes"},
        {"a{x=\"1} 1\n", "1:5: expected a closing double quote"},
        {"a{x=\"\\\"} 1\n", "1:5: expected a closing double quote"},
        {"a{x=\"1\"y=\"2\"} 1\n", "1:8: expected , or }"},
        {"a{x=\"1\",,y=\"2\"} 1\n", "1:9: expected the name of a label"},
        {"a{x=\"1\",} 1\n", "1:9: expected the name of a label"},
        {"a{,x=\"1\"} 1\n", "1:3: expected the name of a label"},
        {"a{x=\"1\" 1\n", "1:8: expected , or }"},
        {"a{x=\"1\"b} 1\n", "1:8: expected , or }"},
        {"a{x=\"1\xFF\"} 1\n", "1:7: expected UTF-8"},
        {"# HELP a 1\xC3\n", "1:11: expected UTF-8"},
    });
    CHECK(strict_problem("a{} 1\n# EOF\n") == "");
    CHECK(strict_problem("a:b{x=\"\",y=\"} # \\\\ \\\" \\n \\q \xC3\xA9\"} 1\n# EOF\n") == "");
    CHECK(strict_problem(std::string("a{x=\"\0\r\t\"} 1\n# EOF\n", 19)) == "");
}

TEST_CASE("numbers follow OpenMetrics' grammar") {
    for (const std::string_view number :
         {"0", "0042", "+1", "-1", "1.", ".5", "-.5", "1.5e3", "1E+3", "1e-9", "NaN", "nan", "Inf",
          "+inf", "-INF", "infinity", "-Infinity", "9223372036854775808"}) {
        INFO(number);
        CHECK(strict_problem("a " + std::string(number) + "\n# EOF\n") == "");
    }
    for (const std::string_view number :
         {"",     "a",    ".",      "+",   "-",     "e5",    "1e",    "1e+", "1_2",
          "0x1",  "0X1",  "0x1p-3", "0b1", "0o1",   "1.1.1", "1z",    "--1", "+-1",
          "+NaN", "-nan", "nano",   "in",  "infin", "1,5",   "1e999", "1f"}) {
        INFO(number);
        CHECK(strict_problem("a " + std::string(number) + "\n# EOF\n") ==
              "1:3: expected a number, NaN or Inf");
    }
}

TEST_CASE("times are seconds in OpenMetrics") {
    for (const std::string_view time : {"000", "0.0", "1.1", "12345678901234567890.1234567890",
                                        "1.5e3", "-5", "+5", ".5", "1520879607.789"}) {
        INFO(time);
        CHECK(strict_problem("a 1 " + std::string(time) + "\n# EOF\n") == "");
    }
    for (const std::string_view time : {"z", "1z", "1.1.1", "1_2", "NaN", "Inf", "+Inf", "-Inf",
                                        "0x1p-3", "1e400", "1e99999", ""}) {
        INFO(time);
        CHECK(strict_problem("a 1 " + std::string(time) + "\n# EOF\n") ==
              "1:5: expected a time in seconds since 1970, or #");
    }
    CHECK(strict_problem("a 1 1 1\n# EOF\n") == "1:6: expected the end of the line");
}

TEST_CASE("metadata lines follow OpenMetrics' grammar") {
    const std::string words = "expected # TYPE, # HELP, # UNIT or # EOF, with one space each";
    for (const std::string_view line : {"# HELP", "# TYPE", "# UNIT", "# FOO a x", "#TYPE a gauge",
                                        "#  TYPE a gauge", "# type a gauge", "#", "# ", "#a 1"}) {
        INFO(line);
        CHECK(strict_problem(std::string(line) + "\n# EOF\n") == "1:1: " + words);
    }
    for (const std::string keyword : {"HELP", "TYPE", "UNIT"}) {
        INFO(keyword);
        const auto problem = [&](std::string_view rest) {
            return strict_problem("# " + keyword + " " + std::string(rest) + "\n# EOF\n");
        };
        CHECK(problem("") == "1:8: expected the name of a metric family");
        CHECK(problem("a") == "1:9: expected a space after the name");
        CHECK(problem("a\t") == "1:8: expected the name of a metric family");
        CHECK(problem(" a x") == "1:8: expected the name of a metric family");
        CHECK(problem("0a x") == "1:8: expected the name of a metric family");
        CHECK(problem("\"a\" x") == "1:8: expected the name of a metric family");
        CHECK(problem("_a ").substr(0, 36) == (keyword == "TYPE"
                                                   ? "1:11: expected unknown, gauge, count"
                                                   : "1:1: the name of a family begins wi"
                                                     "t"));
    }
    for (const std::string_view type :
         {"", "meh", "meh ", "gauge ", "untyped", "Gauge", " gauge"}) {
        INFO(type);
        CHECK(
            strict_problem("# TYPE a " + std::string(type) + "\n# EOF\n") ==
            "1:10: expected unknown, gauge, counter, stateset, info, histogram, gaugehistogram or "
            "summary");
    }
    for (const std::string_view type : {"unknown", "gauge", "counter", "stateset", "info",
                                        "histogram", "gaugehistogram", "summary"}) {
        INFO(type);
        CHECK(strict_problem("# TYPE a " + std::string(type) + "\n# EOF\n") == "");
    }
    CHECK(strict_problem("# HELP a \n# UNIT a \n# EOF\n") == "");
    CHECK(strict_problem("# HELP a two  words\t\\n\\\\ \\\" \\x and one\\\n# EOF\n") == "");
    CHECK(strict_problem(std::string("# HELP a he\0lp\n# EOF\n", 21)) == "");
    CHECK(strict_problem("# HELP a say \"hi\"\n# EOF\n") ==
          "1:14: expected \\\" instead of a double quote");
}

TEST_CASE("an exemplar follows OpenMetrics' grammar") {
    const auto problem = [](const std::string& exemplar) {
        return strict_problem("# TYPE a counter\na_total 1" + exemplar + "\n# EOF\n");
    };
    CHECK(problem(" # {} 1") == "");
    CHECK(problem(" # {x=\"1\"} 0.67") == "");
    CHECK(problem(" # {x=\"1\",y=\" # \"} 0.67 1520879607.789") == "");
    CHECK(problem(" 123 # {x=\"1\"} 0.67") == "");
    CHECK(problem(" # {} NaN") == "");
    CHECK(problem(" #") == "2:12: expected one space and the labels of an exemplar");
    CHECK(problem("# {} 1") == "2:9: expected a number, NaN or Inf");
    CHECK(problem(" #{} 1") == "2:12: expected one space and the labels of an exemplar");
    CHECK(problem(" # {}1") == "2:15: expected one space and the value of an exemplar");
    CHECK(problem(" # {}") == "2:15: expected one space and the value of an exemplar");
    CHECK(problem(" # {} ") == "2:16: expected a number, NaN or Inf");
    CHECK(problem(" # {} 1 ") == "2:18: expected a time in seconds since 1970");
    CHECK(problem(" # {} 1 1 ") == "2:19: expected the end of the line");
    CHECK(problem(" # {} 1 NaN") == "2:18: expected a time in seconds since 1970");
    CHECK(problem(" # {} 0x1p-3") == "2:16: expected a number, NaN or Inf");
    CHECK(problem(" # x=\"1\"} 1") == "2:13: expected { and the labels of an exemplar");
    CHECK(problem(" #  {} 1") == "2:13: expected { and the labels of an exemplar");
    CHECK(problem("  # {} 1") == "2:11: expected a time in seconds since 1970, or #");
    CHECK(problem(" # {x=\"1\",x=\"1\"} 1") == "2:20: the label is there already");
    CHECK(problem(" # {x=\"1\",} 1") == "2:20: expected the name of a label");
    CHECK(problem(" # {} 1 1 # {} 1") == "2:19: expected the end of the line");

    const std::string letters(127, 'v');
    CHECK(problem(" # {x=\"" + letters + "\"} 1") == "");
    CHECK(problem(" # {x=\"" + letters + "v\"} 1") ==
          "2:11: the labels of an exemplar have more than 128 characters");
    std::string accents;
    for (int i = 0; i < 127; ++i)
        accents += "\xC3\xA9";
    CHECK(problem(" # {x=\"" + accents + "\"} 1") == "");
    CHECK(problem(" # {xy=\"" + accents + "\"} 1") ==
          "2:11: the labels of an exemplar have more than 128 characters");
}

} // namespace
} // namespace wva_metrics::exposition
